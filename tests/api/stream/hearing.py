"""Listeners over real sockets: what they are sent, message by message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.api.serving import PATIENCE_SECONDS, Running

Said = dict[str, Any]


class Heard:
    """What a WebSocket says."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def next(self) -> Said:
        """The next message, heartbeats aside."""
        while True:
            said: Said = json.loads(self.socket.recv(PATIENCE_SECONDS))
            if "heartbeat" not in said:
                return said

    def change(self) -> tuple[str, str, str]:
        """The next message, which has to be a change: (user, segment, action)."""
        said = self.next()
        return said["user_id"], said["segment"], said["action"]

    def changes(self, count: int) -> list[Said]:
        """So many changes, whatever notices come between."""
        found: list[Said] = []
        while len(found) < count:
            said = self.next()
            if "segment" in said and "notice" not in said:
                found.append(said)
        return found

    def until_closed(self) -> tuple[list[Said], int, str]:
        """All messages to the end, and the code and reason of it."""
        found = []
        while True:
            try:
                found.append(self.next())
            except ConnectionClosed as closed:
                end = closed.rcvd
                break
        assert end is not None
        return found, end.code, end.reason


@contextmanager
def listening(server: Running, query: str = "", **options: Any) -> Iterator[Heard]:
    """A WebSocket to the stream; the notice that it listens has come."""
    with opened(server, query, **options) as heard:
        assert heard.next()["notice"] == "listening"
        yield heard


@contextmanager
def opened(server: Running, query: str = "", **options: Any) -> Iterator[Heard]:
    """A WebSocket to the stream."""
    url = str(server.said["url"]).replace("http", "ws", 1)
    # A client that has left messages unread would wait for the answer to its farewell.
    with connect(f"{url}/v1/stream?{query}", close_timeout=0.2, **options) as socket:
        yield Heard(socket)


@contextmanager
def events(server: Running, query: str = "", **headers: str) -> Iterator[Iterator[dict[str, str]]]:
    """The server-sent events of the stream, as fields by name."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with server.http.stream("GET", f"/v1/stream?{query}", headers=named) as answer:
        assert answer.status_code == 200
        yield fields_of(answer)


def fields_of(answer: httpx.Response) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield fields
            fields = {}

"""The two ways of writing: WebSocket messages, and server-sent events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from segue.api.answer import Header
from segue.api.request import Receive, Scope, Send
from segue.api.stream.notice import Item, Notice

SUBPROTOCOL = "segue"
CUT = "segue.cut"
"""The name under which the server's protocols leave, in the scope, a way to drop a connection at once."""


class Wire(Protocol):
    """One open connection. Every method waits while the client's buffers are full."""

    async def open(self, receive: Receive) -> None: ...
    async def write(self, items: Sequence[Item]) -> None: ...
    async def end(self, last: Notice, code: int, reason: str) -> None: ...
    def cut(self, code: int, reason: str) -> None: ...


class WebSocket:
    """Each item is one text message."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._closed = False

    async def open(self, receive: Receive) -> None:
        await receive()
        named = SUBPROTOCOL if SUBPROTOCOL in self._scope["subprotocols"] else None
        await self._send({"type": "websocket.accept", "subprotocol": named})

    async def write(self, items: Sequence[Item]) -> None:
        for item in items:
            try:
                await self._send({"type": "websocket.send", "text": item.text})
            except RuntimeError:
                if not self._closed:
                    raise
                return

    async def end(self, last: Notice, code: int, reason: str) -> None:
        self._closed = True
        await self._send({"type": "websocket.send", "text": last.text})
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    def cut(self, code: int, reason: str) -> None:
        self._closed = True
        _cut(self._scope, code, reason)


class ServerSentEvents:
    """Each item is one event of a body that goes on."""

    def __init__(self, scope: Scope, send: Send, headers: Sequence[Header]) -> None:
        self._scope = scope
        self._send = send
        self._headers = headers
        self._closed = False

    async def open(self, receive: Receive) -> None:  # noqa: ARG002 -- a request has nothing to wait for
        await self._send({"type": "http.response.start", "status": 200, "headers": list(self._headers)})

    async def write(self, items: Sequence[Item]) -> None:
        body = b"".join([item.event for item in items])
        if not self._closed:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self, last: Notice, code: int, reason: str) -> None:  # noqa: ARG002 -- the notice says it
        self._closed = True
        await self._send({"type": "http.response.body", "body": last.event})

    def cut(self, code: int, reason: str) -> None:
        self._closed = True
        _cut(self._scope, code, reason)


def _cut(scope: Scope, code: int, reason: str) -> None:
    drop = scope.get("extensions", {}).get(CUT)
    if drop is not None:
        drop(code, reason)

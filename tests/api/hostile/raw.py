"""Bytes over a connection, as no HTTP client would send them."""

from __future__ import annotations

import re
import socket
from typing import Any
from urllib.parse import urlsplit

from tests.api.serving import Running

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def connect(server: Running) -> socket.socket:
    """A connection of its own."""
    where = urlsplit(str(server.http.base_url))
    assert where.hostname is not None
    return socket.create_connection((where.hostname, where.port))


def event(user: str, number: int = 0) -> bytes:
    """The JSON of one event."""
    return b'{"userId":"%s","event":"Sent","messageId":"%s-%d"}' % (user.encode(), user.encode(), number)


def post(user: str, number: int = 0, headers: bytes = b"") -> bytes:
    """A request of one event, as it should be."""
    body = event(user, number)
    return request(body, b"Content-Length: %d\r\n%s" % (len(body), headers))


def request(body: bytes, headers: bytes, path: bytes = b"/v1/track") -> bytes:
    """A post with just these headers."""
    return b"POST %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n%s" % (path, headers, body)


def chunked(*pieces: bytes) -> bytes:
    """A body in chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


def answers(server: Running, sent: bytes, leave: bool = True) -> list[tuple[int, bytes]]:
    """(status, body) of all that comes back; ``leave`` says first that no more is sent."""
    with connect(server) as line:
        line.sendall(sent)
        if leave:
            line.shutdown(socket.SHUT_WR)
        return read(line)


def read(line: socket.socket) -> list[tuple[int, bytes]]:
    """All answers until the server closes, also by a reset."""
    found = b""
    try:
        while piece := line.recv(65_536):
            found += piece
    except ConnectionError:
        pass
    parts = re.split(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n", found)[1:]
    heads = [
        (int(status), *rest.partition(b"\r\n\r\n"))
        for status, rest in zip(parts[::2], parts[1::2], strict=True)
    ]
    return [(status, body) for status, _, _, body in heads]


def events_of(server: Running, user: str) -> list[Any]:
    """The events of a user, once everything that was acknowledged before is evaluated."""
    page = server.http.get(f"/v1/users/{user}/events", params={"limit": 10_000}).json()
    return page["events"]  # type: ignore[no-any-return]

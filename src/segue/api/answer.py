"""What a door answers with."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, Self

import msgspec

from segue.domain.event import Json

Header = tuple[bytes, bytes]

NO_STORE: Header = (b"cache-control", b"no-store")
"""What no answer is without unless it says more: a cache may hold a 404 that says nothing."""
NO_SNIFFING: Header = (b"x-content-type-options", b"nosniff")
"""What users sent stands in answers: a browser must not find HTML in it."""
JSON = b"application/json"
PROBLEM = b"application/problem+json"


class Stream(Protocol):
    """Pieces of a body as they come; ``leave`` says that nobody will read the rest."""

    def __aiter__(self) -> Self: ...
    async def __anext__(self) -> bytes: ...
    def leave(self) -> None: ...


Talk = Callable[[Any, Any], Awaitable[None]]
"""Takes ASGI's receive and send, and answers by itself."""

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. With ``stream`` the pieces follow ``body`` as they come, of unknown length.

    With ``talk`` the connection is left to it: a WebSocket, or events that go on.
    """

    status: int
    body: bytes = b""
    type: bytes = JSON
    headers: tuple[Header, ...] = ()
    stream: Stream | None = None
    talk: Talk | None = None

    def with_headers(self, headers: Iterable[Header]) -> Answer:
        """The same answer with more headers."""
        return Answer(self.status, self.body, self.type, (*self.headers, *headers), self.stream, self.talk)

    def start(self) -> dict[str, object]:
        """The ASGI message that opens the response."""
        headers = [*self.headers, NO_SNIFFING]
        for name, _ in self.headers:
            if name == b"cache-control":
                break
        else:
            headers.append(NO_STORE)
        if self.body or self.stream is not None or self.status == 200:
            headers.append((b"content-type", self.type))
        if self.stream is None and self.status not in {204, 304}:
            headers.append((b"content-length", b"%d" % len(self.body)))
        return {"type": "http.response.start", "status": self.status, "headers": headers}


def json_answer(value: Json, status: int = 200, headers: tuple[Header, ...] = ()) -> Answer:
    """An answer that holds a JSON value."""
    return Answer(status, encode(value), headers=headers)


def encode(value: Json) -> bytes:
    """JSON of anything events can hold, integers beyond 64 bits and half characters included."""
    try:
        return _encode(value)
    except (OverflowError, UnicodeError, ValueError):
        return json.dumps(value, separators=(",", ":")).encode()

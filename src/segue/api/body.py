"""Request bodies: received and decompressed within bounds, whatever their headers promise."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from contextlib import suppress

from segue.api.problems import TOO_MUCH
from segue.api.request import Message, Receive, Request
from segue.domain.errors import SegueError, refusal
from segue.domain.limits import (
    BODY_BYTES_MAX,
    BODY_SECONDS_MAX,
    DRAINED_BYTES_MAX,
    REFUSED_BYTES_MAX,
    REFUSED_SECONDS_MAX,
)

TOO_LARGE = "E503"
UNREADABLE = "E745"

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP, _ZLIB, _DEFLATE = 31, 15, -15
"""What zlib calls ``wbits``: which wrapping it expects."""


class DisconnectedError(Exception):
    """The client went away before its request was complete: there is nobody to answer."""


async def read_body(receive: Receive, grow: Callable[[int], None]) -> bytes:
    """The body as sent, told to ``grow`` piece by piece; E503 over 4 MiB, E749 when it comes too slowly."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body"):
        if len(body) > BODY_BYTES_MAX:
            raise too_large()
        grow(len(body))
        return body
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            return await _rest(receive, message, grow)
    except TimeoutError:
        raise refusal(TOO_MUCH, "the body came too slowly", "send it in smaller batches") from None


async def let_pass(request: Request, receive: Receive) -> None:
    """Takes a small body off the connection of a request that was refused, so that the client can go on.

    A large or slow one is not waited for: the connection ends behind the answer.
    """
    announced = request.header(b"content-length") or b"0"
    if int(announced) > REFUSED_BYTES_MAX:
        return
    size = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(REFUSED_SECONDS_MAX):
            while size <= REFUSED_BYTES_MAX:
                message = await receive()
                if not message.get("more_body"):
                    return
                size += len(message["body"])


async def _rest(receive: Receive, message: Message, grow: Callable[[int], None]) -> bytes:
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        piece = message.get("body", b"")
        size += len(piece)
        if size <= BODY_BYTES_MAX:
            grow(len(piece))
            pieces.append(piece)
        more = bool(message.get("more_body")) and size <= DRAINED_BYTES_MAX
        if more:
            message = await receive()
    if size > BODY_BYTES_MAX:
        raise too_large()
    return b"".join(pieces)


def decompressed(body: bytes, encoding: bytes | None) -> bytes:
    """The body without its Content-Encoding: gzip, deflate or none; E503 over 4 MiB, E745 if unreadable.

    The bytes win over the header: a proxy may have unpacked a body and left the header, and some
    clients send gzip without one. JSON never begins like gzip does.
    """
    name = (encoding or b"").strip().lower()
    if body[:2] == _GZIP_MAGIC:
        return _gunzipped(body)
    if name == b"deflate" and body[:1] not in (b"{", b"["):
        return _inflated(body, _ZLIB if _is_zlib(body) else _DEFLATE)
    if name in (b"", b"identity", b"gzip", b"x-gzip", b"deflate"):
        return body
    raise refusal(UNREADABLE, "this Content-Encoding is not known", "send gzip, deflate, or no encoding")


def _is_zlib(body: bytes) -> bool:
    return len(body) >= 2 and body[0] & 15 == 8 and (body[0] * 256 + body[1]) % 31 == 0


def _gunzipped(body: bytes) -> bytes:
    """All members of a gzip body, one after the other."""
    pieces: list[bytes] = []
    room = BODY_BYTES_MAX
    while body[:2] == _GZIP_MAGIC:
        piece, body = _one(body, _GZIP, room)
        pieces.append(piece)
        room -= len(piece)
    return b"".join(pieces)


def _inflated(body: bytes, wrapping: int) -> bytes:
    return _one(body, wrapping, BODY_BYTES_MAX)[0]


def _one(body: bytes, wrapping: int, room: int) -> tuple[bytes, bytes]:
    """One compressed stream, and what follows it."""
    reader = zlib.decompressobj(wrapping)
    try:
        # One byte more than there is room for tells a full body from one that goes on.
        found = reader.decompress(body, room + 1)
    except zlib.error:
        raise _broken() from None
    if len(found) > room:
        raise too_large()
    if not reader.eof:
        raise _broken()
    return found, reader.unused_data


def too_large() -> SegueError:
    """The refusal of a body over the bound, before or after decompression."""
    return refusal(
        TOO_LARGE, f"the body has more than {BODY_BYTES_MAX:,} bytes", "send it in smaller batches"
    )


def _broken() -> SegueError:
    return refusal(UNREADABLE, "the compressed body is damaged or cut off", "compress it again and resend it")

"""The tracking API: events come in, and are acknowledged when they are on disk."""

from __future__ import annotations

from functools import partial

from segue.api.access import sender
from segue.api.answer import Answer, Header
from segue.api.body import decompressed
from segue.api.doors import Doors
from segue.api.request import Request
from segue.domain.errors import SegueError
from segue.ingest.decode import Decoded, decode_batch, decode_single
from segue.ingest.joins import without_joins

TAKEN = Answer(200, b'{"success":true}')
"""Several clients send again what is answered in any other way."""

DECODED_IN_LOOP_MAX = 64 * 1024
"""Bytes as sent; larger bodies are decoded in a thread, so that nobody else waits for them."""

SHORT_FORMS = {
    "t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": "batch",
}  # fmt: skip

CORS: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Retry-After, X-RateLimit-Reset"),
)
"""On refusals too: a browser's client cannot read Retry-After otherwise."""


async def take(doors: Doors, request: Request, kind: str | None) -> Answer:
    """One event of a kind, or a batch when None; answers when all of them are durable."""
    work = partial(_decoded, request.body, request.header(b"content-encoding"), kind)
    small = len(request.body) <= DECODED_IN_LOOP_MAX
    decoded = work() if small else await doors.decode(work)
    await keep(doors, request, decoded)
    return TAKEN


async def keep(doors: Doors, request: Request, decoded: Decoded) -> None:
    """Returns when the events are durable; E604 when they cannot be made so, E760 to E765 for who sends."""
    source = sender(doors, request, decoded.write_key)
    if source.public:
        decoded = without_joins(decoded, doors.service.core.intake.identity)
    try:
        await doors.service.posted(decoded, source.name)
    except SegueError:
        doors.not_taken()
        raise


def _decoded(body: bytes, encoding: bytes | None, kind: str | None) -> Decoded:
    text = decompressed(body, encoding)
    return decode_batch(text) if kind is None else decode_single(text, kind)


def preflight(request: Request) -> Answer:
    """What a browser asks before it sends events from a page of another site."""
    asked = request.header(b"access-control-request-headers")
    allowed: list[Header] = [
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-max-age", b"900"),
    ]
    if asked:
        allowed += [(b"access-control-allow-headers", asked), (b"vary", b"Access-Control-Request-Headers")]
    return Answer(204, headers=tuple(allowed))

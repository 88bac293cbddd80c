"""The tracking API: events come in, and are acknowledged when they are on disk."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from functools import lru_cache, partial
from urllib.parse import parse_qsl

from segue.api.answer import Answer, Header
from segue.api.body import decompressed
from segue.api.doors import Doors
from segue.api.request import Request
from segue.domain.errors import SegueError
from segue.domain.limits import QUERY_FIELDS_MAX
from segue.ingest.decode import Decoded, decode_batch, decode_single

TAKEN = Answer(200, b'{"success":true}')
"""Several clients send again what is answered in any other way."""

DEFAULT_SOURCE = "default"
DECODED_IN_LOOP_MAX = 32 * 1024
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
    """Returns when the events are durable; E604 when they could not be made so."""
    waiting = asyncio.wrap_future(doors.service.post(decoded, source_of(request, decoded.write_key)))
    # A request that is given up does not call its events back: the log has them already.
    try:
        await asyncio.shield(waiting)
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


def source_of(request: Request, in_body: str | None) -> str:
    """Which source sends: told by its write key in the header, the body or the query, else "default".

    A key that belongs to nobody yet may be one of another vendor, so it is not kept as it stands.
    """
    key = _key_in_header(request.header(b"authorization"), in_body) or in_body or _key_in_query(request)
    return _source_name(key) if key else DEFAULT_SOURCE


@lru_cache(maxsize=1024)
def _source_name(key: str) -> str:
    return "key-" + hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:12]


@lru_cache(maxsize=1024)
def _key_in_header(header: bytes | None, in_body: str | None) -> str | None:
    """The user name of Basic, with or without its colon; a Bearer's word unless the body names a key."""
    if not header:
        return None
    scheme, _, rest = header.partition(b" ")
    word = rest.strip()
    if scheme.lower() == b"bearer":
        return word.decode("latin-1") if in_body is None else in_body
    if scheme.lower() != b"basic":
        return None
    try:
        pair = base64.b64decode(word + b"=" * (-len(word) % 4))
    except binascii.Error:
        return None
    return pair.partition(b":")[0].decode("latin-1") or None


def _key_in_query(request: Request) -> str | None:
    text: bytes = request.scope["query_string"]
    if b"writeKey" not in text:
        return None
    try:
        pairs = parse_qsl(text.decode("latin-1"), max_num_fields=QUERY_FIELDS_MAX)
    except ValueError:
        return None
    return next((value for name, value in pairs if name == "writeKey"), None)

"""Events as images: for mail and pages that can load a picture and nothing else.

Whoever loads a picture can do nothing about an error, so the answer is the picture in any case, and
what cannot be read goes to quarantine. The status is 200 unless the server could not take the event.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any
from urllib.parse import parse_qsl

from segue.api.answer import Answer, Header
from segue.api.doors import Doors
from segue.api.request import Request
from segue.api.tracking import keep
from segue.domain.errors import SegueError
from segue.domain.event import TYPES
from segue.domain.limits import PIXEL_FIELDS_MAX, PIXEL_KEY_DEPTH_MAX
from segue.ingest import reject
from segue.ingest.decode import Decoded, decode_single, of_items
from segue.ingest.reject import Rejected

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent pixel."""
PATHS = ("/v1/pixel/", "/pixel/v1/")
"""How the paths of images begin."""
_HEADERS: tuple[Header, ...] = ((b"cache-control", b"no-store"),)
_FROM_URL_SAFE = str.maketrans("-_ ", "+/+")
_KEY_IN_QUERY = re.compile(rb"(?<![^&?;])writeKey=[^&;]*&?")
_KEY_IN_JSON = re.compile(rb'"writeKey"\s*:\s*"[^"]*"\s*,?')


async def take(doors: Doors, request: Request) -> Answer:
    """``data`` holds the event as JSON in base64, or each parameter is a field of it; dotted keys nest."""
    return await _shown(doors, request, request.params["type"], data=True)


async def take_plain(doors: Doors, request: Request) -> Answer:
    """Each parameter is a field of the event; the type is the last part of the path."""
    return await _shown(doors, request, request.path.rpartition("/")[2], data=False)


async def _shown(doors: Doors, request: Request, kind: str, data: bool) -> Answer:
    await keep(doors, request, _decoded(request.scope["query_string"], kind, data))
    return Answer(200, GIF, b"image/gif", _HEADERS)


def pictured(refused: Answer) -> Answer:
    """A refusal as an image; it keeps a status that tells of the server and not of what was sent."""
    status = refused.status if refused.status >= 500 or refused.status == 429 else 200
    return Answer(status, GIF, b"image/gif", (*_HEADERS, *refused.headers))


def _decoded(query: bytes, kind: str, data: bool) -> Decoded:
    """The event of a query, or the reason why there is none."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), errors="replace", max_num_fields=PIXEL_FIELDS_MAX)
    except ValueError as error:
        return _nothing(_KEY_IN_QUERY.sub(b"", query), str(error))
    fields = dict(pairs)
    if kind not in TYPES:
        raw = _KEY_IN_QUERY.sub(b"", query)
        return _set_aside(Rejected(reject.NO_TYPE, f"the pixel's type is {kind[:64]!r}", raw))
    if not (data and "data" in fields):
        return decode_single(_written(fields), kind)
    body = _unpacked(fields["data"])
    if body is None:
        return _nothing(fields["data"].encode(errors="replace"), "its data is not base64")
    try:
        decoded = decode_single(body, kind)
    except SegueError as refused:
        return _nothing(_KEY_IN_JSON.sub(b"", body), refused.diagnostics[0].message)
    decoded.write_key = decoded.write_key or fields.get("writeKey")
    return decoded


def _nothing(raw: bytes, reason: str) -> Decoded:
    return _set_aside(Rejected(reject.NOT_JSON, f"the pixel holds no event: {reason}", raw))


def _unpacked(data: str) -> bytes | None:
    """Base64 of either alphabet, padded or not, its plus signs perhaps read as blanks; or plain JSON."""
    if data.lstrip().startswith("{"):
        return data.encode(errors="replace")
    text = data.strip().translate(_FROM_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _written(fields: dict[str, str]) -> bytes:
    """The fields as one JSON object: ``properties.cart.id=7`` is a value two objects deep."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        *outer, last = name.split(".", PIXEL_KEY_DEPTH_MAX)
        place = found
        for part in outer:
            inner = place.get(part)
            if not isinstance(inner, dict):
                inner = place[part] = {}
            place = inner
        place[last] = value
    return json.dumps(found).encode()


def _set_aside(rejected: Rejected) -> Decoded:
    found = of_items(())
    found.rejected.append(rejected)
    return found

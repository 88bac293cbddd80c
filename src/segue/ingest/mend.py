"""Events as strict JSON will not have them: read leniently, written anew as JSON that everyone reads.

What real clients send (measured): ``NaN`` and ``Infinity``, integers of hundreds of digits, halves of a
character from a string cut mid-emoji, a byte order mark, bytes that are no UTF-8.
"""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from segue.domain.limits import EVENT_BYTES_MAX
from segue.domain.time import format_instant
from segue.ingest import reject
from segue.ingest.reject import Rejected
from segue.ingest.scan import TOO_DEEP, oddities
from segue.ingest.times import UNREAD
from segue.ingest.validate import kind_of
from segue.log.body import Body, decode_body

_INTEGER_CHARACTERS_MAX = 20
_INTEGER_MIN, _INTEGER_MAX = -(2**63), 2**64 - 1
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
_WRITE_KEY = b'"writeKey"'

Item = tuple[bytes, Body]


def _float(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _integer(text: str) -> float | None:
    if len(text) <= _INTEGER_CHARACTERS_MAX:
        value = int(text)
        if _INTEGER_MIN <= value <= _INTEGER_MAX:
            return value
    return _float(text)


def _nothing(_: str) -> None:
    return None


def load(raw: bytes) -> Any:
    """Any JSON value, leniently; ValueError or RecursionError when it cannot be read even so."""
    text = raw.decode(json.detect_encoding(raw), "replace").lstrip("\ufeff")
    return json.loads(text, strict=False, parse_float=_float, parse_int=_integer, parse_constant=_nothing)


def dump(value: Any) -> bytes:
    """JSON bytes in UTF-8; halves of a character become U+FFFD."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def is_utf8(raw: bytes) -> bool:
    """Whether these are the bytes of a text."""
    if raw.isascii():
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def read_event(raw: bytes) -> tuple[Item, bool] | Rejected:
    """One event by the careful road, and whether it had to be mended."""
    if len(raw) > EVENT_BYTES_MAX:
        return Rejected(reject.EVENT_TOO_LARGE, f"the event has {len(raw):,} bytes", raw)
    odd = oddities(raw)
    if odd & TOO_DEEP:
        return Rejected(reject.TOO_DEEP, "the event is nested too deep", raw)
    if not odd and is_utf8(raw):
        try:
            return (raw, decode_body(raw)), False
        except _UNREADABLE:
            pass
    return _mended(raw)


def _mended(raw: bytes) -> tuple[Item, bool] | Rejected:
    try:
        value = load(raw)
    except RecursionError:
        return Rejected(reject.TOO_DEEP, "the event is nested too deep", raw)
    except ValueError as error:
        return Rejected(reject.NOT_JSON, f"the event is not JSON: {error}", raw)
    if not isinstance(value, dict):
        return Rejected(reject.NOT_AN_OBJECT, f"the event is {_kind(value)}, not an object", raw)
    clean = dump(value)
    return (clean, decode_body(clean)), True


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return {bool: "a truth value", str: "a text", list: "a list"}.get(type(value), "a number")


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def without_write_key(item: Item) -> Item:
    """The event without the sender's credential, which is never stored."""
    raw, body = item
    if _WRITE_KEY not in raw:
        return item
    parts = _fields(raw)
    if parts.pop("writeKey", None) is None:
        return item
    return msgspec.json.encode(parts), body


def whole(raw: bytes, kind: str | None, sent: int = UNREAD) -> bytes:
    """A refused event with what its path or its batch alone told: its type, and when it was ``sent`` (ms).

    Who replays it has the event and nothing else.
    """
    try:
        parts = _fields(raw)
        typed = kind is None or ("type" in parts and kind_of(msgspec.json.decode(parts["type"])) == kind)
    except _UNREADABLE:
        return raw
    told: dict[str, object] = {} if typed else {"type": kind}
    if sent != UNREAD and "sentAt" not in parts:
        told["sentAt"] = format_instant(sent)
    return msgspec.json.encode({**parts, **told}) if told else raw


def under(item: Item, shared: dict[str, msgspec.Raw]) -> Item:
    """The event with the batch's own ``context`` and ``integrations`` under those it has itself."""
    raw, _ = item
    parts = _fields(raw)
    for name, theirs in shared.items():
        parts[name] = _merged(theirs, parts.get(name))
    whole = msgspec.json.encode(parts)
    return whole, decode_body(whole)


def _merged(theirs: msgspec.Raw, own: msgspec.Raw | None) -> msgspec.Raw:
    if own is None or bytes(own) == b"null":
        return theirs
    if bytes(own)[:1] != b"{":
        return own
    return msgspec.Raw(msgspec.json.encode({**_fields(theirs), **_fields(own)}))

"""Request bodies and lines of files to events: strict first, leniently where that fails, one by one.

A bad event is set aside alone. Only a body that holds no events at all is refused as a whole, since a
client throws a refused batch away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from segue.domain.limits import BATCH_EVENTS_MAX, BODY_BYTES_MAX, EVENT_BYTES_MAX
from segue.ingest import reject
from segue.ingest.mend import Item, dump, is_utf8, load, read_event, under, without_write_key
from segue.ingest.reject import Rejected, no_envelope
from segue.ingest.scan import TOO_DEEP, oddities, split_batch
from segue.log.body import decode_body

_BATCH_HINT = 'send {"batch": [{"type": "track", "userId": "u1", "event": "Login"}, …]}'
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


@dataclass(slots=True)
class Decoded:
    """The events of a request or of some lines, and those set aside."""

    items: list[Item] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    places: list[int] | None = None
    """Where each item stood among the texts given; None when all of them became items."""
    mended: int = 0
    write_key: str | None = None
    """The credential in the body itself, for clients that send no header."""


class _Envelope(msgspec.Struct, gc=False):
    batch: list[msgspec.Raw]
    sentAt: Any = None  # noqa: N815 -- spelled as clients send it
    writeKey: Any = None  # noqa: N815
    context: msgspec.Raw = msgspec.Raw(b"")
    integrations: msgspec.Raw = msgspec.Raw(b"")


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def decode_events(raws: Sequence[bytes], whole: bytes | None = None, lines: bool = False) -> Decoded:
    """Some events' JSON texts; ``whole`` are the bytes they were cut from, looked over at once."""
    text = b"\n".join(raws) if whole is None else whole
    plain = not oddities(text, lines or whole is None) and is_utf8(text)
    if plain and (not raws or max(map(len, raws)) <= EVENT_BYTES_MAX):
        try:
            decoded = Decoded(list(zip(raws, map(decode_body, raws), strict=True)))
        except _UNREADABLE:
            decoded = _one_by_one(raws)
    else:
        decoded = _one_by_one(raws)
    if b'"writeKey"' in text:
        decoded.items = [without_write_key(item) for item in decoded.items]
    return decoded


def _one_by_one(raws: Sequence[bytes]) -> Decoded:
    decoded = Decoded(places=[])
    assert decoded.places is not None
    for place, raw in enumerate(raws):
        found = read_event(raw)
        if isinstance(found, Rejected):
            decoded.rejected.append(replace(found, place=place))
        else:
            item, mended = found
            decoded.items.append(item)
            decoded.places.append(place)
            decoded.mended += mended
    return decoded


def decode_single(body: bytes, kind: str) -> Decoded:
    """One event whose type the path tells, whatever its own ``type`` says."""
    _bounded(body)
    found = read_event(body)
    if isinstance(found, Rejected):
        if found.code == reject.EVENT_TOO_LARGE:
            return Decoded(rejected=[found])
        raise no_envelope(reject.BODY_NOT_JSON, found.message, found.hint)
    (raw, event), mended = found
    event.type = kind
    decoded = Decoded([without_write_key((raw, event))], mended=mended)
    if b'"writeKey"' in raw:
        decoded.write_key = _key(load(raw).get("writeKey"))
    return decoded


def decode_batch(body: bytes) -> Decoded:
    """Every event of a batch, judged alone; E501 or E502 when it is no batch, E503 or E504 when too large."""
    _bounded(body)
    envelope, raws = _opened(body)
    decoded = decode_events(raws, body)
    decoded.write_key = _key(envelope.writeKey)
    shared = {
        name: text
        for name, text in (("context", envelope.context), ("integrations", envelope.integrations))
        if bytes(text)[:1] == b"{" and bytes(text) != b"{}"
    }
    if shared:
        decoded.items = [under(item, shared) for item in decoded.items]
    if envelope.sentAt is not None:
        for _, event in decoded.items:
            if event.sentAt is None:
                event.sentAt = envelope.sentAt
    return decoded


def _opened(body: bytes) -> tuple[_Envelope, list[bytes]]:
    try:
        envelope = _decode_envelope(body)
        raws = [bytes(raw) for raw in envelope.batch]
    except _UNREADABLE:
        envelope, raws = _pried_open(body)
    if len(raws) > BATCH_EVENTS_MAX:
        raise _too_many(len(raws))
    return envelope, raws


def _pried_open(body: bytes) -> tuple[_Envelope, list[bytes]]:
    """A batch that strict JSON refuses, perhaps for one event alone: cut it apart without decoding."""
    if not is_utf8(body):
        body = _as_utf8(body)
    found = split_batch(body.removeprefix(b"\xef\xbb\xbf"), BATCH_EVENTS_MAX)
    if found is None:
        raise _no_batch(body)
    raws, count, rest = found
    if count > BATCH_EVENTS_MAX:
        raise _too_many(count)
    try:
        if oddities(rest) & TOO_DEEP:
            raise ValueError("nested too deep")
        return _decode_envelope(dump(load(rest))), raws
    except _UNREADABLE as error:
        raise no_envelope(reject.BODY_NOT_JSON, f"the body is not JSON: {error}", _BATCH_HINT) from None


def _as_utf8(body: bytes) -> bytes:
    """Bytes in UTF-16 or UTF-32 as UTF-8; other bytes as they are: each event is then looked at alone."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace").encode()
    return body


def _no_batch(body: bytes) -> Exception:
    try:
        if oddities(body) & TOO_DEEP:
            raise ValueError("nested too deep")
        load(body)
    except (ValueError, RecursionError) as error:
        return no_envelope(reject.BODY_NOT_JSON, f"the body is not JSON: {error}", _BATCH_HINT)
    return no_envelope(reject.NO_BATCH, 'the body has no list "batch"', _BATCH_HINT)


def _too_many(count: int) -> Exception:
    return no_envelope(
        reject.TOO_MANY_EVENTS,
        f"the batch has {count:,} events; {BATCH_EVENTS_MAX:,} are taken",
        "send it in smaller batches",
    )


def _bounded(body: bytes) -> None:
    if len(body) > BODY_BYTES_MAX:
        raise no_envelope(
            reject.BODY_TOO_LARGE,
            f"the body has {len(body):,} bytes; {BODY_BYTES_MAX:,} are taken",
            "send it in smaller batches",
        )


def _key(value: object) -> str | None:
    return value if isinstance(value, str) and value else None

"""Request bodies and lines of files to events: plain ones by the lane, all others one by one.

An odd event is read strictly first, leniently where that fails.

A bad event is set aside alone. Only a body that holds no events at all is refused as a whole, since a
client throws a refused batch away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from segue.domain.event import TYPES
from segue.domain.limits import BATCH_EVENTS_MAX, BODY_BYTES_MAX
from segue.ingest import reject
from segue.ingest.mend import Item, dump, is_utf8, load, read_event, under, whole, without_write_key
from segue.ingest.reject import Rejected, no_envelope
from segue.ingest.scan import TOO_DEEP, oddities, split_batch
from segue.ingest.times import UNREAD, read_time
from segue.ingest.validate import text_of
from segue.log.body import Body, decode_body
from segue.log.lane.cuts import Beside, Cuts, cut_body, cut_texts, joined
from segue.log.lane.event import MESSAGE, PLAIN_TYPES, RAW, SENT

_BATCH_HINT = 'send {"batch": [{"type": "track", "userId": "u1", "event": "Login"}, …]}'
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


@dataclass(slots=True)
class Decoded:
    """The events of a request or of some lines, and those set aside.

    ``bodies`` are the events that are not plain, by their place in ``cuts``, in order.
    """

    cuts: Cuts
    bodies: dict[int, Body] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    places: list[int] | None = None
    """Where each event stood among the texts given; None when none of them was set aside."""
    mended: int = 0
    write_key: str | None = None
    """The credential in the body itself, for clients that send no header."""

    def __len__(self) -> int:
        return len(self.cuts)

    @property
    def items(self) -> list[Item]:
        """Each event's text with its fields."""
        return [(self.cuts.raw(at), self._body(at)) for at in range(len(self))]

    def _body(self, at: int) -> Body:
        found = self.bodies.get(at)
        if found is None:
            found = decode_body(self.cuts.raw(at))
            found.type = TYPES[self.cuts.kinds[at]]
        return found

    def nameless(self) -> list[int]:
        """The places of the events without a message id, in order."""
        absent = self.cuts.plain & (self.cuts.spans[:, MESSAGE, 1] == 0)
        odd = [at for at, body in self.bodies.items() if text_of(body.messageId) is None]
        return sorted([*np.flatnonzero(absent).tolist(), *odd])

    def name(self, places: Sequence[int], names: Sequence[str]) -> None:
        """Give message ids to events."""
        plain = [(at, name) for at, name in zip(places, names, strict=True) if at not in self.bodies]
        for at, name in zip(places, names, strict=True):
            if at in self.bodies:
                self.bodies[at].messageId = name
        if plain:
            cuts, beside = self.cuts.own(), Beside(self.cuts.text)
            cuts.spans[[at for at, _ in plain], MESSAGE] = beside.put_all(
                [name.encode() for _, name in plain]
            )
            self.cuts = cuts.beside(beside)


def gathered(parts: Sequence[Decoded]) -> Decoded:
    """The events of several requests as those of one; what was set aside is left with each."""
    bodies: dict[int, Body] = {}
    first = 0
    for part in parts:
        bodies.update((first + at, body) for at, body in part.bodies.items())
        first += len(part)
    return Decoded(joined([part.cuts for part in parts]), bodies)


class _Envelope(msgspec.Struct, gc=False):
    batch: list[msgspec.Raw]
    sentAt: Any = None  # noqa: N815 -- spelled as clients send it
    writeKey: Any = None  # noqa: N815
    context: msgspec.Raw = msgspec.Raw(b"")
    integrations: msgspec.Raw = msgspec.Raw(b"")


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def decode_events(raws: Sequence[bytes]) -> Decoded:
    """Some events' JSON texts."""
    return looked_at(cut_texts(raws))


def looked_at(cuts: Cuts) -> Decoded:
    """Events as they were cut; those that are not plain are decoded one by one."""
    if not is_utf8(cuts.text):
        cuts = cuts.all_odd()
    odd = np.flatnonzero(~cuts.plain).tolist()
    decoded, anew, kept = Decoded(cuts), {}, np.ones(len(cuts), np.bool_)
    for place, raw in zip(odd, cuts.raws(odd), strict=True):
        found = read_event(raw)
        if isinstance(found, Rejected):
            decoded.rejected.append(replace(found, place=place))
            kept[place] = False
            continue
        text, decoded.bodies[place] = without_write_key(found[0])
        decoded.mended += found[1]
        if text is not raw:
            anew[place] = text
    if anew:
        beside, own = Beside(cuts.text), cuts.own()
        own.spans[list(anew), RAW] = beside.put_all(list(anew.values()))
        decoded.cuts = own.beside(beside)
    return _thinned(decoded, kept) if decoded.rejected else decoded


def _thinned(decoded: Decoded, kept: NDArray[np.bool_]) -> Decoded:
    """Without the events that are set aside."""
    now = (np.cumsum(kept) - 1).tolist()
    decoded.cuts = decoded.cuts.where(kept)
    decoded.bodies = {now[place]: body for place, body in decoded.bodies.items()}
    decoded.places = np.flatnonzero(kept).tolist()
    return decoded


def of_items(items: Sequence[Item]) -> Decoded:
    """Events that were decoded already."""
    cuts = cut_texts([raw for raw, _ in items]).all_odd()
    return Decoded(cuts, {at: body for at, (_, body) in enumerate(items)})


def decode_single(body: bytes, kind: str) -> Decoded:
    """One event whose type the path tells, whatever its own ``type`` says."""
    _bounded(body)
    if kind in PLAIN_TYPES and is_utf8(body):
        cuts = cut_texts([body], TYPES.index(kind))
        if cuts.plain.all():
            return Decoded(cuts)
    return _single_by_hand(body, kind)


def _single_by_hand(body: bytes, kind: str) -> Decoded:
    found = read_event(body)
    if isinstance(found, Rejected):
        if found.code in (reject.EVENT_TOO_LARGE, reject.TOO_DEEP):
            aside = replace(found, raw=whole(found.raw, kind))
            return replace(of_items([]), rejected=[aside], write_key=_key_within(body))
        raise no_envelope(reject.BODY_NOT_JSON, found.message, found.hint)
    (raw, event), mended = found
    event.type = kind
    decoded = of_items([without_write_key((raw, event))])
    decoded.mended = mended
    decoded.write_key = _key_within(raw)
    return decoded


def _key_within(event: bytes) -> str | None:
    """The credential in an event itself, as far as that can be read."""
    if b'"writeKey"' not in event:
        return None
    try:
        value = load(event)
    except (ValueError, RecursionError):
        return None
    return _key(value.get("writeKey")) if isinstance(value, dict) else None


def decode_batch(body: bytes) -> Decoded:
    """Every event of a batch, judged alone; E501 or E502 when it is no batch, E503 or E504 when too large."""
    _bounded(body)
    return _plain_batch(body) or _odd_batch(body)


def _plain_batch(body: bytes) -> Decoded | None:
    """A batch whose envelope is in the ordinary spelling; None for another one."""
    found = cut_body(body, BATCH_EVENTS_MAX)
    if found is None or not is_utf8(body):
        return None
    cuts, sent, key = found
    sent_at = UNREAD if sent is None else read_time(sent)
    if sent is not None and sent_at == UNREAD:
        return None
    decoded = looked_at(cuts)
    decoded.write_key = _key(key)
    if sent is not None:
        times = decoded.cuts.times[:, SENT]
        times[times == UNREAD] = sent_at
        for event in decoded.bodies.values():
            if event.sentAt is None:
                event.sentAt = sent
    return decoded


def _odd_batch(body: bytes) -> Decoded:
    envelope, raws = _opened(body)
    decoded = decode_events(raws)
    shared = {
        name: text
        for name, text in (("context", envelope.context), ("integrations", envelope.integrations))
        if bytes(text)[:1] == b"{" and bytes(text) != b"{}"
    }
    if shared or envelope.sentAt is not None:
        items = [under(item, shared) if shared else item for item in decoded.items]
        for _, event in items:
            if event.sentAt is None:
                event.sentAt = envelope.sentAt
        found = of_items(items)
        decoded.cuts, decoded.bodies = found.cuts, found.bodies
    decoded.write_key = _key(envelope.writeKey)
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

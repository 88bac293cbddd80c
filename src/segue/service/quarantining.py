"""Replay of events that were set aside: one, mended perhaps, or all that were for one reason."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from segue.domain.errors import Diagnostic, SegueError, refusal
from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.ingest.decode import decode_events
from segue.ingest.intake import Taken
from segue.ingest.mend import dump, load
from segue.ingest.reject import Rejected
from segue.ingest.tally import Tally
from segue.ingest.times import UNREAD, corrected, read_times
from segue.ingest.validate import text_of
from segue.log.quarantine import Held
from segue.service.core import Core
from segue.service.counting import counts_of

AT_ONCE = 500


@dataclass(slots=True)
class Replay:
    """What became of events that were set aside, by number: taken in (or there already), or bad still."""

    tally: Tally = field(default_factory=Tally)
    taken: list[int] = field(default_factory=list)
    still: list[int] = field(default_factory=list)

    def to_json(self) -> dict[str, Json]:
        """The counts."""
        return {
            "replayed": len(self.taken), "still": len(self.still),
            "accepted": self.tally.accepted, "duplicate": self.tally.duplicate,
        }  # fmt: skip


def replayed(core: Core, held: Held, mended: bytes | None) -> tuple[Tally, Future[None]]:
    """Take in one event again; SegueError with the reason when it is still bad. Hold the gate."""
    require_open(held)
    raw = held.event.raw if mended is None else mended
    taken, refused = _accepted(core, held.event.source, [_again(held, raw)])
    if refused:
        core.intake.take_back()
        raise SegueError(*(Diagnostic(each.code, each.message, each.hint) for each in refused.values()))
    return taken.tally, _append(core, held.event.source, taken)


def require_open(held: Held) -> None:
    """E798 when the event was taken in before: a second time it would count twice."""
    if held.state == "replayed":
        hint = "send what is new as an event of its own, under its own messageId"
        raise refusal("E798", f"the quarantined event {held.id} was taken in already", hint)


def replay_all(core: Core, code: str) -> Replay:
    """Take in all open events that were set aside for one reason, as they were sent."""
    whole, after = Replay(), 0
    while page := core.log.quarantine_list("open", after, AT_ONCE):
        after = page[-1].id
        of_code = [held for held in page if held.event.code == code]
        for source in sorted({held.event.source for held in of_code}):
            _replay(core, source, [held for held in of_code if held.event.source == source], whole)
    return whole


def _replay(core: Core, source: str, held: Sequence[Held], whole: Replay) -> None:
    raws = [_again(each, each.event.raw) for each in held]
    with core.gate:
        taken, refused = _accepted(core, source, raws)
        if refused:
            # What is refused again must not be counted again.
            core.intake.take_back()
            taken, _ = _accepted(core, source, [raw for at, raw in enumerate(raws) if at not in refused])
        done = _append(core, source, taken)
    done.result()
    good = [each.id for at, each in enumerate(held) if at not in refused]
    core.log.quarantine_mark(good, "replayed")
    whole.tally.add(taken.tally)
    whole.taken += good
    whole.still += [held[at].id for at in sorted(refused)]


def _accepted(core: Core, source: str, raws: Sequence[bytes]) -> tuple[Taken, dict[int, Rejected]]:
    """What the intake says of some events, and those it refuses by their place."""
    decoded = decode_events(raws)
    places = range(len(raws)) if decoded.places is None else decoded.places
    refused = {each.place or 0: each for each in decoded.rejected}
    received = None if core.clock == "log" else core.stamp()
    taken = core.intake.accept(decoded, source, core.log.next_seq, received)
    refused |= {places[each.place or 0]: each for each in taken.rejected}
    return taken, refused


def _append(core: Core, source: str, taken: Taken) -> Future[None]:
    batches = [taken.batch] if len(taken.batch) else []
    return core.append(batches, (), counts_of(core.day(), source, taken.tally, ()))


def _again(held: Held, raw: bytes) -> bytes:
    """What is taken in for an event: of its own time, and under one id however often it is tried."""
    return _named(as_of_receipt(raw, held.event.received_at), held)


def _named(raw: bytes, held: Held) -> bytes:
    """The event with a message id: its own, else one that no other event has, here or in another log."""
    event = _object(raw)
    if event is None or text_of(event.get("messageId")) is not None:
        return raw
    sent = b"%d %d " % (held.id, held.event.received_at) + held.event.raw
    return dump({**event, "messageId": hashlib.blake2b(sent, digest_size=16).hexdigest()})


def _object(raw: bytes) -> dict[str, Json] | None:
    try:
        event = load(raw)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def as_of_receipt(raw: bytes, received_at: int) -> bytes:
    """The event with the time that it had when it was received, in ms: a replay must not move it.

    A clock that was wrong then is corrected by that receipt, and an event without a time happened then.
    """
    event = _object(raw)
    if event is None:
        return raw
    stated = [event.get(name) for name in ("timestamp", "originalTimestamp", "sentAt")]
    timestamp, original, sent = (read_times([value])[0] for value in stated)
    first, other = (timestamp, original) if sent == UNREAD else (original, timestamp)
    happened = other if first == UNREAD else first
    if happened == UNREAD:
        happened = received_at
    elif sent != UNREAD:
        happened = int(corrected(*(np.array([each], np.int64) for each in (happened, sent, received_at)))[0])
    if sent == UNREAD and timestamp == happened:
        return raw
    event.pop("sentAt", None)
    return dump({**event, "timestamp": format_instant(int(happened))})

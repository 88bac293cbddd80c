"""The door: events as decoded become a batch that the log can take, each event looked at once.

    validate → when → seen before? → whose → batch

A bad event drops out alone, with its reason. What the intake learned is taken back as a whole when the
log could not take the batch, so that a sender who tries again is not told that we have it already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segue.domain.limits import DEDUPE_MS, LATE_MS
from segue.ingest import reject
from segue.ingest.columns import Columns, PlainNames
from segue.ingest.dedupe import EVER, Seen
from segue.ingest.identity import Discoveries, Identity, anonymous_profile
from segue.ingest.mend import Item
from segue.ingest.planned.holding import count
from segue.ingest.planned.plan import TrackingPlan
from segue.ingest.reject import Rejected
from segue.ingest.tally import Tally
from segue.ingest.times import UNREAD, clamped, corrected, read_times
from segue.log.batch import EventBatch

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]


@dataclass(slots=True)
class Taken:
    """What became of some events: the batch to append (perhaps empty), those set aside, the counts."""

    batch: EventBatch
    rejected: list[Rejected]
    tally: Tally


def fingerprints(source: str, message_ids: Sequence[str]) -> tuple[U64, U64]:
    """:func:`segue.log.fingerprint.fingerprint` of many ids of one source, as two arrays."""
    prefix, md5 = f"{len(source)}:{source}", hashlib.md5
    digests = [md5((prefix + name).encode(), usedforsecurity=False).digest() for name in message_ids]
    halves = np.frombuffer(b"".join(digests), "<u8").reshape(-1, 2)
    return np.ascontiguousarray(halves[:, 0]), np.ascontiguousarray(halves[:, 1])


class Intake:
    """Holds what must be known of the past: who is who, and which events were seen. One thread at a time."""

    def __init__(self, identity: Identity, seen: Seen) -> None:
        self.identity = identity
        self.seen = seen
        self.plan = TrackingPlan({}, "off")
        """What track events are held to; another one may be put here at any time."""
        self._plain = PlainNames()
        self._unsettled: list[Discoveries] = []

    def accept(
        self, items: Sequence[Item], source: str, first_seq: int, received_at: int | None = None
    ) -> Taken:
        """Judge events in their order. ``received_at`` (ms) is the clock when they came in over the wire.

        None is an import: rows keep their own ``receivedAt``, else their timestamp stands for it, there
        is no correction of clocks, and a repetition is looked for in the whole log.
        """
        tally = Tally(rows=len(items))
        columns = Columns(items)
        verdicts = columns.validate(self.identity, self._plain, tally)
        timestamps, received = _times(columns, verdicts, received_at, tally)
        if not self.plan.rests:
            columns.hold_to(self.plan, verdicts, tally)
        rejected = [replace(found, place=at) for at, found in enumerate(verdicts) if found is not None]
        tally.quarantined = len(rejected)
        if rejected:
            kept = np.array([verdict is None for verdict in verdicts], np.bool_)
            columns.keep(kept)
            timestamps, received = timestamps[kept], received[kept]
        batch = self._batch(columns, timestamps, received, source, first_seq, received_at is None, tally)
        tally.accepted = len(batch)
        return Taken(batch, rejected, tally)

    def settle(self) -> None:
        """All that was accepted so far is durable."""
        self.seen.settle()
        self._unsettled.clear()

    def note(self, found: Discoveries) -> None:
        """Something will be learned about identity that is not durable yet."""
        self._unsettled.append(found)

    def take_back(self) -> None:
        """Nothing since the last :meth:`settle` is durable: be as before it."""
        self.seen.take_back()
        while self._unsettled:
            self.identity.take_back(self._unsettled.pop())

    def _batch(
        self,
        columns: Columns,
        timestamps: I64,
        received: I64,
        source: str,
        first_seq: int,
        imported: bool,
        tally: Tally,
    ) -> EventBatch:
        high, low = fingerprints(source, columns.message_ids)
        fresh = ~self.seen.seen_many(high, low, received, EVER if imported else DEDUPE_MS)
        tally.duplicate = len(fresh) - int(fresh.sum())
        allowed = fresh & self._allowed(columns, timestamps)
        tally.refused = int((fresh & ~allowed).sum())
        if not allowed.all():
            columns.keep(allowed)
            timestamps, received = timestamps[allowed], received[allowed]
        tally.late = int((received - timestamps > LATE_MS).sum())
        count(filter(None, columns.warned), tally)
        found = Discoveries()
        self.note(found)
        rows = self._rows(columns, found)
        return EventBatch(
            first_seq, source, rows, columns.kinds, columns.names, timestamps.tolist(), received.tolist(),
            columns.message_ids, columns.groups, columns.raws, columns.bodies,
            found.created, found.links, found.aliases, found.merges,
        )  # fmt: skip

    def _allowed(self, columns: Columns, timestamps: I64) -> NDArray[np.bool_]:
        """False for the events of a forgotten id from before the forgetting."""
        allowed = np.ones(len(columns), np.bool_)
        if not self.identity.forgotten:
            return allowed
        for at, when in enumerate(timestamps.tolist()):
            user, visitor, previous = columns.users[at], columns.anonymous[at], columns.previous[at]
            owner = user if user is not None else anonymous_profile(visitor or "")
            named = [owner] if previous is None else [owner, previous, anonymous_profile(previous)]
            allowed[at] = not any(self.identity.refuses(name, when) for name in named)
        return allowed

    def _rows(self, columns: Columns, found: Discoveries) -> list[int]:
        known, seen, into = self.identity.rows.get, self.identity.seen.get, self.identity.into
        resolve = self.identity.resolve
        rows: list[int] = []
        taken = rows.append
        who = zip(columns.users, columns.anonymous, columns.previous, strict=True)
        for at, (user, visitor, previous) in enumerate(who):
            row = known(user) if user is not None else None
            if row is not None and previous is None:
                row = into[row]
                if visitor is None:
                    taken(row)
                    continue
                last = seen(visitor)
                if last is not None and into[last] == row:
                    taken(row)
                    continue
            taken(resolve(user, visitor, previous, at, found))
        return rows


def _times(
    columns: Columns, verdicts: list[Rejected | None], received_at: int | None, tally: Tally
) -> tuple[I64, I64]:
    """(timestamp, receivedAt) of every event; adds the verdict on those that have none or one before 1970."""
    timestamps, unread = _read(columns, "timestamp")
    originals, unread_originals = _read(columns, "originalTimestamp")
    tally.unparsed_timestamp += unread + unread_originals
    if received_at is None:
        timestamps = _first(timestamps, originals)
        stamped, _ = _read(columns, "receivedAt")
        received = _first(stamped, timestamps)
        _refuse(columns, verdicts, received == UNREAD, reject.NO_TIME)
    else:
        received = np.full(len(columns), received_at, np.int64)
        sent, unread_sent = _read(columns, "sentAt")
        tally.unparsed_timestamp += unread_sent
        both = _first(originals, timestamps)
        timestamps = np.where(sent == UNREAD, _first(timestamps, originals), corrected(both, sent, received))
    timestamps = _first(timestamps, received)
    _refuse(columns, verdicts, np.minimum(timestamps, received) < 0, reject.BEFORE_1970)
    timestamps, clamps = clamped(timestamps, received)
    tally.future_clamped += clamps
    return timestamps, received


def _read(columns: Columns, field: str) -> tuple[I64, int]:
    """One time of every event, and how many say something that is no time."""
    values = columns.sent(field)
    absent = values.count(None)
    if absent == len(values):
        return np.full(len(values), UNREAD, np.int64), 0
    times = read_times(values)
    return times, int((times == UNREAD).sum()) - absent


def _first(times: I64, others: I64) -> I64:
    return np.where(times == UNREAD, others, times)


def _refuse(columns: Columns, verdicts: list[Rejected | None], where: NDArray[np.bool_], code: str) -> None:
    for at in np.flatnonzero(where).tolist():
        if verdicts[at] is None:
            body = columns.bodies[at]
            shown = body.timestamp if body.timestamp is not None else body.originalTimestamp
            verdicts[at] = Rejected(code, f"the timestamp is {shown!r}", columns.raws[at])

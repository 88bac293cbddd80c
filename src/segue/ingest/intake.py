"""The door: events as decoded become a batch that the log can take, each event looked at once.

    validate → when → seen before? → whose → batch

A bad event drops out alone, with its reason. What the intake learned is taken back as a whole when the
log could not take the batch, so that a sender who tries again is not told that we have it already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segue.domain.event import TYPES
from segue.domain.limits import DEDUPE_MS, LATE_MS
from segue.ingest import reject
from segue.ingest.columns import Columns, Names
from segue.ingest.decode import Decoded
from segue.ingest.dedupe import EVER, Seen
from segue.ingest.holding import count
from segue.ingest.identity import NEVER_AGAIN, Discoveries, Identity, anonymous_profile
from segue.ingest.mend import whole
from segue.ingest.planned.plan import TrackingPlan
from segue.ingest.reject import Rejected
from segue.ingest.suppression import let_go
from segue.ingest.tally import Tally
from segue.ingest.times import UNREAD, clamped, corrected
from segue.ingest.validate import excerpt
from segue.log.batch import EventBatch, LazyBodies
from segue.log.columns import Ints, Picked, Slices
from segue.log.lane.digest import fingerprints
from segue.log.lane.event import ANONYMOUS, MESSAGE, ORIGINAL, RAW, RECEIVED, SENT, TIMESTAMP, USER

I64 = NDArray[np.int64]


@dataclass(slots=True)
class Taken:
    """What became of some events: the batch to append (perhaps empty), those set aside, the counts."""

    batch: EventBatch
    rejected: list[Rejected]
    tally: Tally


class Intake:
    """Holds what must be known of the past: who is who, and which events were seen. One thread at a time."""

    def __init__(self, identity: Identity, seen: Seen) -> None:
        self.identity = identity
        self.seen = seen
        self.plan = TrackingPlan({}, "off")
        """What track events are held to; another one may be put here at any time."""
        self._names = Names()
        self._unsettled: list[Discoveries] = []

    def accept(
        self,
        decoded: Decoded,
        source: str,
        first_seq: int,
        received_at: int | None = None,
        now: int | None = None,
    ) -> Taken:
        """Judge events in their order. ``received_at`` (ms) is the clock when they came in over the wire.

        None is an import: rows keep their own ``receivedAt``, else their timestamp stands for it, there
        is no correction of clocks, and a repetition is looked for in the whole log. What has no time at
        all then happens ``now``, where there is such a moment.
        """
        tally = Tally(rows=len(decoded))
        columns = Columns(decoded)
        columns.judge(tally)
        timestamps, received = _times(columns, received_at, now, tally)
        if not self.plan.rests:
            columns.hold_to(self.plan, self._names.of(columns.cuts), tally)
        rejected = [
            replace(
                found, place=at, raw=whole(found.raw, columns.kind(at), int(columns.cuts.times[at, SENT]))
            )
            for at, found in sorted(columns.verdicts.items())
        ]
        if rejected:
            kept = np.ones(len(columns), np.bool_)
            kept[list(columns.verdicts)] = False
            columns.keep(kept)
            timestamps, received = timestamps[kept], received[kept]
        rejected = let_go(self.identity, rejected, tally)
        tally.quarantined = len(rejected)
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
        high, low = fingerprints(source, columns.cuts.text, *columns.cuts.bounds(MESSAGE))
        fresh = ~self.seen.seen_many(high, low, received, EVER if imported else DEDUPE_MS)
        tally.duplicate = len(fresh) - int(fresh.sum())
        allowed = self._allowed(fresh, columns, timestamps, tally)
        if not allowed.all():
            columns.keep(allowed)
            timestamps, received = timestamps[allowed], received[allowed]
        tally.late = int((received - timestamps > LATE_MS).sum())
        count(columns.warned.values(), tally)
        found = Discoveries()
        self.note(found)
        rows = self._rows(columns, found)
        cuts, groups = columns.cuts, columns.groups
        raws = Slices(cuts.text, *cuts.bounds(RAW), bytes)
        return EventBatch(
            first_seq, source, Ints(np.array(rows, np.int32)), Picked(cuts.kinds, TYPES),
            self._names.of(cuts), Ints(timestamps), Ints(received),
            Slices(cuts.text, *cuts.bounds(MESSAGE), bytes.decode),
            [groups.get(at) for at in range(len(cuts))] if groups else [None] * len(cuts),
            raws, LazyBodies(raws), found.created, found.links, found.aliases, found.merges, cuts,
        )  # fmt: skip

    def _allowed(
        self, fresh: NDArray[np.bool_], columns: Columns, timestamps: I64, tally: Tally
    ) -> NDArray[np.bool_]:
        """Those that are fresh, without those of a suppressed id, or of a forgotten one from before that."""
        if not self.identity.bars:
            return fresh
        bound_of = self.identity.bound_of
        who = zip(columns.texts(USER), columns.texts(ANONYMOUS), strict=True)
        bounds = np.array(
            [bound_of(anonymous_profile(visitor or "") if user is None else user) for user, visitor in who],
            np.int64,
        )
        for at, previous in columns.previous.items():
            named = (bound_of(previous), bound_of(anonymous_profile(previous)))
            bounds[at] = max(int(bounds[at]), *named)
        allowed: NDArray[np.bool_] = fresh & (timestamps >= bounds)
        tally.suppressed += int((fresh & (bounds == NEVER_AGAIN)).sum())
        tally.refused += int((fresh & ~allowed & (bounds != NEVER_AGAIN)).sum())
        return allowed

    def _rows(self, columns: Columns, found: Discoveries) -> Sequence[int] | NDArray[np.int32]:
        """Whose each event is, in order. What is known needs no look at what else there is to learn."""
        identity, previous, cuts = self.identity, columns.previous, columns.cuts
        if not previous and not cuts.spans[:, ANONYMOUS, 1].any():
            return identity.rows_of_users(cuts.text, *cuts.bounds(USER), found)
        known, seen, into = identity.rows.get, identity.seen.get, identity.into
        users = columns.texts(USER)
        rows: list[int] = []
        for at, (user, visitor) in enumerate(zip(users, columns.texts(ANONYMOUS), strict=True)):
            last = None if visitor is None else seen(visitor)
            row = last if user is None else known(user)
            if row is not None and at not in previous:
                row = into[row]
                if visitor is None or (last is not None and into[last] == row):
                    rows.append(row)
                    continue
            rows.append(identity.resolve(user, visitor, previous.get(at), at, found))
        return rows


def _times(columns: Columns, received_at: int | None, now: int | None, tally: Tally) -> tuple[I64, I64]:
    """(timestamp, receivedAt) of every event; adds the verdict on those that have none or one before 1970."""
    stated = columns.cuts.times
    timestamps, originals = stated[:, TIMESTAMP], stated[:, ORIGINAL]
    tally.unparsed_timestamp += columns.unread[TIMESTAMP] + columns.unread[ORIGINAL]
    if received_at is None:
        timestamps = _first(timestamps, originals)
        received = _first(stated[:, RECEIVED], timestamps)
        if now is not None:
            received = np.where(received == UNREAD, now, received)
        _refuse(columns, received == UNREAD, reject.NO_TIME)
    else:
        received = np.full(len(columns), received_at, np.int64)
        sent = stated[:, SENT]
        tally.unparsed_timestamp += columns.unread[SENT]
        both = _first(originals, timestamps)
        timestamps = np.where(sent == UNREAD, _first(timestamps, originals), corrected(both, sent, received))
    timestamps = _first(timestamps, received)
    _refuse(columns, np.minimum(timestamps, received) < 0, reject.BEFORE_1970)
    timestamps, clamps = clamped(timestamps, received)
    tally.future_clamped += clamps
    return timestamps, received


def _first(times: I64, others: I64) -> I64:
    return np.where(times == UNREAD, others, times)


def _refuse(columns: Columns, where: NDArray[np.bool_], code: str) -> None:
    for at in np.flatnonzero(where).tolist():
        if at not in columns.verdicts:
            body = columns.body(at)
            shown = body.timestamp if body.timestamp is not None else body.originalTimestamp
            columns.verdicts[at] = Rejected(code, f"the timestamp is {excerpt(shown)}", columns.cuts.raw(at))

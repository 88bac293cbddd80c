"""History at kernel speed: plain events become operations by the array.

What needs the feed's own knowledge (identities that join, traits, accounts, timestamps still to
come) goes through the feed event by event; both kinds are put together again in log order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt

from segue.domain.event import Event
from segue.engine.feeding.assemble import Arrays, assembled
from segue.engine.feeding.feed import Feed
from segue.engine.feeding.portion import Frame, FrameReader, slots_of
from segue.engine.kernel import layout as k
from segue.log.scan import Portion
from segue.log.shape import PLAIN

AT_ONCE = 250_000
"""Events in one batch; bounds the memory of a replay."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Marks:
    """What some events taught of who is who, by their seq.

    ``merges`` are (absorbed, surviving) rows, ``named`` ids that lead to a row from then on beside its own.
    """

    merges: dict[int, list[tuple[int, int]]]
    named: dict[int, list[tuple[str, int]]]

    def __or__(self, other: Marks) -> Marks:
        """Both."""
        return Marks(self.merges | other.merges, self.named | other.named)


class HistoryReader:
    """Events of the log as kernel batches for one feed.

    ``events`` are portions of the log, in order, or a FROM-able SELECT over all of its events. The
    connection is the reader's own as long as it reads.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, events: str | Sequence[Portion], feed: Feed
    ) -> None:
        self.connection = connection
        self.portions = [Portion(events, PLAIN, 0, k.FAR)] if isinstance(events, str) else list(events)
        self.feed = feed
        self.frames = FrameReader(connection, feed.compiled.codes)

    def batches(
        self,
        first: int,
        last: int,
        marks: Marks,
        received_until: int | None = None,
    ) -> Iterator[k.Batch]:
        """Batches of the events with ``first <= seq <= last``, received by ``received_until`` (ms)."""
        for portion in self.portions:
            end = min(last, portion.last)
            for start in range(max(first, portion.first), end + 1, AT_ONCE):
                where = _where(start, min(end, start + AT_ONCE - 1), received_until)
                batch = self._batch(portion, where, marks)
                if batch is not None:
                    yield batch

    def _batch(self, portion: Portion, where: str, marks: Marks) -> k.Batch | None:
        frame = self.frames.read(portion, where)
        if not len(frame):
            return None
        seqs, rows = frame.seqs, frame.rows
        now = np.maximum(np.maximum.accumulate(frame.received), self.feed.now)
        created = self.feed.first_seen(rows)
        if self.feed.falls_due(int(now[-1])) or (frame.timestamps > now).any():
            self.feed.known[rows[created]] = False
            self._slowly(portion, where, marks)
            return self.feed.take_batch()
        special = np.isin(seqs, list(marks.merges))
        if self.feed.asks_what_is_given:
            special |= frame.given
        if self.feed.awaits_profiles:
            special |= np.isin(seqs, list(marks.named))
            special[created] |= np.array([self.feed.is_awaited(row) for row in rows[created].tolist()], bool)
        if special.any():
            chosen = ", ".join(map(str, seqs[special].tolist()))
            at = dict(zip(seqs[special].tolist(), now[special].tolist(), strict=True))
            self.feed.known[rows[created & special]] = False
            self._slowly(portion, f"{where} AND seq IN ({chosen})", marks, at)
        slow = self.feed.take_batch()
        plain = self._plain(frame, now, ~special)
        begun = created & ~special
        built = assembled(seqs[begun], rows[begun], now[begun], plain, slow)
        self.feed.reached(int(now[-1]))
        return built

    def _slowly(
        self,
        portion: Portion,
        where: str,
        marks: Marks,
        now: dict[int, int] | None = None,
    ) -> None:
        """Show events to the feed one by one."""
        query = (
            'SELECT seq, "row", type, name, timestamp, received_at, properties, context, traits, group_id'
            f" FROM {portion.events} e WHERE {where} ORDER BY seq"
        )
        decode = msgspec.json.decode
        for (
            seq,
            row,
            type_,
            name,
            at,
            received,
            properties,
            context,
            traits,
            group,
        ) in self.connection.execute(query).fetchall():
            if now is not None:
                self.feed.reached(now[seq])
            event = Event(
                seq,
                row,
                type_,
                name,
                at,
                received,
                decode(properties),
                decode(context),
                decode(traits),
                group,
            )
            self.feed.event(event, marks.merges.get(seq, ()), marks.named.get(seq, ()))

    def _plain(self, frame: Frame, now: k.Ints, plain: Mask) -> list[Arrays]:
        """The plain events of each code, with their slots side by side."""
        zone = self.feed.compiled.rules.zone
        numbers = np.where(plain, frame.codes, -1)
        order = np.argsort(numbers, kind="stable")
        ordered = numbers[order]
        found = []
        for code in self.frames.wanted:
            start, stop = np.searchsorted(ordered, (code.number, code.number + 1))
            if start == stop:
                continue
            at = order[start:stop]
            found.append(
                {
                    "seq": frame.seqs[at],
                    "row": frame.rows[at],
                    "timestamp": frame.timestamps[at],
                    "now": now[at],
                    "code": code.number,
                    "slots": slots_of(code, frame, at, zone),
                }
            )
        return found


def _where(first: int, last: int, until: int | None) -> str:
    bound = "" if until is None else f" AND received_at <= {until}"
    return f"seq BETWEEN {first} AND {last}{bound}"

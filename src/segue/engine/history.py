"""History at kernel speed: DuckDB reads the columns, and plain events become operations by the array.

What needs the feed's own knowledge (identities that join, traits, accounts, timestamps still to
come) goes through the feed event by event; both kinds are put together again in log order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import msgspec
import numpy as np

from segue.domain.event import Event
from segue.engine.assemble import Arrays, assembled
from segue.engine.codes import Code
from segue.engine.feed import Feed
from segue.engine.kernel import layout as k
from segue.engine.readings import Reading, identity_of
from segue.language.sql import property_sql, scalar_sql, where_sql
from segue.language.tree import Compare, In, Kind, Match, Presence, Property

AT_ONCE = 250_000
"""Events in one batch; bounds the memory of a replay."""


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
    """Events of the log as kernel batches for one feed; ``events`` is a FROM-able SELECT over them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, events: str, feed: Feed) -> None:
        self.connection = connection
        self.events = events
        self.feed = feed
        self.codes = [code for code in feed.compiled.codes.all if code.links]

    def batches(
        self,
        first: int,
        last: int,
        marks: Marks,
        received_until: int | None = None,
    ) -> Iterator[k.Batch]:
        """Batches of the events with ``first <= seq <= last``, received by ``received_until`` (ms)."""
        for start in range(first, last + 1, AT_ONCE):
            batch = self._batch(start, min(last, start + AT_ONCE - 1), marks, received_until)
            if batch is not None:
                yield batch

    def _where(self, first: int, last: int, until: int | None) -> str:
        bound = "" if until is None else f" AND received_at <= {until}"
        return f"seq BETWEEN {first} AND {last}{bound}"

    def _fetch(self, what: str, where: str) -> Arrays:
        found = self.connection.execute(f"SELECT {what} FROM {self.events} e WHERE {where} ORDER BY seq")
        return found.fetchnumpy()

    def _batch(self, first: int, last: int, marks: Marks, until: int | None) -> k.Batch | None:
        where = self._where(first, last, until)
        times = self._fetch(
            "seq, \"row\", timestamp, received_at, type IN ('identify', 'group') AS given", where
        )
        seqs, rows = np.asarray(times["seq"], np.int64), np.asarray(times["row"], np.int32)
        if not len(seqs):
            return None
        received = np.asarray(times["received_at"], np.int64)
        now = np.maximum(np.maximum.accumulate(received), self.feed.now)
        created = self.feed.first_seen(rows)
        ahead = np.asarray(times["timestamp"], np.int64) > now
        if ahead.any() or self.feed.waiting:
            self.feed.known[rows[created]] = False
            self._slowly(where, marks)
            return self.feed.take_batch()
        special = np.asarray(times["given"], bool) | np.isin(seqs, list(marks.merges))
        if self.feed.awaits_profiles:
            special |= np.isin(seqs, list(marks.named))
            special[created] |= np.array([self.feed.is_awaited(row) for row in rows[created].tolist()], bool)
        if special.any():
            chosen = ", ".join(map(str, seqs[special].tolist()))
            at = dict(zip(seqs[special].tolist(), now[special].tolist(), strict=True))
            self.feed.known[rows[created & special]] = False
            self._slowly(f"{where} AND seq IN ({chosen})", marks, at)
        slow = self.feed.take_batch()
        plain = self._plain(where, seqs, now, special)
        begun = created & ~special
        built = assembled(seqs[begun], rows[begun], now[begun], plain, slow)
        self.feed.reached(int(now[-1]))
        return built

    def _slowly(
        self,
        where: str,
        marks: Marks,
        now: dict[int, int] | None = None,
    ) -> None:
        """Show events to the feed one by one."""
        query = (
            'SELECT seq, "row", type, name, timestamp, received_at, properties, context, traits, group_id'
            f" FROM {self.events} e WHERE {where} ORDER BY seq"
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

    def _plain(self, where: str, seqs: k.Ints, now: k.Ints, special: Any) -> list[Arrays]:
        """The events of each code that are not special, with their slots side by side."""
        found = []
        for code in self.codes:
            arrays = self._of_code(code, where)
            places = np.asarray(np.searchsorted(seqs, arrays["seq"]))
            keep = ~special[places]
            arrays = {name: column[keep] for name, column in arrays.items()}
            arrays["now"] = now[places[keep]]
            arrays["code"] = code.number
            found.append(arrays)
        return found

    def _of_code(self, code: Code, where: str) -> Arrays:
        chosen, tests = self._selected(code)
        fetched = self._fetch(f'seq, "row", timestamp{chosen}', f"{where} AND {self._is_code(code)}")
        count = len(fetched["seq"])
        slots = np.zeros((count, code.width), np.int64)
        for place in range(tests):
            answers = np.asarray(fetched[f"t{place}"], np.int64)
            slots[:, place // 63] |= answers << (place % 63)
        for place, slot in enumerate(code.slots):
            slots[:, code.test_words + place] = _read(fetched, place, slot.reading, count)
        return {
            "seq": np.asarray(fetched["seq"], np.int64),
            "row": np.asarray(fetched["row"], np.int32),
            "timestamp": np.asarray(fetched["timestamp"], np.int64),
            "slots": slots,
        }

    def _is_code(self, code: Code) -> str:
        if code.name is not None:
            return f"type = '{code.type}' AND name = {_quoted(code.name)}"
        others = [
            other.name for other in self.feed.compiled.codes.all if other.type == code.type and other.name
        ]
        excluded = ", ".join(_quoted(name) for name in others)
        return f"type = '{code.type}'" + (
            f" AND (name IS NULL OR name NOT IN ({excluded}))" if others else ""
        )

    def _selected(self, code: Code) -> tuple[str, int]:
        zone = self.feed.compiled.rules.zone
        seen = "traits" if code.type in ("identify", "group") else "properties"
        parts = [f"{where_sql(test, seen, 'context', zone)} AS t{n}" for n, test in enumerate(code.tests)]
        for n, slot in enumerate(code.slots):
            if slot.reading.questions:
                parts += [
                    f"{where_sql(_asked_of(question, slot.path), seen, 'context', zone)} AS v{n}_{bit}"
                    for bit, question in enumerate(slot.reading.questions)
                ]
            elif slot.reading.kind is Kind.SCALAR:
                parts.append(f"{scalar_sql(slot.path, seen)} AS v{n}")
            else:
                value = property_sql(slot.path, slot.reading.kind, seen, zone)
                parts.append(f"coalesce({value}, {k.MISSING + 1} - 1) AS v{n}")
        return "".join(f", {part}" for part in parts), len(code.tests)


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _asked_of(
    question: Compare | In | Match | Presence, path: tuple[str, ...]
) -> Compare | In | Match | Presence:
    """A question about a value as a ``where`` condition about a property."""
    value = Property(path)
    match question:
        case Compare():
            return Compare(question.op, value, question.right)
        case In():
            return In(value, question.values, question.negated)
        case Match():
            return Match(question.op, value, question.literal)
    return Presence(value, question.missing)


def _read(fetched: Arrays, place: int, reading: Reading, count: int) -> k.Ints:
    if reading.questions:
        found = np.zeros(count, np.int64)
        for bit in range(len(reading.questions)):
            found |= np.asarray(fetched[f"v{place}_{bit}"], np.int64) << bit
        return found
    column = fetched[f"v{place}"]
    if reading.kind is not Kind.SCALAR:
        return np.asarray(column, np.int64)
    texts = np.ma.filled(column, None) if isinstance(column, np.ma.MaskedArray) else column
    numbers = {text: identity_of(text) for text in set(texts.tolist()) if text is not None}
    numbers[None] = k.MISSING
    return np.fromiter((numbers[text] for text in texts.tolist()), np.int64, count)

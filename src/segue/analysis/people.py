"""Profiles read back from the log, as the plain interpreter wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from itertools import groupby
from typing import Any, Protocol

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt

from segue.domain.event import Event, Json
from segue.language.interpret import Person, Replacement
from segue.log.batch import Merge
from segue.log.identity import Identity
from segue.log.said import Model
from segue.log.sqlite import SqliteLog

Row = int
Accounts = Mapping[str, tuple[Event, ...]]
Progress = Callable[[int, int], None]
"""Takes (events read, events in all)."""

EVENTS_AT_ONCE = 100_000
"""Of one question to DuckDB; a profile with more is still read whole."""
_FETCHED_AT_ONCE = 20_000
_JOINED = "segue_joined"
_NOBODY: Mapping[Row, AbstractSet[str]] = {}
_EMPTY: Mapping[str, Json] = {}
_COLUMNS = 'seq, "row", type, name, timestamp, received_at, properties, context, traits, group_id, message_id'
_decode = msgspec.json.Decoder().decode


class Speech(Protocol):
    """What is said of profiles that are part of no other: by models, and by people in their place."""

    def said_of(self, row: Row, /) -> Mapping[Model, Json]:
        """What models say of a row, by model."""
        ...

    def words_of(self, row: Row, /) -> Mapping[Model, Replacement]:
        """What people say of it in their place, by model."""
        ...


class People:
    """Everyone in a log, up to a position (``upto``, a seq) and as of a moment (``as_of``, ms), inclusive.

    Only events received by ``as_of`` are there, and only the merges that they made. ``lists`` are the lists
    that rows are on; those of absorbed rows follow to the survivor. ``speech`` is what is said of them.
    ``merges`` are those that matter to who is asked for; the log's own, of everyone, unless given. The
    DuckDB connection is the caller's and may be used again for the next ``People``: what was decoded of the
    log's tail stays in it.
    """

    def __init__(
        self,
        log: SqliteLog,
        connection: duckdb.DuckDBPyConnection,
        *,
        upto: int | None = None,
        as_of: int | None = None,
        lists: Mapping[Row, AbstractSet[str]] = _NOBODY,
        speech: Speech | None = None,
        merges: Iterable[Merge] | None = None,
    ) -> None:
        self._log = log
        self._connection = connection
        self._upto = log.next_seq - 1 if upto is None else upto
        self._as_of = as_of
        self._into = self._joined(self._whole.merges if merges is None else merges)
        self._parts: dict[Row, list[Row]] = {}
        for row, whole in self._into.items():
            self._parts.setdefault(whole, []).append(row)
        self._speech = speech
        self._lists: dict[Row, set[str]] = {}
        for row, names in lists.items():
            self._lists.setdefault(self.survivor(row), set()).update(names)

    @property
    def user_ids(self) -> list[str]:
        """The profile id of every row."""
        return self._whole.user_ids

    @cached_property
    def _whole(self) -> Identity:
        return self._log.identity()

    def survivor(self, row: Row) -> Row:
        """The row that holds this row's events, as of the moment."""
        return self._into.get(row, row)

    def rows_of(self, row: Row) -> list[Row]:
        """All rows whose events belong to the same profile as this row's, the survivor first."""
        whole = self.survivor(row)
        return [whole, *self._parts.get(whole, ())]

    def person(self, row: Row) -> Person | None:
        """One profile with all that was received of it; None when nothing was by then."""
        rows = ", ".join(map(str, self.rows_of(row)))
        found = self._select(f'WHERE "row" IN ({rows})')
        events = tuple(event for chunk in found for event in chunk)
        if not events:
            return None
        return self._person(self.survivor(row), events, self._account_events(_groups(events)))

    def everyone(self, progress: Progress | None = None) -> Iterator[tuple[Row, Person]]:
        """Every profile with its surviving row, in order of rows, a bounded number of events at a time.

        ``progress`` hears of the events behind it. Ask this ``People`` nothing else until it is through.
        """
        self._connection.register(_JOINED, self._joined_table())
        try:
            yield from self._everyone(progress)
        finally:
            self._connection.unregister(_JOINED)

    # ---- reading -----------------------------------------------------------------------------

    def _everyone(self, progress: Progress | None) -> Iterator[tuple[Row, Person]]:
        accounts = self._account_events(None)
        ranges = list(self._ranges())
        total = sum(size for _, _, size in ranges)
        done = 0
        for first, last, size in ranges:
            chunks = self._select(f"WHERE whole BETWEEN {first} AND {last} ORDER BY whole, seq", joined=True)
            for whole, owned in groupby((event for chunk in chunks for event in chunk), self._owner):
                yield whole, self._person(whole, tuple(owned), accounts)
            done += size
            if progress is not None:
                progress(done, total)

    def _owner(self, event: Event) -> Row:
        return self._into.get(event.row, event.row)

    def _person(self, row: Row, events: tuple[Event, ...], accounts: Accounts) -> Person:
        own = {group: accounts[group] for group in _groups(events)}
        lists = frozenset(self._lists.get(row, ()))
        if self._speech is None:
            return Person(events, own, lists)
        return Person(events, own, lists, self._speech.said_of(row), dict(self._speech.words_of(row)))

    def _account_events(self, groups: Iterable[str] | None) -> dict[str, tuple[Event, ...]]:
        """The ``group`` events of all profiles by group id; of some groups, or of all (None)."""
        wanted = None if groups is None else sorted(groups)
        if wanted == []:
            return {}
        found: dict[str, list[Event]] = {}
        clause = "WHERE type = 'group' AND group_id IS NOT NULL"
        values: list[Json] = []
        if wanted is not None:
            clause += " AND group_id IN (SELECT unnest(?))"
            values = [wanted]
        for chunk in self._select(clause, values):
            for event in chunk:
                assert event.group_id is not None
                found.setdefault(event.group_id, []).append(event)
        return {group: tuple(events) for group, events in found.items()}

    def _events_sql(self) -> str:
        """What stands after FROM: the events within the bounds."""
        source = self._log.scan(self._connection, 0, self._upto)
        if self._as_of is None:
            return source
        return f"(SELECT * FROM {source} WHERE received_at <= {self._as_of})"

    def _select(
        self, clause: str, values: list[Json] | None = None, joined: bool = False
    ) -> Iterator[list[Event]]:
        source = self._wholes_sql() if joined else self._events_sql()
        found = self._connection.execute(f"SELECT {_COLUMNS} FROM {source} {clause}", values or [])
        while rows := found.fetchmany(_FETCHED_AT_ONCE):
            yield [_event(row) for row in rows]

    def _wholes_sql(self) -> str:
        return (
            '(SELECT e.*, coalesce(j.whole, e."row") AS whole'
            f' FROM {self._events_sql()} e LEFT JOIN {_JOINED} j ON j.part = e."row")'
        )

    def _ranges(self) -> Iterator[tuple[Row, Row, int]]:
        """(first, last surviving row, events) of ranges that are read together, in order."""
        sizes = self._connection.execute(
            f"SELECT whole, count(*) FROM {self._wholes_sql()} GROUP BY whole ORDER BY whole"
        ).fetchnumpy()
        wholes, ends = sizes["whole"], np.cumsum(sizes["count_star()"])
        start = 0
        while start < len(wholes):
            before = int(ends[start - 1]) if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, before + EVENTS_AT_ONCE, "right")))
            yield int(wholes[start]), int(wholes[stop - 1]), int(ends[stop - 1]) - before
            start = stop

    # ---- who is who --------------------------------------------------------------------------

    def _joined(self, merges: Iterable[tuple[int, Row, Row]]) -> dict[Row, Row]:
        """The survivor of each absorbed row, by the merges within the bounds."""
        made = [merge for merge in merges if merge[0] <= self._upto]
        later = self._received_later([seq for seq, _, _ in made])
        into: dict[Row, Row] = {}
        parts: dict[Row, list[Row]] = {}
        for seq, absorbed, survivor in made:
            gone, whole = into.get(absorbed, absorbed), into.get(survivor, survivor)
            if seq in later or gone == whole:
                continue
            moved = [gone, *parts.pop(gone, ())]
            into.update(dict.fromkeys(moved, whole))
            parts.setdefault(whole, []).extend(moved)
        return into

    def _received_later(self, seqs: list[int]) -> set[int]:
        """Which of these events came after the moment."""
        if self._as_of is None or not seqs:
            return set()
        source = self._log.scan(self._connection, 0, self._upto)
        found = self._connection.execute(
            f"SELECT seq FROM {source} WHERE received_at > {self._as_of} AND seq IN (SELECT unnest(?))",
            [seqs],
        )
        return {seq for (seq,) in found.fetchall()}

    def _joined_table(self) -> dict[str, npt.NDArray[np.int32]]:
        return {
            "part": np.fromiter(self._into.keys(), np.int32, len(self._into)),
            "whole": np.fromiter(self._into.values(), np.int32, len(self._into)),
        }


def _event(found: tuple[Any, ...]) -> Event:
    return Event(*(*found[:6], *map(_object, found[6:9]), *found[9:]))


def _groups(events: Iterable[Event]) -> set[str]:
    return {event.group_id for event in events if event.type == "group" and event.group_id is not None}


def _object(text: str) -> Mapping[str, Json]:
    return _EMPTY if text == "{}" else _decode(text)

"""Who is who, as the log keeps it: profiles, anonymous links, aliases, merges."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from segue.log import sums
from segue.log.batch import Alias, Created, EventBatch, Link, Merge, Stretch
from segue.log.columns import ints

_INSERTS = {
    "links": "INSERT INTO links VALUES (?, ?, ?)",
    "aliases": "INSERT INTO aliases VALUES (?, ?, ?)",
    "merges": "INSERT INTO merges VALUES (?, ?, ?)",
}
_SUMMED: Mapping[str, Callable[[Any], Sequence[Any]]] = {
    "links": lambda mark: (mark[2], mark[1], mark[0]),
    "aliases": lambda mark: (mark[2], mark[1], mark[0]),
    "merges": lambda mark: (mark[1], "", mark[0], mark[2]),
}
"""Marks as :mod:`segue.log.sums` takes them."""
_SELECTS = {
    "created": (
        'SELECT created_seq, "row", user_id FROM profiles'
        ' WHERE created_seq BETWEEN ? AND ? ORDER BY created_seq, "row"'
    ),
    "links": "SELECT * FROM links WHERE seq BETWEEN ? AND ? ORDER BY seq",
    "aliases": "SELECT * FROM aliases WHERE seq BETWEEN ? AND ? ORDER BY seq",
    "merges": "SELECT * FROM merges WHERE seq BETWEEN ? AND ? ORDER BY seq",
}


@dataclass(slots=True)
class Marks:
    """What a range of the log did to identity; the places are seqs, in rising order."""

    created: list[Created] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)


class MarkCursor:
    """Gives entries in rising order their share of some marks, without looking at any mark twice."""

    def __init__(self, marks: Marks) -> None:
        self._left: dict[str, list[Any]] = {
            "created": marks.created,
            "links": marks.links,
            "aliases": marks.aliases,
            "merges": marks.merges,
        }
        self._at = dict.fromkeys(self._left, 0)

    def upto(self, last: int) -> Marks:
        """The marks not given yet with ``seq <= last``."""
        return Marks(**{name: self._take(name, last) for name in self._left})

    def _take(self, name: str, last: int) -> list[Any]:
        marks, start = self._left[name], self._at[name]
        stop = start
        while stop < len(marks) and marks[stop][0] <= last:
            stop += 1
        self._at[name] = stop
        return marks[start:stop]


@dataclass(frozen=True, slots=True)
class Identity:
    """Everyone. ``user_ids[row]`` runs over all rows from 0; the rest is in log order.

    A forgotten profile keeps its row; its id is then ``forgotten:<random>``.
    """

    user_ids: list[str]
    links: list[Link]
    aliases: list[Alias]
    merges: list[Merge]


def write(connection: sqlite3.Connection, marks: Marks, created_at: Sequence[int]) -> None:
    """Store marks; ``created_at`` (ms) is beside ``marks.created``, whose rows are the next (ValueError)."""
    if marks.created:
        upcoming = row_count(connection)
        if [row for _, row, _ in marks.created] != list(range(upcoming, upcoming + len(marks.created))):
            raise ValueError(f"new profiles do not begin with row {upcoming} and go on without a gap")
        made = [(row, name, seq, at) for (seq, row, name), at in zip(marks.created, created_at, strict=True)]
        connection.executemany("INSERT INTO profiles VALUES (?, ?, ?, ?)", made)
        sums.add(connection, "profiles", made)
    for table, statement in _INSERTS.items():
        # Of what one event says twice the last word holds.
        rows = list({mark[:2]: mark for mark in getattr(marks, table)}.values())
        if rows:
            connection.executemany(statement, rows)
            sums.add(connection, table, map(_SUMMED[table], rows))


def row_count(connection: sqlite3.Connection) -> int:
    """How many profiles there are; their rows run from 0."""
    found: int = connection.execute('SELECT coalesce(max("row") + 1, 0) FROM profiles').fetchone()[0]
    return found


def of_batch(batch: EventBatch) -> tuple[Marks, list[int]]:
    """The marks of a batch by seq, and when each created profile came to be."""
    first = batch.first_seq
    marks = Marks(
        [(first + at, row, name) for at, row, name in batch.created],
        [(first + at, name, row) for at, name, row in batch.links],
        [(first + at, name, row) for at, name, row in batch.aliases],
        [(first + at, gone, row) for at, gone, row in batch.merges],
    )
    received = ints(batch.received, np.int64)
    return marks, received[[at for at, _, _ in batch.created]].tolist() if batch.created else []


def of_stretch(stretch: Stretch) -> Marks:
    """The marks of a stretch."""
    return Marks(stretch.created, stretch.links, stretch.aliases, stretch.merges)


def read(connection: sqlite3.Connection, first: int, last: int, begun: int) -> Marks:
    """The marks with ``first <= seq <= last``; of the profiles that began, those from ``begun`` on."""
    found = {
        name: connection.execute(sql, (max(first, begun) if name == "created" else first, last)).fetchall()
        for name, sql in _SELECTS.items()
    }
    return Marks(**found)


def attach(batch: EventBatch, marks: Marks) -> None:
    """Give a batch that was read back the marks of its seqs."""
    first = batch.first_seq
    batch.created = [(seq - first, row, name) for seq, row, name in marks.created]
    batch.links = [(seq - first, name, row) for seq, name, row in marks.links]
    batch.aliases = [(seq - first, name, row) for seq, name, row in marks.aliases]
    batch.merges = [(seq - first, gone, row) for seq, gone, row in marks.merges]


def load(connection: sqlite3.Connection) -> Identity:
    """Everyone at once; E603 when that is not what was written."""
    sums.check(connection)
    found = connection.execute('SELECT user_id FROM profiles ORDER BY "row"')
    return Identity(
        user_ids=[user_id for (user_id,) in found],
        links=connection.execute("SELECT * FROM links ORDER BY seq").fetchall(),
        aliases=connection.execute("SELECT * FROM aliases ORDER BY seq").fetchall(),
        merges=connection.execute("SELECT * FROM merges ORDER BY seq").fetchall(),
    )


def user_ids(connection: sqlite3.Connection, rows: Sequence[int]) -> dict[int, str]:
    """The ids of some rows."""
    marks = ",".join(map(str, rows))
    return dict(connection.execute(f'SELECT "row", user_id FROM profiles WHERE "row" IN ({marks})'))

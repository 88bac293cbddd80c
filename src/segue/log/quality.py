"""How many events met which fate, by source and day; written with what is counted: both are kept, or none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from segue.observe import recording

ROWS, KEPT, ERASED = "rows", "kept", "erased"
QUARANTINED, QUARANTINE_ERASED = "quarantined", "quarantine_erased"
NO_DAY = ""
"""Of what was counted for no day and no source: the past of an older file, and erasures."""

_TABLE = """
CREATE TABLE quality (
    day TEXT, source TEXT, what TEXT, detail TEXT, number INTEGER NOT NULL,
    PRIMARY KEY (day, source, what, detail)) WITHOUT ROWID
"""
_ADD = """
INSERT INTO quality VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET number = number + excluded.number
"""
_IN_BATCHES = "SELECT coalesce(sum(last_seq - max(first_seq, ? + 1) + 1), 0) FROM batches WHERE last_seq > ?"
_IN_STRETCHES = "SELECT coalesce(sum(events), 0) FROM stretches WHERE to_seq > ?"


OUTCOMES = {
    KEPT: "accepted",
    "duplicate": "duplicate",
    QUARANTINED: "quarantined",
    "refused": "refused",
    "suppressed": "suppressed",
}
"""What becomes of an event in the end, by what it is counted under; the rest are oddities of those."""


class Count(NamedTuple):
    """``number`` events of a source were ``what`` on a ``day`` (2026-11-22); ``detail`` may say more.

    ``detail`` never holds what a sender chose: it is a code, or made of names of the tracking plan.
    """

    day: str
    source: str
    what: str
    detail: str
    number: int


@dataclass(frozen=True, slots=True)
class Held:
    """What the log holds, at one moment, of the events that were counted."""

    events: int
    waiting: int
    """Of them, those that are not evaluated yet."""
    quarantined: int
    """In whichever state."""


def create(connection: sqlite3.Connection) -> None:
    """Make the table; what an older file holds is counted for no day."""
    connection.execute(_TABLE)
    held = _held(connection)
    past = ((ROWS, held.events + held.quarantined), (KEPT, held.events), (QUARANTINED, held.quarantined))
    add(connection, [Count(NO_DAY, "", what, "", count) for what, count in past])


def add(connection: sqlite3.Connection, counts: Iterable[Count]) -> None:
    """Count some more."""
    connection.executemany(_ADD, [count for count in counts if count.number])


def read(connection: sqlite3.Connection) -> tuple[list[Count], Held]:
    """All counts in order, and what is held, as of the same moment."""
    counts = connection.execute("SELECT * FROM quality ORDER BY day, source, what, detail").fetchall()
    return [Count(*row) for row in counts], _held(connection)


def _held(connection: sqlite3.Connection) -> Held:
    reached = _one(connection, "SELECT log_seq FROM progress")
    return Held(
        events=_one(connection, _IN_BATCHES, 0, 0) + _one(connection, _IN_STRETCHES, 0),
        waiting=_one(connection, _IN_BATCHES, reached, reached) + _one(connection, _IN_STRETCHES, reached),
        quarantined=_one(connection, "SELECT count(*) FROM quarantine"),
    )


def _one(connection: sqlite3.Connection, query: str, *values: int) -> int:
    found: int = connection.execute(query, values).fetchone()[0]
    return found


def tell(counts: Iterable[Count]) -> None:
    """Say what became of events that are durable now to whoever observes the server."""
    told = ((each.source, OUTCOMES.get(each.what), each.number) for each in counts)
    recording.taken((source, outcome, number) for source, outcome, number in told if outcome is not None)

"""What could not be taken in, kept as it was sent until someone mends or drops it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from segue.log.batch import Quarantined

STATES = ("open", "replayed", "dropped")
_SELECT = "SELECT id, state, received_at, source, code, message, hint, raw FROM quarantine"


@dataclass(frozen=True, slots=True)
class Held:
    """A quarantined event with its number and its state: ``open``, ``replayed`` or ``dropped``."""

    id: int
    state: str
    event: Quarantined


def write(connection: sqlite3.Connection, events: Iterable[Quarantined]) -> None:
    """Set events aside."""
    connection.executemany(
        "INSERT INTO quarantine (received_at, source, code, message, hint, raw) VALUES (?, ?, ?, ?, ?, ?)",
        [(e.received_at, e.source, e.code, e.message, e.hint, e.raw) for e in events],
    )


def select(connection: sqlite3.Connection, state: str | None, after: int, limit: int) -> list[Held]:
    """Up to ``limit`` events with ``id > after`` in order of id; ``state`` None is every state."""
    rows = connection.execute(
        f"{_SELECT} WHERE id > ? AND (? IS NULL OR state = ?) ORDER BY id LIMIT ?",
        (after, state, state, limit),
    )
    return [_held(row) for row in rows]


def get(connection: sqlite3.Connection, number: int) -> Held | None:
    """One event; None if there is none of that number."""
    row = connection.execute(f"{_SELECT} WHERE id = ?", (number,)).fetchone()
    return None if row is None else _held(row)


def mark(connection: sqlite3.Connection, numbers: Iterable[int], state: str) -> int:
    """Give events another state; how many there were."""
    if state not in STATES:
        raise ValueError(f"{state} is none of {STATES}")
    found = connection.executemany(
        "UPDATE quarantine SET state = ? WHERE id = ?", [(state, number) for number in numbers]
    )
    return found.rowcount


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many events there are in each state."""
    return dict(connection.execute("SELECT state, count(*) FROM quarantine GROUP BY state"))


def _held(row: tuple[int, str, int, str, str, str, str, bytes]) -> Held:
    return Held(row[0], row[1], Quarantined(*row[2:]))

"""Firings: which trigger fired for whom, stored with the changes and the progress that made them.

They are numbered without gaps, so that whoever works them off needs to remember one number.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from segue.domain.change import Cause
from segue.domain.event import Json
from segue.log.changes import CAUSES, NO_EVENT
from segue.log.pack import compress, decompress, pack_json, unpack_json
from segue.log.store import Store

ACTIONS = ("entered", "left", "began", "ended", "seen", "changed")
"""What a trigger waited for; stored as its place here, new ones go to the end."""
NO_CHANGE = -1
_NOBODY = -1
_AT_ONCE = 10_000
FIRING = np.dtype(
    [
        ("trigger", np.int32),
        ("row", np.int32),
        ("action", np.uint8),
        ("at", np.int64),
        ("cause", np.uint8),
        ("event_seq", np.int64),
        ("change", np.int64),
    ]
)
"""``trigger`` is a place among names; ``change`` is the number of the change that it is, or NO_CHANGE."""
Records = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Between:
    """Which profiles have passed a threshold and come back, but not far enough to pass it again.

    ``cleared`` are triggers of which nobody is any more; pairs are (trigger, row).
    """

    cleared: frozenset[str] = frozenset()
    added: frozenset[tuple[str, int]] = frozenset()
    removed: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Fired:
    """New firings in order: FIRING records, ``details`` by their place; and what thresholds must know."""

    names: Sequence[str]
    records: Records
    details: Mapping[int, Json] = field(default_factory=dict)
    between: Between = Between()


@dataclass(frozen=True, slots=True)
class Firing:
    """One of them, read back. ``row`` is None when the user was forgotten since."""

    number: int
    trigger: str
    row: int | None
    action: str
    at: int
    cause: Cause
    event_seq: int | None
    change: int | None
    detail: Json = None

    @property
    def id(self) -> str:
        """The change's id, or a hash of what made it; the same on every replay."""
        if self.change is not None:
            return f"chg_{self.change}"
        said = [self.trigger, self.row, self.action, self.at, self.cause.value, self.event_seq, self.detail]
        text = json.dumps(said, sort_keys=True, separators=(",", ":"))
        return "fir_" + hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def write(connection: sqlite3.Connection, fired: Fired) -> None:
    """Store firings behind those there are."""
    between = fired.between
    connection.executemany("DELETE FROM going_back WHERE trigger = ?", [(name,) for name in between.cleared])
    connection.executemany('DELETE FROM going_back WHERE trigger = ? AND "row" = ?', between.removed)
    connection.executemany("INSERT OR REPLACE INTO going_back VALUES (?, ?)", between.added)
    if not len(fired.records):
        return
    codes = np.zeros(len(fired.names), np.int32)
    for place in np.unique(fired.records["trigger"]).tolist():
        codes[place] = _code(connection, fired.names[place])
    rows = fired.records.copy()
    rows["trigger"] = codes[rows["trigger"]]
    first = last(connection) + 1
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        details = {
            str(place - start): fired.details[place]
            for place in fired.details
            if start <= place < start + len(part)
        }
        connection.execute(
            "INSERT INTO firings VALUES (?, ?, ?, ?)",
            (first + start, first + start + len(part) - 1, _packed(part), pack_json(details)),
        )


def last(connection: sqlite3.Connection) -> int:
    """The number of the last firing; 0 before the first."""
    row = connection.execute("SELECT last FROM firings ORDER BY first DESC LIMIT 1").fetchone()
    return 0 if row is None else int(row[0])


def read(store: Store, after: int, limit: int = _AT_ONCE) -> list[Firing]:
    """Firings with ``number > after`` in order, at most ``limit``."""
    found: list[Firing] = []
    with store.reading() as connection:
        names = dict(connection.execute("SELECT id, name FROM trigger_names").fetchall())
        blocks = connection.execute("SELECT * FROM firings WHERE last > ? ORDER BY first", (after,))
        for first, stop, blob, details in blocks:
            said = unpack_json(details, f"the firings at {first}")
            records = _unpacked(first, stop, blob)
            for place in range(max(0, after + 1 - first), len(records)):
                found.append(_firing(first + place, records[place], names, said.get(str(place))))
                if len(found) == limit:
                    return found
    return found


def going_back(store: Store) -> set[tuple[str, int]]:
    """The (trigger, row) of all who are between two thresholds."""
    with store.reading() as connection:
        return set(connection.execute('SELECT trigger, "row" FROM going_back').fetchall())


def note_imported(connection: sqlite3.Connection, first_seq: int, last_seq: int) -> None:
    """These events come from a file, and are history to triggers."""
    connection.execute("INSERT INTO imported VALUES (?, ?)", (first_seq, last_seq))


def imported(store: Store, after: int) -> set[int]:
    """Where the batches from files beyond a position begin; those before it are not asked for any more."""
    with store.transaction() as connection:
        connection.execute("DELETE FROM imported WHERE last_seq <= ?", (after,))
        return {seq for (seq,) in connection.execute("SELECT first_seq FROM imported")}


def erase(connection: sqlite3.Connection, rows: Collection[int]) -> None:
    """Firings of these profiles keep their numbers, and are nobody's and of nothing."""
    connection.executemany('DELETE FROM going_back WHERE "row" = ?', [(row,) for row in rows])
    for first, stop, blob, details in connection.execute("SELECT * FROM firings").fetchall():
        records = _unpacked(first, stop, blob)
        hit = np.isin(records["row"], list(rows))
        if not hit.any():
            continue
        records["row"][hit] = _NOBODY
        said = unpack_json(details, f"the firings at {first}")
        left = {place: each for place, each in said.items() if not hit[int(place)]}
        connection.execute(
            "UPDATE firings SET columns = ?, details = ? WHERE first = ?",
            (_packed(records), pack_json(left), first),
        )


def _code(connection: sqlite3.Connection, name: str) -> int:
    connection.execute("INSERT OR IGNORE INTO trigger_names (name) VALUES (?)", (name,))
    return int(connection.execute("SELECT id FROM trigger_names WHERE name = ?", (name,)).fetchone()[0])


def _packed(records: Records) -> bytes:
    assert FIRING.names is not None
    return compress(b"".join(records[name].tobytes() for name in FIRING.names))


def _unpacked(first: int, stop: int, blob: bytes) -> Records:
    data = decompress(blob, f"the firings at {first}")
    records = np.empty(stop - first + 1, FIRING)
    start = 0
    assert FIRING.names is not None
    for name in FIRING.names:
        end = start + len(records) * FIRING[name].itemsize
        records[name] = np.frombuffer(data[start:end], FIRING[name])
        start = end
    return records


def _firing(number: int, record: np.void, names: Mapping[int, str], detail: Json) -> Firing:
    trigger, row, action, at, cause, event_seq, change = record.item()
    return Firing(
        number=number,
        trigger=names[trigger],
        row=None if row == _NOBODY else row,
        action=ACTIONS[action],
        at=at,
        cause=CAUSES[cause],
        event_seq=None if event_seq == NO_EVENT else event_seq,
        change=None if change == NO_CHANGE else change,
        detail=detail,
    )

"""When everybody was last scored by each version, kept beside the versions in ``models.db``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from segue.learned.registry import FILE
from segue.log import faults

_BUSY_S = 30.0
_TABLE = """
CREATE TABLE IF NOT EXISTS rounds (
    model TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (model, number)) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Round:
    """At engine time ``at`` (ms) a version had spoken of everybody, as they were then."""

    number: int
    at: int


class Rounds:
    """The rounds of a data folder: of each version the last."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def note(self, numbers: dict[str, int], at: int) -> None:
        """These versions, by model, have now spoken of everybody."""
        if numbers:
            with self._opened() as db, db:
                rows = [(model, number, at) for model, number in numbers.items()]
                db.executemany("INSERT OR REPLACE INTO rounds VALUES (?, ?, ?)", rows)

    def last(self, model: str) -> Round | None:
        """The latest one of a model, by whichever version."""
        if not self._path.exists():
            return None
        with self._opened() as db:
            query = "SELECT number, at FROM rounds WHERE model = ? ORDER BY at DESC, number DESC LIMIT 1"
            row = db.execute(query, (model,)).fetchone()
        return None if row is None else Round(*row)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)) as db:
                db.executescript(_TABLE)
                yield db
        except sqlite3.DatabaseError as fault:
            raise faults.damaged(self._path, str(fault)) from fault

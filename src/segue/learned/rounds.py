"""When everybody was last scored by each version, kept beside the versions in ``models.db``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from segue.learned.registry import FILE
from segue.log.beside import opened

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
            with opened(self._path, _TABLE) as db, db:
                rows = [(model, number, at) for model, number in numbers.items()]
                db.executemany("INSERT OR REPLACE INTO rounds VALUES (?, ?, ?)", rows)

    def last(self, model: str) -> Round | None:
        """The latest one of a model, by whichever version."""
        if not self._path.exists():
            return None
        with opened(self._path, _TABLE) as db:
            query = "SELECT number, at FROM rounds WHERE model = ? ORDER BY at DESC, number DESC LIMIT 1"
            row = db.execute(query, (model,)).fetchone()
        return None if row is None else Round(*row)

"""What was seen of a version while it was in force, kept beside the versions in ``models.db``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from segue.domain.event import Json
from segue.learned.registry import FILE
from segue.log.beside import opened

LOOKS_KEPT_MAX = 400
"""Of one version; the first one, which all others are held against, always stays."""
_TABLE = """
CREATE TABLE IF NOT EXISTS looks (
    id INTEGER PRIMARY KEY, model TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,
    seen TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A look at a version at a moment (ms)."""

    at: int
    seen: Json


class Looks:
    """The looks of a data folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def first(self, model: str, number: int) -> Kept | None:
        """What a version was like when it came into force."""
        return self._one("ORDER BY id LIMIT 1", model, number)

    def last(self, model: str, number: int) -> Kept | None:
        """The newest look at it."""
        return self._one("ORDER BY id DESC LIMIT 1", model, number)

    def all(self, model: str, number: int) -> list[Kept]:
        """All looks at it, in order."""
        if not self._path.exists():
            return []
        with opened(self._path, _TABLE) as db:
            return [_kept(row) for row in db.execute(_SELECT, (model, number))]

    def add(self, model: str, number: int, look: Kept) -> None:
        """Keep one; the oldest but the first go when there are too many."""
        with opened(self._path, _TABLE) as db, db:
            db.execute("BEGIN IMMEDIATE")
            db.execute(
                "INSERT INTO looks (model, number, at, seen) VALUES (?, ?, ?, ?)",
                (model, number, look.at, json.dumps(look.seen, allow_nan=False)),
            )
            ids = [each for (each,) in db.execute(_IDS, (model, number))]
            surplus = ids[1 : max(1, 1 + len(ids) - LOOKS_KEPT_MAX)]
            db.executemany("DELETE FROM looks WHERE id = ?", [(each,) for each in surplus])

    def _one(self, order: str, model: str, number: int) -> Kept | None:
        if not self._path.exists():
            return None
        with opened(self._path, _TABLE) as db:
            query = f"SELECT at, seen FROM looks WHERE model = ? AND number = ? {order}"
            row = db.execute(query, (model, number)).fetchone()
        return None if row is None else _kept(row)


_SELECT = "SELECT at, seen FROM looks WHERE model = ? AND number = ? ORDER BY id"
_IDS = "SELECT id FROM looks WHERE model = ? AND number = ? ORDER BY id"


def _kept(row: tuple[int, str]) -> Kept:
    return Kept(row[0], json.loads(row[1]))

"""``models.db``: every version of every model, in the data folder; nothing in it is ever code.

A version is written once. What may change is which one is in force, and each such change is a line of its own
with who made it and why. A version is read by its hash: a file that was changed is refused, and so is a
document that is no model.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from segue.domain.errors import SegueError, refusal
from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.learned.documents import broken
from segue.learned.version import ARCHIVED, CANDIDATE, CHAMPION, Version, canonical
from segue.log import faults
from segue.log.beside import opened

FILE = "models.db"
_DURABLE = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"
_MOVES = "SELECT model, number, status, at, by, why, digest FROM moves ORDER BY id"
_FORMAT = 1
_TABLES = """
CREATE TABLE versions (
    model TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, gives TEXT NOT NULL,
    made_at INTEGER NOT NULL, document TEXT NOT NULL, card TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (model, number)) STRICT;
CREATE TABLE moves (
    id INTEGER PRIMARY KEY, model TEXT NOT NULL, number INTEGER NOT NULL, status TEXT NOT NULL,
    at INTEGER NOT NULL, by TEXT, why TEXT NOT NULL, digest TEXT NOT NULL) STRICT;
CREATE TRIGGER versions_stand BEFORE UPDATE ON versions
    BEGIN SELECT RAISE(ABORT, 'a version never changes'); END;
CREATE TRIGGER moves_stand BEFORE UPDATE ON moves
    BEGIN SELECT RAISE(ABORT, 'what was done stays done'); END;
"""


@dataclass(frozen=True, slots=True)
class Move:
    """A version came to another standing: ``status`` from then on, by whom (None: by itself) and why."""

    model: str
    number: int
    status: str
    at: int
    by: str | None
    why: str

    def digest(self, before: str) -> str:
        """A hash of this line and of all before it."""
        values = [before, self.model, self.number, self.status, self.at, self.by, self.why]
        return hashlib.blake2b(canonical(values).encode(), digest_size=32).hexdigest()

    def to_json(self) -> dict[str, Json]:
        """As it is listed."""
        found: dict[str, Json] = {
            "model": self.model,
            "version": self.number,
            "status": self.status,
            "at": format_instant(self.at),
            "why": self.why,
        }
        return found if self.by is None else {**found, "by": self.by}


class Registry:
    """The file of a data folder; a folder without it has no models, and the first one written makes it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def add(self, version: Version, why: str = "trained") -> Version:
        """Keep a version under the next number of its model, as a candidate; gives it with that number."""
        with self._writing() as db:
            (last,) = db.execute(
                "SELECT coalesce(max(number), 0) FROM versions WHERE model = ?", (version.name,)
            ).fetchone()
            kept = replace(version, number=last + 1, status=CANDIDATE)
            db.execute(
                "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    kept.name, kept.number, kept.kind, kept.gives, kept.made_at,
                    canonical(kept.document), canonical(kept.card), kept.digest,
                ),
            )  # fmt: skip
            _move(db, Move(kept.name, kept.number, CANDIDATE, kept.made_at, None, why))
        return kept

    def version(self, name: str, number: int) -> Version:
        """One version; E868 when there is none of that number, E865 when it was tampered with."""
        found = self._read("SELECT * FROM versions WHERE model = ? AND number = ?", (name, number))
        if not found:
            raise no_version(name, number)
        return found[0]

    def versions(self, name: str | None = None) -> list[Version]:
        """All versions, of one model or of all, by name and number."""
        if name is None:
            return self._read("SELECT * FROM versions ORDER BY model, number", ())
        return self._read("SELECT * FROM versions WHERE model = ? ORDER BY number", (name,))

    def last_made(self, name: str) -> int | None:
        """When (ms) the latest version of a model was made, also when it cannot be read any more."""
        ((found,),) = self._rows("SELECT max(made_at) FROM versions WHERE model = ?", (name,)) or [(None,)]
        return None if found is None else int(found)

    def champion(self, name: str) -> Version | None:
        """The version in force, if there is one; E865 when it was tampered with."""
        number = self._champion(name)
        return None if number is None else self.version(name, number)

    def promote(self, name: str, number: int, by: str | None, why: str, at: int) -> Version:
        """Put a version in force in place of the one before; that is archived. E868 when there is none."""
        wanted = self.version(name, number)
        before = self._champion(name)
        with self._writing() as db:
            if before is not None and before != number:
                _move(db, Move(name, before, ARCHIVED, at, by, f"version {number} is in force"))
            _move(db, Move(name, number, CHAMPION, at, by, why))
        return replace(wanted, status=CHAMPION)

    def archive(self, name: str, number: int, by: str | None, why: str, at: int) -> None:
        """Take a version out of force, or out of the candidates."""
        self.version(name, number)
        with self._writing() as db:
            _move(db, Move(name, number, ARCHIVED, at, by, why))

    def rollback(self, name: str, by: str | None, why: str, at: int) -> Version:
        """Put the version back that was in force before this one; E868 when there was none."""
        now, earlier = self._champion(name), None
        for move in reversed(self.moves(name)):
            if move.status == CHAMPION and move.number != now:
                earlier = move.number
                break
        if earlier is None:
            hint = "promote one of its versions, or take the model out of use with `status: archived`"
            raise refusal("E868", f"no earlier version of {name} was ever in force", hint)
        return self.promote(name, earlier, by, why, at)

    def moves(self, name: str | None = None) -> list[Move]:
        """All that was done, in order, of one model or of all; E865 when that was tampered with.

        Each line's hash holds the one before, so that none can be changed, taken out or put between.
        """
        found, before = [], ""
        for *values, digest in self._rows(_MOVES):
            move = Move(*values)
            before = move.digest(before)
            if before != digest:
                raise tampered(f"what was decided about {move.model} is not as it was written")
            found.append(move)
        return [move for move in found if name in (None, move.model)]

    def numbers(self, name: str) -> list[int]:
        """The numbers of a model's versions, also of those that cannot be read."""
        query = "SELECT number FROM versions WHERE model = ? ORDER BY number"
        return [int(number) for (number,) in self._rows(query, (name,))]

    def _champion(self, name: str) -> int | None:
        standing: dict[int, str] = {}
        for move in self.moves(name):
            standing[move.number] = move.status
        return next((number for number, status in standing.items() if status == CHAMPION), None)

    def _read(self, query: str, values: Sequence[object]) -> list[Version]:
        """The versions that a query finds, each with its standing."""
        standing = {(move.model, move.number): move.status for move in self.moves()}
        found = [_version(row) for row in self._rows(query, values)]
        return [replace(each, status=standing.get((each.name, each.number), CANDIDATE)) for each in found]

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        if not self._path.exists():
            return []
        with self._opened() as db:
            return db.execute(query, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A connection that keeps all that is done with it, or nothing."""
        with self._opened() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with opened(self._path, _DURABLE) as db:
            self._bring_up(db)
            yield db

    def _bring_up(self, db: sqlite3.Connection) -> None:
        (found,) = db.execute("PRAGMA user_version").fetchone()
        if found > _FORMAT:
            raise faults.newer(self._path.parent, found, _FORMAT)
        if found == 0:
            db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_FORMAT}; COMMIT")


def _move(db: sqlite3.Connection, move: Move) -> None:
    last = db.execute("SELECT digest FROM moves ORDER BY id DESC LIMIT 1").fetchone()
    db.execute(
        "INSERT INTO moves (model, number, status, at, by, why, digest) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            move.model, move.number, move.status, move.at, move.by, move.why,
            move.digest("" if last is None else last[0]),
        ),
    )  # fmt: skip


def _version(row: tuple[Any, ...]) -> Version:
    name, number, kind, gives, made_at, document, card, digest = row
    try:
        found = Version(name, number, kind, gives, made_at, json.loads(document), json.loads(card))
    except ValueError as fault:
        raise broken(f"version {number} of {name} is no JSON") from fault
    if found.digest != digest:
        raise broken(f"version {number} of {name} is not as it was written")
    return found


def tampered(what: str) -> SegueError:
    """E865: a register in which nothing can be relied on."""
    hint = f"put {FILE} back from a backup; or remove it and train all models again"
    return refusal("E865", f"the register of models is damaged: {what}", hint)


def no_version(name: str, number: int) -> SegueError:
    """E868: there is no such version."""
    hint = "`segue models NAME` shows the versions there are; `segue train NAME` makes one"
    return refusal("E868", f"the model {name} has no version {number}", hint)

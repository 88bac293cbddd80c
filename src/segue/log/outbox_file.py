"""``outbox.db``: what goes out because of firings, and how far that has got; beside the log, not in it.

A file of its own, so that whoever sends never waits for the writer of the log, nor makes it wait. All of
it follows from the log and from what receivers answered.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from segue.log import faults
from segue.log.store import Store

FILE = "outbox.db"
_FORMAT = 1
_BUSY_S = 30.0
_TABLES = """
CREATE TABLE cursor (one INTEGER PRIMARY KEY CHECK (one = 1), firing INTEGER NOT NULL);
INSERT INTO cursor VALUES (1, 0);
CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, trigger TEXT NOT NULL,
    destination TEXT NOT NULL, channel TEXT NOT NULL, "row" INTEGER NOT NULL, user_id TEXT NOT NULL,
    at INTEGER NOT NULL, moment INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    body BLOB NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL, since INTEGER NOT NULL,
    changed INTEGER NOT NULL, UNIQUE (id, trigger, destination));
CREATE INDEX deliveries_pending ON deliveries (destination, due, number) WHERE state = 'pending';
CREATE INDEX deliveries_order ON deliveries (destination, "row", number) WHERE state = 'pending';
CREATE INDEX deliveries_dead ON deliveries (destination, number) WHERE state = 'dead';
CREATE INDEX deliveries_waiting ON deliveries (due, number) WHERE state = 'waiting';
CREATE INDEX deliveries_contacts ON deliveries ("row", moment) WHERE state IN ('pending', 'sent', 'dead');
CREATE INDEX deliveries_user ON deliveries (user_id, number);
"""


def opened(folder: Path) -> Store:
    """The file in a data folder, made if it is missing; E602, E603 or E604."""
    return Store(folder, FILE, _bring_up)


def _bring_up(connection: sqlite3.Connection, folder: Path) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > _FORMAT:
        raise faults.newer(folder, found, _FORMAT)
    if found == 0:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _TABLES.strip().split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_FORMAT}")
        connection.execute("COMMIT")


def erase(folder: Path, rows: Collection[int], names: Collection[str]) -> None:
    """Nothing of these profiles is left in the file, not even in pages that nothing uses."""
    if not (folder / FILE).exists():
        return
    try:
        with closing(sqlite3.connect(folder / FILE, timeout=_BUSY_S, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany('DELETE FROM deliveries WHERE "row" = ?', [(row,) for row in rows])
            connection.executemany("DELETE FROM deliveries WHERE user_id = ?", [(name,) for name in names])
            connection.execute("COMMIT")
            connection.execute("VACUUM")
            if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise faults.not_written(folder / FILE, "a reader keeps the write-ahead log from emptying")
    except sqlite3.Error as error:
        said = faults.of_sqlite(folder, error, FILE)
        if said is None:
            raise
        raise said from error

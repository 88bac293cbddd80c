"""The tables of ``log.db``, and how an older file becomes today's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from segue.log import faults, quality, sums

HISTORY = "history"
"""The folder of history files in a data folder."""

_TABLES = """
CREATE TABLE position (
    one INTEGER PRIMARY KEY CHECK (one = 1), next_seq INTEGER NOT NULL, generation INTEGER NOT NULL);
INSERT INTO position VALUES (1, 1, 0);
CREATE TABLE batches (
    first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, columns BLOB NOT NULL, raws BLOB NOT NULL);
CREATE TABLE records (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE stretches (
    from_seq INTEGER PRIMARY KEY, to_seq INTEGER NOT NULL, path TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL,
    events INTEGER NOT NULL, received_min INTEGER NOT NULL, received_max INTEGER NOT NULL);
CREATE TABLE erased (seq INTEGER PRIMARY KEY);
CREATE TABLE profiles (
    "row" INTEGER PRIMARY KEY, user_id TEXT NOT NULL, created_seq INTEGER, created_at INTEGER);
CREATE INDEX profiles_created ON profiles (created_seq);
CREATE TABLE links (
    seq INTEGER, anonymous_id TEXT, "row" INTEGER NOT NULL, PRIMARY KEY (seq, anonymous_id)) WITHOUT ROWID;
CREATE TABLE aliases (
    seq INTEGER, previous_id TEXT, "row" INTEGER NOT NULL, PRIMARY KEY (seq, previous_id)) WITHOUT ROWID;
CREATE TABLE merges (
    seq INTEGER, absorbed INTEGER, survivor INTEGER NOT NULL, PRIMARY KEY (seq, absorbed)) WITHOUT ROWID;
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received_at INTEGER NOT NULL, source TEXT NOT NULL,
    code TEXT NOT NULL, message TEXT NOT NULL, hint TEXT NOT NULL, raw BLOB NOT NULL,
    state TEXT NOT NULL DEFAULT 'open');
CREATE INDEX quarantine_state ON quarantine (state, id);
CREATE TABLE progress (
    one INTEGER PRIMARY KEY CHECK (one = 1), log_seq INTEGER NOT NULL, engine_time INTEGER NOT NULL,
    next_change INTEGER NOT NULL);
INSERT INTO progress VALUES (1, 0, 0, 1);
CREATE TABLE segment_names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE changes (first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, columns BLOB NOT NULL);
CREATE TABLE erasing (path TEXT PRIMARY KEY);
"""


_FIRINGS = """
CREATE TABLE trigger_names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE firings (
    first INTEGER PRIMARY KEY, last INTEGER NOT NULL, columns BLOB NOT NULL, details BLOB NOT NULL);
CREATE TABLE going_back (trigger TEXT, "row" INTEGER, PRIMARY KEY (trigger, "row")) WITHOUT ROWID;
CREATE TABLE imported (first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL);
"""


def _create(connection: sqlite3.Connection) -> None:
    for statement in _TABLES.strip().split(";\n"):
        connection.execute(statement)


def _shape_stretches(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE stretches ADD COLUMN shape TEXT NOT NULL DEFAULT ''")


def _sum_stretches(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE stretches ADD COLUMN digest BLOB NOT NULL DEFAULT x''")


def _add_firings(connection: sqlite3.Connection) -> None:
    for statement in _FIRINGS.strip().split(";\n"):
        connection.execute(statement)


STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _create,
    _shape_stretches,
    quality.create,
    _sum_stretches,
    _add_firings,
    sums.create,
)
"""Each takes a file from one format to the next; the format of a file is how many it has behind it."""


def bring_up(connection: sqlite3.Connection, folder: Path) -> None:
    """Make the file one of today's format, in one transaction; E602 when it is of a later one."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
    found = connection.execute("SELECT max(version) FROM schema_version").fetchone()[0] or 0
    if found > len(STEPS):
        raise faults.newer(folder, found, len(STEPS))
    if not found and any((folder / HISTORY).glob("*.parquet")):
        raise faults.damaged(folder / "log.db", "it is missing or empty, although there is history beside it")
    for number, step in enumerate(STEPS[found:], found + 1):
        step(connection)
        connection.execute("INSERT INTO schema_version VALUES (?)", (number,))
    connection.execute("COMMIT")

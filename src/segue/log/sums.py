"""What the tables of identity add up to, because SQLite sums no pages.

Without this, a bit that flips in a user's id on disk would give another user. A sum is of rows in any order,
so that it is kept by adding what comes and taking off what goes. A text counts by a checksum that begins
with its row: two texts that change places are seen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

from segue.log import faults

_BITS = (1 << 62) - 1
_SELECTS = {
    "profiles": 'SELECT "row", user_id, ifnull(created_seq, 0), ifnull(created_at, 0) FROM profiles',
    "links": 'SELECT "row", anonymous_id, seq FROM links',
    "aliases": 'SELECT "row", previous_id, seq FROM aliases',
    "merges": "SELECT absorbed, '', seq, survivor FROM merges",
}


def create(connection: sqlite3.Connection) -> None:
    """A table of the sums, of what is there already."""
    connection.execute('CREATE TABLE sums ("table" TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID')
    for table in _SELECTS:
        connection.execute("INSERT INTO sums VALUES (?, ?)", (table, _of(connection, table, "TRUE")))


def add(connection: sqlite3.Connection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Rows came: (row, text, further integers) as the table is asked for them here."""
    _move(connection, table, _sum(rows))


def take_off(connection: sqlite3.Connection, table: str, where: str) -> None:
    """Rows are about to go."""
    _move(connection, table, -_of(connection, table, where))


def take_in(connection: sqlite3.Connection, table: str, where: str) -> None:
    """Rows have been written."""
    _move(connection, table, _of(connection, table, where))


def check(connection: sqlite3.Connection) -> None:
    """E603 when a table does not add up to what was written."""
    for table, value in connection.execute('SELECT "table", value FROM sums').fetchall():
        try:
            sound = _of(connection, table, "TRUE") == value
        except (TypeError, sqlite3.OperationalError):  # of another kind than was written, or no text at all
            sound = False
        if not sound:
            raise faults.damaged("log.db", f"the table {table} holds what was never written there")


def _of(connection: sqlite3.Connection, table: str, where: str) -> int:
    return _sum(connection.execute(f"{_SELECTS[table]} WHERE {where}").fetchall())


def _sum(rows: Iterable[Sequence[Any]]) -> int:
    columns = list(zip(*rows, strict=True))
    if not columns:
        return 0
    owners, texts, *numbers = columns
    found = sum(map(crc32, map(str.encode, texts), owners))
    for weight, column in enumerate(numbers, 1):
        found += (2 * weight + 1) * sum(column)
    return found & _BITS


def _move(connection: sqlite3.Connection, table: str, by: int) -> None:
    if by:
        connection.execute('UPDATE sums SET value = (value + ?) & ? WHERE "table" = ?', (by, _BITS, table))

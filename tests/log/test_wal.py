"""The write-ahead log before SQLite reads it: a crash is nothing, damage is said."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from segue.domain.errors import SegueError
from segue.log import wal

ROWS = 40


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """As a kill leaves it: forty transactions of two pages or more each, none of them in the file itself."""
    source = tmp_path / "source.db"
    connection = sqlite3.connect(source, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("CREATE TABLE t (number INTEGER PRIMARY KEY, text BLOB)")
    for number in range(ROWS):
        connection.execute("INSERT INTO t VALUES (?, ?)", (number, random.randbytes(5_000)))
    for name in ("source.db", "source.db-wal"):
        shutil.copy(tmp_path / name, tmp_path / name.replace("source", "log"))
    connection.close()
    return tmp_path / "log.db"


def log_of(database: Path) -> Path:
    return database.with_name("log.db-wal")


def rows(database: Path) -> int:
    connection = sqlite3.connect(database)
    found: int = connection.execute("SELECT count(*) FROM t").fetchone()[0]
    connection.close()
    return found


def test_what_a_crash_leaves_is_good(database: Path) -> None:
    wal.check(database)
    assert rows(database) == ROWS


def test_a_log_that_ends_in_the_middle_of_a_transaction_is_good(database: Path) -> None:
    text = log_of(database).read_bytes()
    for cut in (0, 10, 100, len(text) // 2, len(text) - 1):
        log_of(database).write_bytes(text[:cut])
        wal.check(database)


def test_the_last_transaction_may_be_torn(database: Path) -> None:
    text = bytearray(log_of(database).read_bytes())
    text[-5_000] ^= 1
    log_of(database).write_bytes(text)
    wal.check(database)


def test_a_flipped_bit_before_the_last_transaction_is_said(database: Path) -> None:
    text = log_of(database).read_bytes()
    for _ in range(60):
        damaged = bytearray(text)
        damaged[random.randrange(len(text) - 20_000)] ^= 1 << random.randrange(8)
        log_of(database).write_bytes(damaged)
        with pytest.raises(SegueError, match="E603"):
            wal.check(database)


def test_sqlite_alone_says_nothing(database: Path) -> None:
    """The control: without the look, rows that were synced are gone without a word."""
    text = bytearray(log_of(database).read_bytes())
    text[len(text) // 2] ^= 1
    log_of(database).write_bytes(text)
    assert rows(database) < ROWS


def test_frames_of_an_earlier_round_do_not_count(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (text BLOB)")
    for _ in range(30):
        connection.execute("INSERT INTO t VALUES (?)", (random.randbytes(5_000),))
    connection.execute("PRAGMA wal_checkpoint(RESTART)")
    connection.execute("INSERT INTO t VALUES (?)", (b"new",))
    wal.check(tmp_path / "log.db")
    connection.close()

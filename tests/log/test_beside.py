"""Small files beside the log: what is wrong with one is said as it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from segue.domain.errors import SegueError
from segue.log.beside import opened

TABLE = "CREATE TABLE IF NOT EXISTS notes (text TEXT NOT NULL) STRICT;"


def test_what_was_written_is_there_again(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with opened(tmp_path / "notes.db", TABLE) as file, file:
            file.execute("INSERT INTO notes VALUES (?)", (text,))
    with opened(tmp_path / "notes.db") as file:
        assert file.execute("SELECT text FROM notes").fetchall() == [("one",), ("two",)]


def test_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_bytes(b"no database" * 100)
    with pytest.raises(SegueError, match=r"E603.*notes\.db"), opened(tmp_path / "notes.db", TABLE):
        pass


def test_a_file_that_cannot_be_had_is_not_called_damaged(tmp_path: Path) -> None:
    """Whoever reads that puts a backup in the place of what was whole."""
    (tmp_path / "notes.db").mkdir()
    with pytest.raises(SegueError, match="E604"), opened(tmp_path / "notes.db", TABLE):
        pass


def fill(path: Path) -> None:
    with opened(path) as file:
        file.execute("PRAGMA max_page_count = 2")
        file.execute("INSERT INTO notes VALUES (?)", ("x" * 100_000,))


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    with opened(tmp_path / "notes.db", TABLE):
        pass
    with pytest.raises(SegueError, match="E604"):
        fill(tmp_path / "notes.db")


def test_a_connection_ends_with_its_block(tmp_path: Path) -> None:
    with opened(tmp_path / "notes.db", TABLE) as file:
        pass
    with pytest.raises(sqlite3.ProgrammingError):
        file.execute("SELECT 1")

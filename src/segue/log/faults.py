"""What can go wrong with the data folder, in the words of the one who has to mend it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from segue.domain.errors import SegueError, refusal

IN_USE = "E601"
NEWER = "E602"
DAMAGED = "E603"
NOT_WRITTEN = "E604"
NO_FOLDER = "E605"

_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def in_use(folder: Path, holder: str) -> SegueError:
    """Another process owns the data folder; ``holder`` says which and what it runs."""
    return refusal(
        IN_USE,
        f"the data folder {folder} is in use by {holder}",
        "end that process first, or name another folder with --data",
    )


def newer(folder: Path, found: int, known: int) -> SegueError:
    """The folder was written by a later version of Segue."""
    return refusal(
        NEWER,
        f"the data folder {folder} has format {found}; this version of Segue reads up to {known}",
        "upgrade Segue: pip install --upgrade segue",
    )


def damaged(what: object, why: str) -> SegueError:
    """A file of the data folder cannot be what was written."""
    return refusal(
        DAMAGED,
        f"{what} is damaged: {why}",
        "nothing was changed; put the data folder back from a backup, or import into a fresh one with --data",
    )


def not_written(where: object, why: str) -> SegueError:
    """The disk took no more; what was being written is not in the log, all that was before is."""
    return refusal(
        NOT_WRITTEN,
        f"cannot write to {where}: {why}",
        "nothing of this was taken; make room on the disk or mend its rights, then send it again",
    )


def no_folder(folder: Path, why: str) -> SegueError:
    """There is no data folder to open and none can be made."""
    return refusal(NO_FOLDER, f"no data folder at {folder}: {why}", "name another one with --data")


def of_sqlite(folder: Path, error: sqlite3.Error, file: str = "log.db") -> SegueError | None:
    """The refusal an SQLite error stands for; None when it is a fault of our own."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in _DISK:
        return not_written(folder, str(error))
    if code in _DAMAGE:
        return damaged(folder / file, str(error))
    return None

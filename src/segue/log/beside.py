"""SQLite files of the data folder that are opened for a moment only, by whoever needs one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from segue.log import faults

_BUSY_S = 30.0


@contextmanager
def opened(path: Path, tables: str = "") -> Iterator[sqlite3.Connection]:
    """A connection to a file, made if it is missing, after the statements of ``tables``.

    E603 when it is damaged, E604 when the disk or its rights are in the way.
    """
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)) as connection:
            connection.executescript(tables)
            yield connection
    except sqlite3.Error as error:
        said = faults.of_sqlite(path.parent, error, path.name) or faults.damaged(path, str(error))
        raise said from error

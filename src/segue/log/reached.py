"""How far a log has come, for whoever only looks at it: no lock is taken, and nothing is made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from segue.log.changes import progress
from segue.log.store import FILE


def reached(folder: Path) -> int | None:
    """The time (ms) to which a data folder was evaluated; None where there is none that can be read."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return progress(connection).engine_time
    except (sqlite3.Error, TypeError):
        # Opening the folder tells what is wrong with it; a look from outside says nothing.
        return None

"""Keys without a server: for a command that has the data folder to itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segue.access.gate import Access
from segue.log import faults
from segue.log.lock import FolderLock


@contextmanager
def alone(folder: Path, running: str) -> Iterator[Access]:
    """The keys of a data folder, which is made where it is missing; E601 while a process has it open.

    The log is not looked at: keys can be taken back while it, or the workspace, cannot be read.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise faults.no_folder(folder, error.strerror or str(error)) from error
    lock = FolderLock(folder, running)
    try:
        yield Access(folder)
    finally:
        lock.release()

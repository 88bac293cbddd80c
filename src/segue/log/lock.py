"""One process owns a data folder at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from segue.log import faults


class FolderLock:
    """An exclusive lock on a folder, held until :meth:`release` or the process ends, however it does."""

    def __init__(self, folder: Path, running: str) -> None:
        """Take the lock; E601 names the process that has it. ``running`` says what this one runs."""
        try:
            self._descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise faults.not_written(folder / "lock", error.strerror or str(error)) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._holder()
            os.close(self._descriptor)
            raise faults.in_use(folder, holder) from None
        self._sign(folder, running)

    def _sign(self, folder: Path, running: str) -> None:
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()} {running}\n".encode(), 0)
        except OSError as error:
            os.close(self._descriptor)
            raise faults.not_written(folder / "lock", error.strerror or str(error)) from error

    def _holder(self) -> str:
        pid, _, running = (
            os.pread(self._descriptor, 4096, 0).decode("utf-8", "replace").strip().partition(" ")
        )
        return f"process {pid} ({running})" if pid else "another process"

    def release(self) -> None:
        """Give the folder free."""
        os.close(self._descriptor)

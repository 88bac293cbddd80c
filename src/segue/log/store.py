"""An SQLite file of a data folder: one writer, readers beside it, and errors in words."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from segue.log import faults, schema, wal

FILE = "log.db"
_BUSY_S = 30.0
_READERS_KEPT = 4


class Store:
    """Transactions on ``log.db``, or on another file with tables of its own.

    Every method may be called from any thread.
    """

    def __init__(
        self,
        folder: Path,
        file: str = FILE,
        bring_up: Callable[[sqlite3.Connection, Path], None] = schema.bring_up,
    ) -> None:
        """Open the file, or make it; E602, E603 or E604."""
        self.folder = folder
        self.path = folder / file
        self._lock = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._idle: list[sqlite3.Connection] = []
        wal.check(self.path)
        try:
            with self._lock, self._spoken():
                bring_up(self._writing(), folder)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and on disk when it ends; E604 when the disk does not take it."""
        with self._lock, self._spoken():
            connection = self._writing()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                self._take_back(connection, error)
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One unchanging view of the file."""
        with self._spoken():
            connection = self._idle.pop() if self._idle else self._connect()
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("ROLLBACK")
            except BaseException:
                connection.close()
                raise
            self._keep(connection)

    def vacuum(self) -> None:
        """Write the file anew and empty the write-ahead log, so that nothing deleted is left in either."""
        with self._lock, self._spoken():
            connection = self._writing()
            connection.execute("VACUUM")
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if busy:
                raise faults.not_written(self.path, "a reader keeps the write-ahead log from emptying")

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log into the file."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _keep(self, connection: sqlite3.Connection) -> None:
        if len(self._idle) < _READERS_KEPT:
            self._idle.append(connection)
        else:
            connection.close()

    def _writing(self) -> sqlite3.Connection:
        if self._writer is None:
            connection = self._connect()
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = FAST")
            connection.execute("PRAGMA cache_size = -16384")
            self._writer = connection
        return self._writer

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)

    def _take_back(self, connection: sqlite3.Connection, error: BaseException) -> None:
        """Undo the open transaction. After an I/O error the connection goes too: what its cache
        believes to be on disk may not be there, so the next writer reads the file afresh.
        """
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF == sqlite3.SQLITE_IOERR:
            self._writer = None
            connection.close()

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            said = faults.of_sqlite(self.folder, error, self.path.name)
            if said is None:
                raise
            raise said from error

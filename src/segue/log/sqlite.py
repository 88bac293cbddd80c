"""The embedded log: a data folder with one SQLite file, and closed history beside it as Parquet."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import duckdb

from segue.domain.change import Change
from segue.log import (
    changes,
    entries,
    faults,
    firings,
    forget,
    history,
    identity,
    quality,
    quarantine,
    replay,
    scan,
    stretches,
)
from segue.log.batch import Entry, EventBatch, Quarantined, Record, Stretch
from segue.log.changes import ChangeColumns, ChangePage, Progress
from segue.log.firings import Fired, Firing
from segue.log.forget import Also
from segue.log.identity import Identity
from segue.log.lock import FolderLock
from segue.log.quality import Count
from segue.log.quarantine import Held
from segue.log.scan import Hashes, Portion
from segue.log.store import Store


class SqliteLog:
    """The durable record in one data folder, owned by this process until :meth:`close`.

    Any thread may call any method. What a writing method wrote is on disk when it returns; when it
    raises E604, nothing of it was written and the log goes on as before.
    """

    def __init__(self, folder: Path, running: str) -> None:
        """Open a folder, made where it is missing: :meth:`open` is the door."""
        self.folder = folder
        try:
            (folder / history.FOLDER).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise faults.no_folder(folder, error.strerror or str(error)) from error
        self._lock = FolderLock(folder, running)
        self._upkeep = threading.Lock()
        try:
            self._store = Store(folder)
            try:
                stretches.check(self._store)
                forget.try_to_finish(self._store)
                self._next_seq = self._stored_next_seq()
            except BaseException:
                self._store.close()
                raise
        except BaseException:
            self._lock.release()
            raise

    @classmethod
    def open(cls, folder: Path, *, create: bool = True, running: str = "segue") -> SqliteLog:
        """Take ownership of a data folder; ``running`` is what another process that wants it is told.

        Errors: E601 in use, E602 written by a newer version, E603 damaged, E604 not writable,
        E605 no such folder (with ``create=False``) or none can be made.
        """
        if not create and not (folder / "log.db").is_file():
            raise faults.no_folder(folder, "nothing was imported or served there yet")
        return cls(folder, running)

    def close(self) -> None:
        """Give the folder free."""
        self._store.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- the log ----

    @property
    def next_seq(self) -> int:
        """The seq that the next event or record gets; the first one is 1."""
        return self._next_seq

    def append(
        self,
        batches: Sequence[EventBatch | Record],
        quarantined: Sequence[Quarantined] = (),
        counts: Sequence[Count] = (),
        imported: bool = False,
    ) -> None:
        """One durable transaction; the seqs go on from ``next_seq`` without a gap (ValueError).

        What is ``imported`` comes from a file, and is history to triggers.
        """
        packed = [entries.pack(entry) for entry in batches]
        with self._store.transaction() as connection:
            entries.write(connection, packed)
            for entry in packed if imported else ():
                firings.note_imported(connection, entry.first_seq, entry.last_seq)
            quarantine.write(connection, quarantined)
            quality.add(connection, counts)
        self._next_seq = packed[-1].last_seq + 1 if packed else self._next_seq
        quality.tell(counts)

    def history_path(self, first_seq: int) -> Path:
        """Where to write the file of a stretch that begins with ``first_seq``."""
        return history.fresh_path(self.folder, first_seq)

    def append_stretch(
        self, stretch: Stretch, quarantined: Sequence[Quarantined] = (), counts: Sequence[Count] = ()
    ) -> None:
        """Take in events whose file stands at a :meth:`history_path`, and what was set aside, at once.

        The file is made durable first; E604 when it cannot be.
        """
        stretches.register(self._store, stretch, quarantined, counts)
        self._next_seq = stretch.to_seq + 1
        quality.tell(counts)

    def read(self, after_seq: int, upto: int | None = None, whole: bool = True) -> Iterator[Entry]:
        """Everything with ``after_seq < seq <= upto``, in order; what is appended meanwhile is left out.

        Without ``whole``, stretches do not say whose profiles began with them.
        """
        return entries.read(self._store, after_seq, self._next_seq - 1 if upto is None else upto, whole)

    def replay(self, after_seq: int = 0, upto: int | None = None) -> Iterator[EventBatch | Record]:
        """What :meth:`read` gives, with the events of stretches as batches too; bodies are decoded late."""
        return replay.replay(self._store, after_seq, self._next_seq - 1 if upto is None else upto)

    def records(self, kind: str, after_seq: int = 0) -> list[Record]:
        """All records of one kind with ``seq > after_seq``, in order."""
        with self._store.reading() as connection:
            return entries.records(connection, kind, after_seq)

    def read_stretch(self, stretch: Stretch) -> Iterator[EventBatch]:
        """The events of one stretch within its bounds, as batches with their marks."""
        return replay.of_stretch(self.folder, stretch)

    def close_stretch(self, min_events: int) -> int:
        """Move the batches to history files when they hold ``min_events`` (at least 1); how many moved."""
        with self._upkeep:
            return stretches.close(self._store, max(1, min_events))

    def scan(self, connection: duckdb.DuckDBPyConnection, after: int = 0, upto: int | None = None) -> str:
        """SQL to stand after FROM on that connection: all events with ``after < seq <= upto``."""
        return scan.events_sql(self._store, connection, after, upto)

    def portions(
        self, connection: duckdb.DuckDBPyConnection, after: int = 0, upto: int | None = None
    ) -> list[Portion]:
        """The same where it lies, for who reads the properties' own columns."""
        return scan.portions(self._store, connection, after, upto)

    def message_hashes(
        self, connection: duckdb.DuckDBPyConnection, since_received_at: int | None, after: int = 0
    ) -> Hashes:
        """(high, low, received_at) of the fingerprint of every event with ``seq > after``, in no order."""
        return scan.hashes(self._store, connection, since_received_at, after)

    def identity(self) -> Identity:
        """Everyone."""
        with self._store.reading() as connection:
            return identity.load(connection)

    # ---- changes ----

    def append_changes(
        self, progress: Progress, columns: ChangeColumns | None = None, fired: Fired | None = None
    ) -> None:
        """Store changes and firings with the progress that made them; numbers leave no gap (ValueError)."""
        also = None if fired is None else partial(firings.write, fired=fired)
        changes.append(self._store, progress, columns, also)

    def progress(self) -> Progress:
        """How far the log has been evaluated."""
        with self._store.reading() as connection:
            return changes.progress(connection)

    def changes(
        self,
        after: int = 0,
        upto: int | None = None,
        segment: str | None = None,
        limit: int | None = None,
        rows: Sequence[int] | None = None,
    ) -> Iterator[ChangePage]:
        """Changes with ``after < seq <= upto`` in order, in pages that are never empty."""
        return changes.read(self._store, after, upto, segment, limit, rows)

    def last_change(self, row: int, segment: str, at_most: int) -> Change | None:
        """The newest change of one membership up to a moment (ms)."""
        found = changes.of_row(self._store, row, segment, at_most, last_only=True)
        return found[0] if found else None

    def changes_of(self, row: int) -> list[Change]:
        """All changes of one profile, in order."""
        return changes.of_row(self._store, row)[::-1]

    # ---- firings ----

    def append_firings(self, fired: Fired) -> None:
        """Store firings that came of something else than the log."""
        with self._store.transaction() as connection:
            firings.write(connection, fired)

    def firings(self, after: int, limit: int) -> list[Firing]:
        """Firings with ``number > after`` in order, at most ``limit``."""
        return firings.read(self._store, after, limit)

    def going_back(self) -> set[tuple[str, int]]:
        """The (trigger, row) of all who are between two thresholds."""
        return firings.going_back(self._store)

    def imported(self, after: int) -> set[int]:
        """Where the batches from files beyond a position begin; those before it are forgotten."""
        return firings.imported(self._store, after)

    # ---- quarantine ----

    def quarantine_list(self, state: str | None = "open", after: int = 0, limit: int = 1000) -> list[Held]:
        """Events set aside with ``id > after``, in order of id; ``state`` None is every state."""
        with self._store.reading() as connection:
            return quarantine.select(connection, state, after, limit)

    def quarantine_get(self, number: int) -> Held | None:
        """One event set aside."""
        with self._store.reading() as connection:
            return quarantine.get(connection, number)

    def quarantine_mark(self, numbers: Iterable[int], state: str) -> int:
        """Make events ``open``, ``replayed`` or ``dropped``; how many there were."""
        with self._store.transaction() as connection:
            return quarantine.mark(connection, numbers, state)

    def quarantine_counts(self) -> dict[str, int]:
        """How many events are set aside, by state."""
        with self._store.reading() as connection:
            return quarantine.counts(connection)

    # ---- quality ----

    def quality(self) -> tuple[list[Count], quality.Held]:
        """Every count of what became of events, and what the log holds of them, as of one moment."""
        with self._store.reading() as connection:
            return quality.read(connection)

    # ---- forgetting ----

    def mentioned(self, also: Also) -> bool:
        """Whether a record or something set aside is of these ids, although no profile is."""
        return forget.mentioned(self._store, also)

    def forget(self, rows: set[int], seq: int, also: Also | None = None) -> None:
        """Erase all that the log holds of these profiles up to ``seq``, from every file of the log.

        ``also`` names what is known of them beside.

        Their changes keep their numbers under the id ``forgotten:<random>``, one for each row. When it
        raises E604 the rest is erased at the next call or open.
        """
        with self._upkeep:
            forget.forget(self._store, rows, seq, also or Also())

    def _stored_next_seq(self) -> int:
        with self._store.reading() as connection:
            return entries.next_seq(connection)

"""The register of history files: closing stretches of the log, and taking in those written by an import."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from segue.log import entries, faults, history, identity, quality, quarantine
from segue.log.batch import EventBatch, Quarantined, Stretch
from segue.log.quality import Count
from segue.log.store import Store

_EVENTS_IN_FILE_MAX = 100_000
_INSERT = (
    "INSERT INTO stretches (from_seq, to_seq, path, bytes, events, received_min, received_max, shape, digest)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def register(
    store: Store, stretch: Stretch, quarantined: Sequence[Quarantined], counts: Sequence[Count] = ()
) -> None:
    """Append a stretch whose file stands under ``history/``; the next seq must be its first (ValueError)."""
    file = store.folder / history.FOLDER / stretch.path
    if stretch.count != stretch.to_seq - stretch.from_seq + 1:
        raise ValueError(f"{stretch.count} events do not fill seq {stretch.from_seq} to {stretch.to_seq}")
    try:
        history.sync(file)
    except OSError as error:
        raise faults.not_written(file, error.strerror or str(error)) from error
    marks = identity.of_stretch(stretch)
    created_at = _created_at(file, [seq for seq, _, _ in marks.created])
    with store.transaction() as connection:
        upcoming = entries.next_seq(connection)
        if stretch.from_seq != upcoming:
            raise ValueError(f"seq {stretch.from_seq} was appended where {upcoming} is next")
        add(connection, store.folder, stretch)
        identity.write(connection, marks, created_at)
        quarantine.write(connection, quarantined)
        quality.add(connection, counts)
        entries.set_next_seq(connection, stretch.to_seq + 1)


def _created_at(file: Path, seqs: list[int]) -> list[int]:
    """When the profiles made at some seqs came to be: the ``received_at`` of those events."""
    if not seqs:
        return []
    with history.connect() as connection:
        connection.register("made", {"place": np.arange(len(seqs)), "seq": np.array(seqs, np.int64)})
        found = connection.execute(
            f"SELECT received_at FROM read_parquet({history.quoted(file)}) JOIN made USING (seq)"
            " ORDER BY place"
        ).fetchnumpy()
    times: list[int] = found["received_at"].tolist()
    return times


def add(connection: sqlite3.Connection, folder: Path, stretch: Stretch) -> None:
    """Put a stretch into the register."""
    file = folder / history.FOLDER / stretch.path
    connection.execute(
        _INSERT,
        (
            stretch.from_seq,
            stretch.to_seq,
            stretch.path,
            file.stat().st_size,
            stretch.count,
            stretch.received_min,
            stretch.received_max,
            stretch.shape.to_text(),
            history.digest_of(file),
        ),
    )


def close(store: Store, min_events: int) -> int:
    """Move the batches of the log into history files when they hold ``min_events``; how many were moved.

    A crash leaves either the batches or the file; a file that is not in the register goes at the next open.
    """
    with store.reading() as connection:
        runs = list(_runs(connection))
    if sum(events for _, _, events in runs) < min_events:
        return 0
    for first, last, _ in runs:
        _move(store, first, last)
    return sum(events for _, _, events in runs)


def _runs(connection: sqlite3.Connection) -> Iterator[tuple[int, int, int]]:
    """(first seq, last seq, events) of runs of batches with no stretch between, none too large for a file."""
    starts = [seq for (seq,) in connection.execute("SELECT from_seq FROM stretches ORDER BY from_seq")]
    first, last, events, next_stretch = 0, 0, 0, 0
    for begin, end in connection.execute("SELECT first_seq, last_seq FROM batches ORDER BY first_seq"):
        crossed = next_stretch
        while crossed < len(starts) and starts[crossed] < begin:
            crossed += 1
        if events and (crossed > next_stretch or events >= _EVENTS_IN_FILE_MAX):
            yield first, last, events
            events = 0
        next_stretch = crossed
        first, last = begin if not events else first, end
        events += end - begin + 1
    if events:
        yield first, last, events


def _move(store: Store, first: int, last: int) -> None:
    path = history.fresh_path(store.folder, first)
    batches = (entry for entry in entries.read(store, first - 1, last) if isinstance(entry, EventBatch))
    count, received_min, received_max, shape = history.write_file(path, batches)
    with store.transaction() as connection:
        add(
            connection,
            store.folder,
            Stretch(path.name, first, last, count, received_min, received_max, shape),
        )
        connection.execute("DELETE FROM batches WHERE first_seq BETWEEN ? AND ?", (first, last))
        turn_over(connection)


def turn_over(connection: sqlite3.Connection) -> None:
    """Events moved or went: tables that readers filled from the batches are no longer right."""
    connection.execute("UPDATE position SET generation = generation + 1")


def generation(connection: sqlite3.Connection) -> int:
    """How often events have moved or gone."""
    found: int = connection.execute("SELECT generation FROM position").fetchone()[0]
    return found


def check(store: Store) -> None:
    """Remove files that no stretch names; E603 when one that is named is missing or of another size."""
    folder = store.folder / history.FOLDER
    with store.reading() as connection:
        sizes = dict(connection.execute("SELECT path, bytes FROM stretches").fetchall())
    for name, size in sizes.items():
        file = folder / name
        if not file.is_file():
            raise faults.damaged(file, "the file is missing")
        if file.stat().st_size != size:
            raise faults.damaged(file, f"it has {file.stat().st_size} bytes, {size} were written")
    for file in folder.iterdir():
        if file.name not in sizes:
            file.unlink()

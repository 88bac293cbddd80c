"""All events of a range for DuckDB: the history files and, as a temporary table, what is not yet in one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from segue.log import entries, fingerprint, history, stretches
from segue.log.batch import EventBatch, Stretch
from segue.log.pack import ints64, unpack_batch, unpack_columns
from segue.log.shape import PLAIN, Shape
from segue.log.store import Store

_TAIL = "segue_tail"
Hashes = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.int64]]


def events_sql(store: Store, target: duckdb.DuckDBPyConnection, after: int, upto: int | None) -> str:
    """A parenthesized SELECT over the events with ``after < seq <= upto``, for a FROM on that connection.

    Its columns are those of :data:`segue.log.history.COLUMNS`. The text holds until the next
    ``close_stretch`` or ``forget``; then ask again.
    """
    with store.reading() as connection:
        last = entries.next_seq(connection) - 1 if upto is None else upto
        files = entries.registered(connection, after + 1, last)
        tail = _filled_tail(connection, target)
    bounds = f"WHERE seq > {after} AND seq <= {last}"
    parts = [
        f"SELECT {shape.column_list(history.COLUMNS)} FROM {_files_sql(store, alike)} {bounds}"
        for shape, alike in _by_shape(files).items()
    ]
    parts.append(f"SELECT {history.COLUMN_LIST} FROM {tail} {bounds}")
    return "(" + " UNION ALL ".join(parts) + ")"


def _by_shape(files: Iterable[Stretch]) -> dict[Shape, list[Stretch]]:
    """Files that can be read together."""
    found: dict[Shape, list[Stretch]] = {}
    for file in files:
        found.setdefault(file.shape, []).append(file)
    return found


def _files_sql(store: Store, files: Iterable[Stretch]) -> str:
    paths = ", ".join(history.quoted(history.sound(store.folder, file)) for file in files)
    return f"read_parquet([{paths}])"


@dataclass(frozen=True, slots=True)
class Portion:
    """Events with ``first <= seq <= last`` that lie in one place, in rising order of seq.

    ``held`` stands after FROM and has the columns that ``shape`` says; ``events`` gives all of history.
    """

    held: str
    shape: Shape
    first: int
    last: int

    @property
    def events(self) -> str:
        """To stand after FROM."""
        return f"(SELECT {self.shape.column_list(history.COLUMNS)} FROM {self.held})"


def portions(store: Store, target: duckdb.DuckDBPyConnection, after: int, upto: int | None) -> list[Portion]:
    """The events with ``after < seq <= upto``, in order; it holds as long as :func:`events_sql`.

    A portion may hold more than its bounds, which whoever reads it minds.
    """
    with store.reading() as connection:
        last = entries.next_seq(connection) - 1 if upto is None else upto
        files = entries.registered(connection, after + 1, last)
        gaps = [gap for gap in _gaps(after + 1, last, files) if _has_batches(connection, *gap)]
        tail = _filled_tail(connection, target) if gaps else ""
    found = [
        Portion(_files_sql(store, [file]), file.shape, max(after + 1, file.from_seq), min(last, file.to_seq))
        for file in files
    ]
    found += [Portion(tail, PLAIN, first, until) for first, until in gaps]
    return sorted(found, key=lambda portion: portion.first)


def _has_batches(connection: sqlite3.Connection, first: int, last: int) -> bool:
    found = connection.execute(
        "SELECT 1 FROM batches WHERE last_seq >= ? AND first_seq <= ? LIMIT 1", (first, last)
    )
    return found.fetchone() is not None


def _gaps(first: int, last: int, files: Iterable[Stretch]) -> Iterator[tuple[int, int]]:
    """What lies in no file."""
    for file in files:
        if first < file.from_seq:
            yield first, file.from_seq - 1
        first = file.to_seq + 1
    if first <= last:
        yield first, last


def _filled_tail(connection: sqlite3.Connection, target: duckdb.DuckDBPyConnection) -> str:
    """The name of a temporary table that holds every event of the batches; only new ones are decoded."""
    name = f"{_TAIL}_{stretches.generation(connection)}"
    held = [
        table
        for (table,) in target.execute(
            f"SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '{_TAIL}%'"
        ).fetchall()
    ]
    for table in held:
        if table != name:
            target.execute(f"DROP TABLE {table}")
    if name not in held:
        history.create_table(target, name)
    top = target.execute(f"SELECT coalesce(max(seq), 0) FROM {name}").fetchall()[0][0]
    history.insert(target, name, _batches_after(connection, top))
    return name


def _batches_after(connection: sqlite3.Connection, seq: int) -> Iterator[EventBatch]:
    for row in connection.execute(
        "SELECT first_seq, columns, raws FROM batches WHERE first_seq > ? ORDER BY first_seq", (seq,)
    ):
        yield unpack_batch(*row)


def hashes(store: Store, target: duckdb.DuckDBPyConnection, since: int | None, after: int) -> Hashes:
    """The fingerprint's halves and ``received_at`` (ms) of every event received at ``since`` or later.

    Those with ``seq <= after``, where a batch must end, are left out.
    """
    with store.reading() as connection:
        files = [
            stretch
            for stretch in entries.registered(connection, after + 1, entries.next_seq(connection))
            if since is None or stretch.received_max >= since
        ]
        sources, ids, received = _tail_ids(connection, after)
    target.register(
        "segue_ids",
        {"source": history.objects(sources), "message_id": history.objects(ids), "received_at": received},
    )
    late = "TRUE" if since is None else f"received_at >= {since}"
    query = f"SELECT source, message_id, received_at FROM segue_ids WHERE {late}"
    for shape, alike in _by_shape(files).items():
        columns = shape.column_list(("source", "message_id", "received_at"))
        chosen = f"SELECT {columns} FROM {_files_sql(store, alike)} WHERE seq > {after} AND {late}"
        query = f"{chosen} UNION ALL {query}"
    found = target.execute(fingerprint.fingerprint_sql(f"({query})")).fetchnumpy()
    target.unregister("segue_ids")
    return found["high"], found["low"], found["received_at"]


def _tail_ids(
    connection: sqlite3.Connection, after: int
) -> tuple[list[str], list[str], npt.NDArray[np.int64]]:
    sources: list[str] = []
    ids: list[str] = []
    received: list[int] = []
    for first_seq, blob in connection.execute(
        "SELECT first_seq, columns FROM batches WHERE first_seq > ?", (after,)
    ):
        columns = unpack_columns(blob, first_seq)
        sources.extend([columns.source] * len(columns.message_ids))
        ids.extend(columns.message_ids)
        received.extend(ints64(columns.received))
    return sources, ids, np.array(received, np.int64)

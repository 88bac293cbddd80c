"""All events of a range for DuckDB: the history files and, as a temporary table, what is not yet in one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import duckdb
import numpy as np
import numpy.typing as npt

from segue.log import entries, fingerprint, history, stretches
from segue.log.batch import EventBatch
from segue.log.pack import ints64, unpack_batch, unpack_columns
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
        files = [stretch.path for stretch in entries.registered(connection, after + 1, last)]
        tail = _filled_tail(connection, target)
    bounds = f"WHERE seq > {after} AND seq <= {last}"
    parts = [f"SELECT {history.COLUMN_LIST} FROM {tail} {bounds}"]
    if files:
        parts.insert(0, f"SELECT {history.SENT_LIST} FROM {_files_sql(store, files)} {bounds}")
    return "(" + " UNION ALL ".join(parts) + ")"


def _files_sql(store: Store, names: list[str]) -> str:
    paths = ", ".join(history.quoted(store.folder / history.FOLDER / name) for name in names)
    return f"read_parquet([{paths}])"


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


def hashes(store: Store, target: duckdb.DuckDBPyConnection, since: int | None) -> Hashes:
    """The fingerprint's halves and ``received_at`` (ms) of every event received at ``since`` or later."""
    with store.reading() as connection:
        files = [
            stretch.path
            for stretch in entries.registered(connection, 0, entries.next_seq(connection))
            if since is None or stretch.received_max >= since
        ]
        sources, ids, received = _tail_ids(connection)
    target.register(
        "segue_ids",
        {"source": history.objects(sources), "message_id": history.objects(ids), "received_at": received},
    )
    query = "SELECT source, message_id, received_at FROM segue_ids"
    if files:
        query = f"SELECT source, message_id, received_at FROM {_files_sql(store, files)} UNION ALL {query}"
    bound = "" if since is None else f"WHERE received_at >= {since}"
    found = target.execute(fingerprint.fingerprint_sql(f"({query}) {bound}")).fetchnumpy()
    target.unregister("segue_ids")
    return found["high"], found["low"], found["received_at"]


def _tail_ids(connection: sqlite3.Connection) -> tuple[list[str], list[str], npt.NDArray[np.int64]]:
    sources: list[str] = []
    ids: list[str] = []
    received: list[int] = []
    for first_seq, blob in connection.execute("SELECT first_seq, columns FROM batches"):
        columns = unpack_columns(blob, first_seq)
        sources.extend([columns.source] * len(columns.message_ids))
        ids.extend(columns.message_ids)
        received.extend(ints64(columns.received))
    return sources, ids, np.array(received, np.int64)

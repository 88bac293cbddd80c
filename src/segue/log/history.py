"""Closed stretches of the log as Parquet files under ``history/``."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from segue.domain.errors import SegueError
from segue.log import faults, schema
from segue.log.batch import EventBatch, Stretch
from segue.log.body import context_json, properties_json, traits_json
from segue.log.shape import Shape
from segue.log.typed import typed

FOLDER = schema.HISTORY
COLUMNS = {
    "seq": "BIGINT",
    "row": "INTEGER",
    "source": "VARCHAR",
    "type": "VARCHAR",
    "name": "VARCHAR",
    "timestamp": "BIGINT",
    "received_at": "BIGINT",
    "message_id": "VARCHAR",
    "group_id": "VARCHAR",
    "properties": "VARCHAR",
    "context": "VARCHAR",
    "traits": "VARCHAR",
    "raw": "VARCHAR",
}
"""Of history, in order; times are ms, the three objects normalized JSON, ``raw`` as sent.

A file may hold them otherwise: :class:`segue.log.shape.Shape` says how they are had from it.
"""
COLUMN_LIST = ", ".join(f'"{name}"' for name in COLUMNS)
PARQUET_OPTIONS = (
    "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 100000"
)
_EVENTS_AT_ONCE = 50_000

Objects = npt.NDArray[np.object_]


def fresh_path(folder: Path, first_seq: int) -> Path:
    """A name for a new history file that no other has; files of one log sort by their first seq."""
    return folder / FOLDER / f"{first_seq:015}-{secrets.token_hex(4)}.parquet"


def connect() -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own, which leaves nothing of what it works on anywhere but in memory."""
    return duckdb.connect(":memory:", config={"threads": 1, "temp_directory": ""})


def quoted(path: Path) -> str:
    """A path as an SQL string."""
    return "'" + str(path).replace("'", "''") + "'"


def create_table(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """An empty temporary table with the columns of history."""
    columns = ", ".join(f'"{column}" {kind}' for column, kind in COLUMNS.items())
    connection.execute(f"CREATE TEMP TABLE {name} ({columns})")


def insert(connection: duckdb.DuckDBPyConnection, name: str, batches: Iterable[EventBatch]) -> None:
    """Add events to a table made by :func:`create_table`."""
    for group in _groups(batches):
        connection.register("segue_incoming", _tabulate(group))
        connection.execute(f"INSERT INTO {name} SELECT {COLUMN_LIST} FROM segue_incoming")
        connection.unregister("segue_incoming")


def _groups(batches: Iterable[EventBatch]) -> Iterator[list[EventBatch]]:
    group: list[EventBatch] = []
    size = 0
    for batch in batches:
        group.append(batch)
        size += len(batch)
        if size >= _EVENTS_AT_ONCE:
            yield group
            group, size = [], 0
    if size:
        yield group


def _tabulate(batches: Sequence[EventBatch]) -> dict[str, npt.NDArray[Any]]:
    """The events of batches as columns."""
    events = [(body, kind) for batch in batches for body, kind in zip(batch.bodies, batch.types, strict=True)]
    return {
        "seq": np.concatenate([np.arange(b.first_seq, b.first_seq + len(b)) for b in batches]),
        "row": np.array([row for b in batches for row in b.rows], np.int32),
        "source": objects([b.source for b in batches for _ in b.rows]),
        "type": objects([kind for b in batches for kind in b.types]),
        "name": objects([name for b in batches for name in b.names]),
        "timestamp": np.array([at for b in batches for at in b.timestamps], np.int64),
        "received_at": np.array([at for b in batches for at in b.received], np.int64),
        "message_id": objects([name for b in batches for name in b.message_ids]),
        "group_id": objects([name for b in batches for name in b.group_ids]),
        "properties": objects([_text(properties_json(body, kind)) for body, kind in events]),
        "context": objects([_text(context_json(body)) for body, _ in events]),
        "traits": objects([_text(traits_json(body, kind)) for body, kind in events]),
        "raw": objects([_text(raw) for b in batches for raw in b.raws]),
    }


def objects(values: Sequence[object]) -> Objects:
    """Strings and None as a column that DuckDB reads as VARCHAR."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def write_file(path: Path, batches: Iterable[EventBatch]) -> tuple[int, int, int, Shape]:
    """A new history file, on disk when it ends, of batches that hold at least one event.

    Gives (events, smallest, largest ``received_at``, shape); E604 when the disk does not take the file.
    """
    with connect() as connection:
        create_table(connection, "stretch")
        insert(connection, "stretch", batches)
        found = connection.execute("SELECT properties FROM stretch").fetchall()
        shape, columns = typed(text for (text,) in found)
        if columns:
            connection.register("segue_typed", columns)
            copy_to(connection, "SELECT * FROM stretch POSITIONAL JOIN segue_typed", path)
        else:
            copy_to(connection, "SELECT * FROM stretch", path)
        return (*summary(connection, "stretch"), shape)


def summary(connection: duckdb.DuckDBPyConnection, events: str) -> tuple[int, int, int]:
    """(events, smallest, largest ``received_at``) of what stands after FROM."""
    found = connection.execute(f"SELECT count(*), min(received_at), max(received_at) FROM {events}")
    count, low, high = found.fetchall()[0]
    return count, low, high


def copy_to(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write what a query gives, in its order, to a history file; nothing is left of it when that fails."""
    try:
        path.parent.mkdir(exist_ok=True)
        connection.execute(f"COPY ({query}) TO {quoted(path)} ({PARQUET_OPTIONS})")
        sync(path)
    except (duckdb.IOException, OSError) as error:
        path.unlink(missing_ok=True)
        raise faults.not_written(path, str(error)) from error
    except duckdb.Error:
        path.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Bring a file and its name to disk."""
    for target in (path, path.parent):
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def digest_of(file: Path) -> bytes:
    """What the bytes of a file come to: Parquet as DuckDB writes it has no sums of its own."""
    status = file.stat()
    return _digest(file, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=65_536)
def _digest(file: Path, _size: int, _changed: int) -> bytes:
    """Once for each file as long as it stays as it is."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


def sound(folder: Path, stretch: Stretch) -> Path:
    """The file of a stretch in a data folder; E603 when it is not what was written."""
    file = folder / FOLDER / stretch.path
    try:
        if stretch.digest and digest_of(file) != stretch.digest:
            raise faults.damaged(file, "its bytes are not those that were written")
    except OSError as error:
        raise faults.damaged(file, error.strerror or str(error)) from error
    return file


def unreadable(file: object, error: duckdb.Error) -> SegueError:
    """E603 for a history file that DuckDB cannot read."""
    return faults.damaged(file, str(error).splitlines()[0])

"""Parquet files: read part by part when their rows stand in the order in which they count."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from segue.ingest.files import faults
from segue.ingest.files.expressions import Expressions, identifier
from segue.ingest.files.mapping import Mapping
from segue.ingest.files.table import (
    Source,
    Table,
    columns_of,
    exact_path,
    fill,
    look_at,
    measured,
    sentence,
)
from segue.ingest.reject import Rejected
from segue.log.history import connect

_NUMBER = "file_row_number"


def stage_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping
) -> tuple[Expressions, list[Rejected]]:
    """Read a Parquet file; every row can be read or none: E543."""
    look_at(path)
    sql = f"read_parquet({exact_path(path)})"
    try:
        return fill(connection, path, mapping, Source(sql, columns_of(connection, sql))), []
    except duckdb.Error as error:
        raise faults.not_parquet(path, sentence(error)) from error


@dataclass(slots=True)
class _Streamed(Table):
    """A file of which ``ordered`` holds one part at a time; ``said`` is the mapping as it was given."""

    said: Mapping

    def load(self, done: int, upto: int) -> None:
        """Have the rows with ``done < place <= upto`` there, and no others."""
        numbered = f"read_parquet({exact_path(self.path)}, {_NUMBER} = true)"
        part = f"(SELECT * FROM {numbered} WHERE {_NUMBER} >= {done} AND {_NUMBER} < {upto})"
        columns = {name: field.kind for name, field in self.expressions.fields.items()}
        filled = fill(self.connection, self.path, self.said, Source(part, columns), f"{_NUMBER} + 1")
        self.expressions = measured(self.connection, filled)


def streamed_parquet(path: Path, mapping: Mapping) -> Table | None:
    """A file to be read part by part; None when its rows must be put in order or named by their content.

    All of it is read once before anything is taken, so that every row can be read or none: E543.
    """
    look_at(path)
    connection = connect()
    connection.execute("SET TimeZone = 'UTC'")
    sql = f"read_parquet({exact_path(path)})"
    try:
        source = Source(sql, columns_of(connection, sql))
        if _NUMBER in source.columns:
            return None
        expressions = fill(connection, path, mapping, Source(f"{sql} LIMIT 0", source.columns))
        connection.execute("CREATE TEMP TABLE again (place BIGINT, nth BIGINT)")
        rows, back, nameless = _looked_through(connection, expressions, source)
    except duckdb.Error as error:
        raise faults.not_parquet(path, sentence(error)) from error
    if back or nameless:
        connection.close()
        return None
    return _Streamed(connection, path, expressions, rows, [], mapping)


def _looked_through(
    connection: duckdb.DuckDBPyConnection, expressions: Expressions, source: Source
) -> tuple[int, int, int]:
    """How many rows there are, how many received before the one above, how many without a message id."""
    named = expressions.mapping
    if named.message_id is None:
        return 0, 0, 1
    chosen = ", ".join(f"{identifier(name)} AS {field.sql}" for name, field in expressions.fields.items())
    cells = ", ".join(field.sql for field in expressions.fields.values())
    received = f"coalesce({expressions.time(named.received_at)}, {expressions.time(named.timestamp)})"
    found = connection.execute(
        f"SELECT count(*), count_if(received < above), count_if(id IS NULL), bit_xor(cells) FROM"
        f" (SELECT received, lag(received) OVER () AS above, id, cells FROM (SELECT {received} AS received,"
        f" {expressions.text(named.message_id)} AS id, hash({cells}) AS cells"
        f" FROM (SELECT {chosen} FROM {source.sql})))"
    ).fetchall()[0]
    return int(found[0]), int(found[1] or 0), int(found[2] or 0)

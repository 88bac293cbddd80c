"""Parquet files."""

from __future__ import annotations

from pathlib import Path

import duckdb

from segue.ingest.files import faults
from segue.ingest.files.expressions import Expressions
from segue.ingest.files.mapping import Mapping
from segue.ingest.files.table import Source, columns_of, exact_path, fill, look_at, sentence
from segue.ingest.reject import Rejected


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

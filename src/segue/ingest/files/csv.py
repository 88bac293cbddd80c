"""CSV files: a header, UTF-8, numbers and dates recognized, perhaps packed as .gz."""

from __future__ import annotations

from pathlib import Path

import duckdb

from segue.ingest import reject
from segue.ingest.files import faults
from segue.ingest.files.expressions import Expressions, literal
from segue.ingest.files.mapping import Mapping
from segue.ingest.files.table import Source, columns_of, exact_path, fill, look_at, sentence
from segue.ingest.reject import Rejected

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LINES_LOOKED_AT = 20_480
_ALL_LINES = -1


def stage_csv(
    connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping
) -> tuple[Expressions, list[Rejected]]:
    """Read a CSV file; lines that are none are set aside, a file of other bytes than UTF-8 is E542.

    Types are told from the first lines; when a later one does not fit, all are looked at.
    """
    if look_at(path)[:2] in _UTF16:
        raise faults.encoding(path, "it begins with the mark of UTF-16")
    try:
        expressions = _filled(connection, path, mapping, _LINES_LOOKED_AT)
        if _wrong(connection, "CAST"):
            connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
            expressions = _filled(connection, path, mapping, _ALL_LINES)
    except duckdb.Error as error:
        if "unicode" in str(error).lower() or "utf-8" in str(error).lower():
            raise faults.encoding(path, sentence(error)) from error
        raise faults.unreadable(path, sentence(error)) from error
    bad = _wrong(connection, "INVALID ENCODING")
    if bad:
        raise faults.encoding(path, f"line {bad[0].place} holds other bytes")
    return expressions, _wrong(connection)


def _filled(connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, lines: int) -> Expressions:
    file = exact_path(path)
    header = columns_of(connection, f"read_csv({file}, header = true, all_varchar = true)")
    ids = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in mapping.ids(list(header)))
    types = f", types = {{{ids}}}" if ids else ""
    sql = f"read_csv({file}, header = true, store_rejects = true, sample_size = {lines}{types})"
    return fill(connection, path, mapping, Source(sql, columns_of(connection, sql)))


def _wrong(connection: duckdb.DuckDBPyConnection, kind: str | None = None) -> list[Rejected]:
    """The lines that could not be read, once each; of one kind of error, or all."""
    where = "" if kind is None else f"WHERE error_type = {literal(kind)}"
    found = connection.execute(
        "SELECT line, any_value(csv_line), any_value(error_message) FROM reject_errors"
        f" {where} GROUP BY line ORDER BY line"
    ).fetchall()
    return [Rejected(reject.BAD_ROW, said, (text or "").encode(), line) for line, text, said in found]

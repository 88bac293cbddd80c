"""A table from a file, staged in memory in the order in which its rows count: whole, or part by part."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Mapped
from dataclasses import dataclass
from pathlib import Path

import duckdb

from segue.ingest.files import faults
from segue.ingest.files.expressions import Expressions, Field, identifier, literal
from segue.ingest.files.mapping import Mapping
from segue.ingest.reject import Rejected
from segue.log.history import connect

_GLOBS = str.maketrans({"*": "[*]", "?": "[?]", "[": "[[]"})


@dataclass(frozen=True, slots=True)
class Source:
    """Something to stand after FROM, and its columns with their DuckDB types."""

    sql: str
    columns: dict[str, str]


@dataclass(slots=True)
class Table:
    """The staged file as the table ``ordered``: ``place`` from 1 in order, ``line`` in the file, ``sent``,
    ``received``, ``digest`` of the row, and the file's columns as ``c0``, ``c1``, …; beside it ``again``
    with the rows (``place``) that are the ``nth`` of their kind.
    """

    connection: duckdb.DuckDBPyConnection
    path: Path
    expressions: Expressions
    rows: int
    rejected: list[Rejected]

    def load(self, done: int, upto: int) -> None:
        """Have at least the rows with ``done < place <= upto`` there. All are."""


Stage = Callable[[duckdb.DuckDBPyConnection, Path, Mapping], tuple[Expressions, list[Rejected]]]
"""Fills the table ``ordered`` in file order; returns the expressions over it and the lines that are none."""


def exact_path(path: Path) -> str:
    """A path as an SQL string in which no letter stands for others."""
    return literal(str(path).translate(_GLOBS))


def open_table(path: Path, mapping: Mapping, stage: Stage) -> Table:
    """Read a whole file; E54x when it is none of its kind or lacks a column."""
    connection = connect()
    connection.execute("SET TimeZone = 'UTC'")
    expressions, rejected = stage(connection, path, mapping)
    known = measured(connection, expressions)
    _put_in_order(connection)
    rows = connection.execute("SELECT count(*) FROM ordered").fetchall()[0][0]
    return Table(connection, path, known, rows, rejected)


def fill(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    mapping: Mapping,
    source: Source,
    line: str = "row_number() OVER ()",
) -> Expressions:
    """Read a source into ``ordered``; duckdb.Error when its contents are not what its head says."""
    settled = mapping.settled(path, list(source.columns))
    fields = {name: Field(f"c{at}", kind) for at, (name, kind) in enumerate(source.columns.items())}
    expressions = Expressions(settled, fields)
    chosen = ", ".join(f"{identifier(name)} AS {field.sql}" for name, field in fields.items())
    sent, received = expressions.time(settled.timestamp), expressions.time(settled.received_at)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE ordered AS SELECT *, line AS place,"
        f" coalesce(stamped, sent) AS received, {expressions.digest()} AS digest FROM"
        f" (SELECT *, {sent} AS sent, {received} AS stamped FROM"
        f" (SELECT {chosen}, {line} AS line FROM {source.sql}))"
    )
    return expressions


def measured(connection: duckdb.DuckDBPyConnection, expressions: Expressions) -> Expressions:
    """The same, told what the values of what was filled are like."""
    return Expressions(expressions.mapping, _measured(connection, expressions.fields))


def _measured(connection: duckdb.DuckDBPyConnection, fields: Mapped[str, Field]) -> dict[str, Field]:
    asked = [part for field in fields.values() for part in _questions(field)]
    answers = iter(connection.execute(f"SELECT {', '.join(asked)} FROM ordered").fetchall()[0])
    return {
        name: Field(field.sql, field.kind, nullable=bool(next(answers)), longest=int(next(answers) or 0))
        for name, field in fields.items()
    }


def _questions(field: Field) -> tuple[str, str]:
    missing = f"count({field.sql}) < count(*)"
    if field.kind in ("FLOAT", "DOUBLE"):
        missing += f" OR count_if(NOT isfinite({field.sql})) > 0"
    return missing, f"max(strlen({field.sql}))" if field.kind == "VARCHAR" else "0"


def _put_in_order(connection: duckdb.DuckDBPyConnection) -> None:
    """Rows count in order of receipt, ties in file order; most files are written so.

    A row without a message id is named by its content and its how-manieth identical row it is.
    """
    disordered = connection.execute(
        "SELECT count(*) FROM (SELECT received < lag(received) OVER () AS back FROM ordered) WHERE back"
    ).fetchall()[0][0]
    if disordered:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE ordered AS SELECT * REPLACE (row_number() OVER () AS place) FROM"
            " (SELECT * FROM ordered ORDER BY received NULLS FIRST, line)"
        )
    connection.execute(
        "CREATE TEMP TABLE again AS SELECT * FROM (SELECT place,"
        " row_number() OVER (PARTITION BY digest ORDER BY line) AS nth FROM ordered SEMI JOIN"
        " (SELECT digest FROM ordered WHERE digest IS NOT NULL GROUP BY digest HAVING count(*) > 1)"
        " USING (digest)) WHERE nth > 1"
    )


def columns_of(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, str]:
    """The columns of something that can stand after FROM; duckdb.Error when it cannot be read."""
    found = connection.execute(f"DESCRIBE SELECT * FROM {sql}").fetchall()
    return {name: kind for name, kind, *_ in found}


def sentence(error: duckdb.Error) -> str:
    """What DuckDB says, in one line."""
    return str(error).strip().splitlines()[0]


def look_at(path: Path) -> bytes:
    """The first bytes of a file; E540 or E541 when there are none."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise faults.no_file(path, error.strerror or str(error)) from error
    if not start:
        raise faults.empty(path)
    return start

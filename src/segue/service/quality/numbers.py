"""Values that numeric aggregates pass over, found in the log itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import duckdb

from segue.domain.event import Json
from segue.language import tree
from segue.language.sql.quoting import extract_sql, text_sql
from segue.language.sql.readings import day_of, is_present, micro_of
from segue.language.walk import walk
from segue.log.sqlite import SqliteLog
from segue.segments.workspace import Workspace

Found = TypeVar("Found")
_TRIES = 3
_NUMERIC = frozenset(("sum", "avg", "min", "max"))


@dataclass(frozen=True, slots=True, order=True)
class Asked:
    """A property of which some aggregate takes the number; ``name`` is "" where any track event counts."""

    type: str
    name: str
    path: tuple[str, ...]

    @property
    def event(self) -> str:
        """The event as a condition names it."""
        return self.name or self.type


@dataclass(frozen=True, slots=True)
class NonNumeric:
    """How many values of a property were no number, by day of receipt and source."""

    day: str
    source: str
    asked: Asked
    number: int

    def to_json(self) -> dict[str, Json]:
        """As the report shows it."""
        return {
            "day": self.day,
            "source": self.source,
            "event": self.asked.event,
            "property": ".".join(self.asked.path),
            "count": self.number,
        }


def asked_for(workspace: Workspace) -> list[Asked]:
    """What the definitions of a workspace take the number of."""
    return sorted(set(_asked(workspace.roots())))


def _asked(roots: Iterable[tree.Condition | tree.Operand]) -> Iterator[Asked]:
    for root in roots:
        for node in walk(root):
            if isinstance(node, tree.Aggregate) and node.name in _NUMERIC:
                yield Asked(node.event.type, node.event.name or "", node.path)


def non_numeric(log: SqliteLog, workspace: Workspace, after: int, upto: int) -> list[NonNumeric]:
    """The values passed over in the events with ``after < seq <= upto``."""
    asked = asked_for(workspace)
    if not asked or after >= upto:
        return []
    day = f"CAST({day_of('received_at', workspace.settings.timezone)} AS VARCHAR)"
    counts = ", ".join(f"count(*) FILTER (WHERE {_passed_over(each)})" for each in asked)
    with duckdb.connect() as connection:
        rows = steadily(
            lambda: connection.execute(
                f"SELECT {day}, source, {counts} FROM {log.scan(connection, after, upto)}"
                " GROUP BY ALL ORDER BY ALL"
            ).fetchall()
        )
    return [
        NonNumeric(row[0], row[1], each, number)
        for row in rows
        for each, number in zip(asked, row[2:], strict=True)
        if number
    ]


def steadily(read: Callable[[], Found]) -> Found:
    """What a reader of the log's files finds; read again when one of them was replaced under its hands."""
    for _ in range(_TRIES):
        try:
            return read()
        except duckdb.IOException:
            continue
    return read()


def by_row(found: Iterable[NonNumeric]) -> Mapping[tuple[str, str], int]:
    """How many there are by day and source."""
    totals: dict[tuple[str, str], int] = {}
    for each in found:
        key = (each.day, each.source)
        totals[key] = totals.get(key, 0) + each.number
    return totals


def _passed_over(asked: Asked) -> str:
    value = extract_sql("properties", asked.path)
    named = f" AND name = {text_sql(asked.name)}" if asked.name else ""
    kind = "" if asked.type == "any" else f" AND type = {text_sql(asked.type)}"
    return f"{is_present(value)} AND {micro_of(value)} IS NULL{kind}{named}"

"""Columns that are set from outside: which there are, and how their values are read."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from segue.engine.program.compile import Compiled
from segue.engine.program.readings import Question, Reader


@dataclass(frozen=True, slots=True)
class Given:
    """One given column: its feature, and how the value at ``path`` is read."""

    feature: int
    path: tuple[str, ...]
    reader: Reader
    questions: tuple[Question, ...] = ()
    """What it is asked, if its column holds answers; ``reader`` gives the same for one value."""


def given_by(compiled: Compiled, source: str, zone: ZoneInfo) -> dict[str, list[Given]]:
    """Given columns of a source by top-level key."""
    found: dict[str, list[Given]] = {}
    for column, feature in compiled.columns.items():
        if column.source == source:
            reading = compiled.registry.reading(column)
            assert reading is not None
            given = Given(feature, column.path, reading.reader(zone), reading.questions)
            found.setdefault(column.path[0], []).append(given)
    return found

"""Values of named features, read from a profile's columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from segue.domain.event import Json
from segue.domain.number import MICRO
from segue.domain.time import format_duration, format_instant
from segue.engine.kernel import layout as k
from segue.engine.program.arithmetic import computed
from segue.engine.program.formula import WHOLE, FormulaBuilder
from segue.engine.program.registry import FeatureKey
from segue.language.reading import is_literal, is_raw, literal_reading, walk
from segue.language.tree import Arithmetic, Elapsed, Kind, Number, Operand, Trait


@dataclass(frozen=True, slots=True)
class Shown:
    """How a named feature is read: ``code`` on columns; a time, or the time since or until it.

    ``trait`` is set for one that is a trait and nothing else. ``in_log`` says that only the events
    themselves tell: the value at one event is no column.
    """

    code: tuple[tuple[int, float], ...] = ()
    time: int = -1
    direction: str = ""
    trait: Trait | None = None
    in_log: bool = False


def shown_by(operand: Operand, builder: FormulaBuilder) -> Shown:
    """How to read an operand; what it needs is taken up in the registry."""
    if isinstance(operand, Trait):
        return Shown(trait=operand)
    if is_raw(operand):
        return Shown(in_log=True)
    if isinstance(operand, Elapsed):
        if is_literal(operand.time):
            return Shown(in_log=True)
        return Shown(time=builder.feature(operand.time, Kind.TIME), direction=operand.direction)
    if isinstance(operand, Arithmetic | Number) or not is_literal(operand):
        if not isinstance(operand, Arithmetic | Number):
            number = builder.feature(operand, Kind.NUMBER)
            if builder.registry.feature_keys[number].kind in (k.LAST, k.FIRST):
                return Shown(time=number)
        return Shown(code=builder.code(operand))
    assert literal_reading(operand) is not None  # type: ignore[arg-type]
    return Shown(in_log=True)


class Reader:
    """Reads features of one profile from its row of columns: ``row``, as a list."""

    def __init__(self, keys: list[FeatureKey], columns: list[int], row: list[int], now: int) -> None:
        self.keys = keys
        self.columns = columns
        self.row = row
        self.now = now

    def value(self, shown: Shown, traits: Mapping[str, Json], account: Mapping[str, Json]) -> Json | None:
        """A number, a time as text, a length of time as text, or a trait; None when it is missing."""
        if shown.trait is not None:
            return walk(traits if shown.trait.owner == "user" else account, shown.trait.path)
        if shown.time >= 0:
            return self._time(shown)
        if len(shown.code) == 1 and shown.code[0][0] == k.PUSH_FEATURE:
            return plain(self._double(int(shown.code[0][1])))
        return plain(computed(shown.code, self._double))

    def _time(self, shown: Shown) -> str | None:
        at = self.row[self.columns[shown.time]]
        if at == k.MISSING:
            return None
        if not shown.direction:
            return format_instant(at)
        length = self.now - at if shown.direction == "since" else at - self.now
        return format_duration(length) if length >= 0 else f"-{format_duration(-length)}"

    def _double(self, feature: int) -> float | None:
        kind = self.keys[feature].kind
        at, row = self.columns[feature], self.row
        if kind == k.SUM:
            return (row[at + 1] * k.BASE + row[at]) / MICRO
        if kind == k.AVG:
            return (row[at + 1] * k.BASE + row[at]) / MICRO / row[at + 2] if row[at + 2] else None
        if row[at] == k.MISSING:
            return None
        return float(row[at]) if kind in WHOLE else row[at] / MICRO


def plain(value: float | None) -> Json | None:
    """A whole number without a fraction, as people count."""
    return int(value) if value is not None and value.is_integer() else value

"""Values of the language as people read them: with their type, in their own unit."""

from __future__ import annotations

import json
from dataclasses import dataclass

from segue.domain.event import Json
from segue.domain.number import MICRO, format_micro, nearest_double
from segue.domain.time import DAY, HOUR, MINUTE, SECOND, format_instant
from segue.language.tree import Duration, Kind, Literal, Moment, Number

TEXT_CHARACTERS_MAX = 80
_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"))
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Shown:
    """A value: its type (number, text, truth, time, duration, list, json or missing), as JSON, and in words.

    Times are ISO 8601, durations milliseconds in ``value`` and days, hours and so on in ``text``.
    """

    type: str
    value: Json
    text: str

    def to_json(self) -> dict[str, Json]:
        """The value as it is written everywhere."""
        return {"type": self.type, "value": self.value, "text": self.text}


MISSING = Shown("missing", None, "missing")


def shown(value: Json, kind: Kind, against: Json = None) -> Shown:
    """A value as the interpreter gives it under a kind; rounding keeps it apart from ``against``."""
    if value is None:
        return MISSING
    if kind is Kind.NUMBER:
        return _double(value, against) if isinstance(value, float) else shown_micro(value)
    if kind is Kind.TIME:
        text = format_instant(value)
        return Shown("time", text, text)
    if kind is Kind.DURATION:
        return Shown("duration", value, in_words(value, against))
    if kind is Kind.SCALAR and isinstance(value, tuple):
        value = value[1]
    return shown_json(value)


def shown_literal(literal: Literal) -> Shown:
    """What is written in a condition, as it is written there."""
    if isinstance(literal, Number):
        return shown_micro(literal.micro)
    if isinstance(literal, Duration):
        return Shown("duration", literal.ms, literal.text or in_words(literal.ms))
    if isinstance(literal, Moment):
        text = format_instant(literal.ms)
        return Shown("time", text, text)
    return shown_json(literal.value)


def shown_micro(total: int) -> Shown:
    """A number of millionths, exactly."""
    value: Json = total // MICRO if total % MICRO == 0 else nearest_double(total)
    return Shown("number", value, format_micro(total))


def shown_json(value: Json) -> Shown:
    """A JSON value as it was sent."""
    if value is None:
        return MISSING
    type_ = "text" if isinstance(value, str) else "json"
    if isinstance(value, bool):
        type_ = "truth"
    elif isinstance(value, int | float):
        type_ = "number"
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > TEXT_CHARACTERS_MAX:
        text = text[: TEXT_CHARACTERS_MAX - 1] + "…"
    return Shown(type_, value, text)


def in_words(ms: int, against: Json = None) -> str:
    """A duration as ``3d 4h``: the two largest units, or all when those alone would hide a difference."""
    parts = _parts(abs(ms))
    sign = "-" if ms < 0 else ""
    short = " ".join(parts[:2])
    rough = isinstance(against, int) and ms != against and _parts(abs(against))[:2] == parts[:2]
    return sign + (" ".join(parts) if rough else short)


def _parts(ms: int) -> list[str]:
    parts = []
    for size, unit in _UNITS:
        if ms >= size:
            parts.append(f"{ms // size}{unit}")
            ms %= size
    if ms or not parts:
        parts.append(f"{ms}ms" if 0 < ms < SECOND else f"{ms / SECOND:g}s")
    return parts


def _double(value: float, against: Json) -> Shown:
    text = f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    other = nearest_double(against) if isinstance(against, int) else against
    if isinstance(other, float) and other != value and float(text) == other:
        text = repr(value)
    return Shown("number", value, text)

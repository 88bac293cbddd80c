"""Comparison and arithmetic on values that may be missing (``None``)."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from segue.domain.event import Json
from segue.domain.number import nearest_double
from segue.language.reading import OPERATORS

_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def compare(op: str, left: Json, right: Json) -> bool:
    """``left op right``; with a missing side only ``!=`` holds."""
    if left is None or right is None:
        return op == "!="
    return OPERATORS[op](left, right)


def double(value: Json | None) -> float | None:
    """The nearest double of a number of millionths; doubles pass."""
    return nearest_double(value) if isinstance(value, int) else value


def calculate(op: str, left: float | None, right: float | None) -> float | None:
    """IEEE arithmetic on doubles; missing with a missing side, for ``x / 0`` and where it is no number."""
    if left is None or right is None or (op == "/" and right == 0):
        return None
    result = _ARITHMETIC[op](left, right)
    return None if math.isnan(result) else result

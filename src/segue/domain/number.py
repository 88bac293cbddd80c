"""Numbers are integers of millionths, so that sums never drift and order never matters."""

from __future__ import annotations

import math
import re

from segue.domain.limits import NUMERAL_CHARACTERS_MAX

MICRO = 1_000_000
NUMBER_MAX = 9 * 10**12
"""Numbers beyond plus or minus this are passed over: times MICRO they would not fit 64 bits."""

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_BLANKS = " \t\n\r"


def micro(value: float) -> int | None:
    """A number in millionths, its double times 10**6 rounded half to even; None beyond the range."""
    try:
        double = float(value)
    except OverflowError:
        return None
    if not -NUMBER_MAX <= double <= NUMBER_MAX:
        return None  # NaN and infinities end here too
    return round(double * 1e6)


def double_of(value: object) -> float | None:
    """The double that a JSON value holds: a number, or a string that is one after trimming."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            double = float(value)
        except OverflowError:
            return None
        return double if math.isfinite(double) else None
    if isinstance(value, str) and len(value) <= NUMERAL_CHARACTERS_MAX:
        text = value.strip(_BLANKS)
        if _JSON_NUMBER.fullmatch(text):
            double = float(text)
            return double if math.isfinite(double) else None
    return None


def micro_of(value: object) -> int | None:
    """The number a JSON value holds, in millionths; None if it holds none in range."""
    double = double_of(value)
    return None if double is None else micro(double)


def nearest_double(total: int) -> float:
    """The double of a number of millionths: the nearest double of the total, then divided by 10**6."""
    return float(total) / 1e6


def format_micro(total: int) -> str:
    """The shortest decimal spelling of a number of millionths."""
    whole, part = divmod(abs(total), MICRO)
    text = f"{whole}.{part:06d}".rstrip("0").rstrip(".")
    return f"-{text}" if total < 0 else text

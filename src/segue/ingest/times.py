"""When an event happened: the spellings senders use, and the correction of a client's clock.

    timestamp = receivedAt - (sentAt - originalTimestamp)

``sentAt`` and ``receivedAt`` are the same instant, so their difference is the error of the client's clock.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from segue.domain.limits import FUTURE_MS_MAX
from segue.domain.time import parse_instant

I64 = NDArray[np.int64]

UNREAD = -(1 << 63)
"""No time, or one that could not be read."""

_SECONDS_MAX = 100_000_000_000
"""A number below this is seconds (until the year 5138), one above is milliseconds (from 1973 on)."""
_MILLISECONDS_MAX = 253_402_300_800_000
_NUMERAL = re.compile(r"\s*-?\d{1,18}(?:\.\d{1,9})?\s*", re.ASCII)
PLAIN_BYTES = 40
"""Bytes looked at: a plain time has at most 36, so that one cut off here is never taken for plain."""
_NO_DATE = -(1 << 40)


@numba.njit(cache=True, nogil=True)
def _digits(text: Any, start: int, stop: int) -> int:
    value = 0
    for at in range(start, stop):
        digit = int(text[at]) - 48
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value


@numba.njit(cache=True, nogil=True)
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01, or -1 << 40 for a date that is none."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = 31 if month in (1, 3, 5, 7, 8, 10, 12) else 30 if month != 2 else 29 if leap else 28
    if year < 1 or month < 1 or month > 12 or day < 1 or day > longest:
        return _NO_DATE
    # Years that begin in March, so that the leap day comes last.
    shifted = year - 1 if month <= 2 else year
    days = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400
    return days + (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - 719_468


@numba.njit(cache=True, nogil=True)
def _fraction(text: Any) -> tuple[int, int]:
    """(milliseconds, where the zone begins) after the seconds; 0 for the place when it is malformed."""
    at, ms, scale = 19, 0, 100
    if text[at] == 46:
        at += 1
        while 48 <= text[at] <= 57 and at < 30:
            ms += (int(text[at]) - 48) * scale
            scale //= 10
            at += 1
        if at == 20:
            at = 0
    return ms, at


@numba.njit(cache=True, nogil=True)
def _zone(text: Any, at: int) -> int:
    """How far the zone at this place is ahead, in ms; UNREAD when it is malformed or not the end."""
    if text[at] == 90:
        return 0 if text[at + 1] == 0 else UNREAD
    if (text[at] != 43 and text[at] != 45) or text[at + 3] != 58 or text[at + 6] != 0:
        return UNREAD
    hours, minutes = _digits(text, at + 1, at + 3), _digits(text, at + 4, at + 6)
    if min(hours, minutes) < 0:
        return UNREAD
    offset = (hours * 60 + minutes) * 60_000
    return -offset if text[at] == 45 else offset


@numba.njit(cache=True, nogil=True)
def plain_time(text: Any) -> int:
    """``YYYY-MM-DDTHH:MM:SS[.f…](Z|±HH:MM)``, filled up with zeros; every other spelling is UNREAD."""
    if text[4] != 45 or text[7] != 45 or text[10] != 84 or text[13] != 58 or text[16] != 58:
        return UNREAD
    days = _days(_digits(text, 0, 4), _digits(text, 5, 7), _digits(text, 8, 10))
    hour, minute, second = _digits(text, 11, 13), _digits(text, 14, 16), _digits(text, 17, 19)
    if days == _NO_DATE or min(hour, minute, second) < 0 or hour > 23 or max(minute, second) > 59:
        return UNREAD
    ms, at = _fraction(text)
    offset = _zone(text, at)
    if at == 0 or offset == UNREAD:
        return UNREAD
    return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + ms - offset


@numba.njit(cache=True, nogil=True)
def _plain_many(texts: Any, out: Any) -> int:
    unread = 0
    for i in range(texts.shape[0]):
        out[i] = plain_time(texts[i])
        unread += out[i] == UNREAD
    return unread


def read_time(value: object) -> int:
    """Milliseconds of one time as senders write it; UNREAD for none and for what is none.

    ISO 8601 (UTC where it names no zone), or seconds or milliseconds since 1970, also as text.
    """
    if isinstance(value, str):
        found = parse_instant(value)
        if found is not None:
            return found
        if _NUMERAL.fullmatch(value) is None:
            return UNREAD
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return UNREAD
    return _of_number(value)


def _of_number(value: float) -> int:
    if not math.isfinite(value) or abs(value) > _MILLISECONDS_MAX:
        return UNREAD
    return round(value * 1_000) if abs(value) < _SECONDS_MAX else math.floor(value)


def read_times(values: Sequence[object]) -> I64:
    """Milliseconds of many times; UNREAD as in :func:`read_time`."""
    out = np.empty(len(values), np.int64)
    try:
        texts = np.array(values, dtype=f"S{PLAIN_BYTES}")
        if texts.ndim != 1:  # lists among them became rows
            raise ValueError
    except (UnicodeEncodeError, ValueError, TypeError):
        unread = len(out)
        out.fill(UNREAD)
    else:
        unread = _plain_many(texts.view(np.uint8).reshape(len(out), PLAIN_BYTES), out) if len(out) else 0
    if unread:
        for at in np.flatnonzero(out == UNREAD).tolist():
            if values[at] is not None:
                out[at] = read_time(values[at])
    return out


def corrected(original: I64, sent: I64, received: I64) -> I64:
    """The skew correction wherever both times were read; else the original. All in ms, one shape."""
    known = (original != UNREAD) & (sent != UNREAD)
    return np.where(known, received - (sent - original), original)


def clamped(timestamp: I64, received: I64) -> tuple[I64, int]:
    """Times later than five minutes past their receipt become the receipt; and how many were."""
    late = timestamp > received + FUTURE_MS_MAX
    return np.where(late, received, timestamp), int(late.sum())

"""``YYYY-MM-DD[THH:MM:SS[.f…][Z|±HH:MM]]`` in compiled code; every other spelling is left to others.

A time that names no zone is UTC.
"""

from __future__ import annotations

from typing import Any

from segue.log.lane.compiled import inlined
from segue.log.lane.machine import byte_at
from segue.log.lane.octets import COLON, DOT, MINUS, NINE, PLUS, SPACE, ZERO

UNREAD = -(1 << 63)
"""No time, or one that could not be read."""

SECONDS_MAX, MILLISECONDS_MAX = 100_000_000_000, 253_402_300_800_000
"""A number below the first is seconds, one beyond the second is no time."""
_SHORTEST, _LONGEST = 19, 36


@inlined
def _two(text: int, at: int) -> Any:
    """Two digits as a number; below 0 when they are none."""
    tens, ones = byte_at(text, at) - ZERO, byte_at(text, at + 1) - ZERO
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -1


@inlined
def _date_ms(text: int, at: int) -> Any:
    century, year = _two(text, at), _two(text, at + 2)
    month, day = _two(text, at + 5), _two(text, at + 8)
    if min(century, year) < 0 or month < 1 or month > 12 or day < 1:
        return UNREAD
    year += century * 100
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = 30 + ((month + (month >> 3)) & 1) if month != 2 else 29 if leap else 28
    if year < 1 or day > longest:
        return UNREAD
    # Years that begin in March, so that the leap day comes last.
    shifted = year - 1 if month <= 2 else year
    days = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400
    days += (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - 719_468
    return days * 86_400_000


@inlined
def _zone_ms(text: int, at: int, stop: int) -> Any:
    """How far the zone between two places is ahead, in ms."""
    if at == stop:
        return 0
    byte = byte_at(text, at)
    if byte == 90:
        return 0 if at + 1 == stop else UNREAD
    if (byte != PLUS and byte != MINUS) or at + 6 != stop or byte_at(text, at + 3) != COLON:
        return UNREAD
    hours, minutes = _two(text, at + 1), _two(text, at + 4)
    if hours < 0 or hours > 23 or minutes < 0 or minutes > 59:
        return UNREAD
    ahead = (hours * 60 + minutes) * 60_000
    return -ahead if byte == MINUS else ahead


@inlined
def time_of_number(text: int, at: int, stop: int) -> Any:
    """Milliseconds of the digits between two places: seconds or milliseconds since 1970, by their size."""
    value = 0
    while at < stop:
        value = value * 10 + (byte_at(text, at) - ZERO)
        at += 1
    if value > MILLISECONDS_MAX:
        return UNREAD
    return value * 1_000 if value < SECONDS_MAX else value


@inlined
def time_between(text: int, at: int, stop: int) -> Any:
    """Milliseconds of the time that fills the place between; UNREAD when it is spelled otherwise."""
    if byte_at(text, at + 4) != MINUS or byte_at(text, at + 7) != MINUS:
        return UNREAD
    date, size = _date_ms(text, at), stop - at
    if size == 10 or date == UNREAD:
        return date
    separator = byte_at(text, at + 10)
    if not _SHORTEST <= size <= _LONGEST or (separator != 84 and separator != SPACE):
        return UNREAD
    if byte_at(text, at + 13) != COLON or byte_at(text, at + 16) != COLON:
        return UNREAD
    hour, minute, second = _two(text, at + 11), _two(text, at + 14), _two(text, at + 17)
    if min(hour, minute, second) < 0 or hour > 23 or max(minute, second) > 59:
        return UNREAD
    at, ms, scale = at + 19, 0, 100
    if byte_at(text, at) == DOT:
        at += 1
        digits = at
        while ZERO <= byte_at(text, at) <= NINE:
            ms += (byte_at(text, at) - ZERO) * scale
            scale //= 10
            at += 1
        if at == digits or at - digits > 9:
            return UNREAD
    ahead = _zone_ms(text, at, stop)
    if ahead == UNREAD:
        return UNREAD
    return date + ((hour * 60 + minute) * 60 + second) * 1_000 + ms - ahead

"""Times are integers: milliseconds since 1970-01-01T00:00:00Z. Durations are milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
YEAR = 365 * DAY

UNITS = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK, "y": YEAR}
DURATION = re.compile(r"(\d{1,15})(ms|s|m|h|d|w|y)", re.ASCII)
DURATION_MAX = 1_000 * YEAR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_YEAR_ONE = -62_135_596_800_000
_MILLISECOND = timedelta(milliseconds=1)
_INSTANT = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[Tt ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?[ \t\n\r]*(Z|z|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)
_BLANKS = " \t\n\r"


def parse_duration(text: str) -> int | None:
    """Milliseconds of ``500ms``, ``30s``, ``15m``, ``12h``, ``7d``, ``4w``, ``1y``; None if it is none."""
    found = DURATION.fullmatch(text)
    if found is None:
        return None
    amount = int(found[1]) * UNITS[found[2]]
    return amount if amount <= DURATION_MAX else None


def format_duration(ms: int) -> str:
    """The shortest exact spelling: the largest unit that divides the duration."""
    for unit in ("y", "w", "d", "h", "m", "s"):
        if ms and ms % UNITS[unit] == 0:
            return f"{ms // UNITS[unit]}{unit}"
    return f"{ms}ms"


def parse_instant(text: str, zone: ZoneInfo | None = None) -> int | None:
    """Milliseconds of an ISO 8601 date or date-time; None if it is none.

    Without an offset, ``zone`` applies (UTC when None). Digits past the millisecond are cut off.
    """
    found = _INSTANT.fullmatch(text.strip(_BLANKS))
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    ms = to_ms(moment) + int((fraction or "0")[:3].ljust(3, "0"))
    if offset is None:
        return ms if zone is None else ms - zone_offset(moment.replace(tzinfo=zone))
    return ms - _offset_ms(offset)


def _offset_ms(offset: str) -> int:
    if offset in "Zz":
        return 0
    digits = offset[1:].replace(":", "").ljust(4, "0")
    size = int(digits[:2]) * HOUR + int(digits[2:]) * MINUTE
    return -size if offset[0] == "-" else size


def zone_offset(moment: datetime) -> int:
    """How far, in ms, local time of an aware ``moment`` is ahead of UTC."""
    offset = moment.utcoffset()
    assert offset is not None
    return offset // _MILLISECOND


def to_ms(moment: datetime) -> int:
    """Milliseconds of an aware datetime."""
    return (moment - _EPOCH) // _MILLISECOND


def format_instant(ms: int) -> str:
    """ISO 8601 in UTC with milliseconds: ``2026-11-22T10:00:00.000Z``."""
    if ms < _YEAR_ONE:
        return str(ms)
    day, rest = divmod(ms, DAY)
    minutes, left = divmod(rest, MINUTE)
    return f"{_date_of(day)}T{minutes // 60:02d}:{minutes % 60:02d}:{left // SECOND:02d}.{left % SECOND:03d}Z"


@lru_cache(maxsize=4096)
def _date_of(day: int) -> str:
    return date.fromordinal(day + _EPOCH_DAY).isoformat()


def day_number(ms: int, zone: ZoneInfo) -> int:
    """The calendar day of a moment in a zone, as days since 1970-01-01."""
    if zone.key == "UTC":
        return ms // DAY
    local = (_EPOCH + timedelta(milliseconds=ms)).astimezone(zone)
    return date(local.year, local.month, local.day).toordinal() - _EPOCH_DAY

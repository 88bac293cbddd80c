"""What each aggregate says about the events in its window; every other form is tested against these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from segue.domain.event import Event, Json
from segue.domain.number import MICRO, micro_of, nearest_double
from segue.domain.time import day_number
from segue.language.interpret.where import seen_by_where
from segue.language.reading import scalar, walk

Path = tuple[str, ...]


def values(events: list[Event], path: Path) -> list[Json]:
    """The raw values at a path, one for each event; None where an event has none."""
    return [walk(seen_by_where(event), path) for event in events]


def numbers(events: list[Event], path: Path) -> list[int]:
    """The numbers at a path in millionths; events that hold none are passed over."""
    return [number for value in values(events, path) if (number := micro_of(value)) is not None]


def count(events: list[Event], _path: Path, _zone: ZoneInfo) -> int:
    """How many events."""
    return len(events) * MICRO


def days(events: list[Event], _path: Path, zone: ZoneInfo) -> int:
    """On how many calendar days of the workspace's zone."""
    return len({day_number(event.timestamp, zone) for event in events}) * MICRO


def total(events: list[Event], path: Path, _zone: ZoneInfo) -> int:
    """The exact sum; 0 of nothing."""
    return sum(numbers(events, path))


def average(events: list[Event], path: Path, _zone: ZoneInfo) -> float | None:
    """The exact sum as its nearest double, over how many numbers were taken."""
    taken = numbers(events, path)
    return nearest_double(sum(taken)) / len(taken) if taken else None


def least(events: list[Event], path: Path, _zone: ZoneInfo) -> int | None:
    """The smallest number."""
    return min(numbers(events, path), default=None)


def greatest(events: list[Event], path: Path, _zone: ZoneInfo) -> int | None:
    """The largest number."""
    return max(numbers(events, path), default=None)


def distinct(events: list[Event], path: Path, _zone: ZoneInfo) -> int:
    """How many different scalars."""
    return len({key for value in values(events, path) if (key := scalar(value)) is not None}) * MICRO


def last(events: list[Event], _path: Path, _zone: ZoneInfo) -> int | None:
    """The time of the newest event."""
    return events[-1].timestamp if events else None


def first(events: list[Event], _path: Path, _zone: ZoneInfo) -> int | None:
    """The time of the oldest event."""
    return events[0].timestamp if events else None


def latest(events: list[Event], path: Path, _zone: ZoneInfo) -> Json | None:
    """The raw value at the newest event, even when that one has none."""
    return values(events[-1:], path)[0] if events else None


def earliest(events: list[Event], path: Path, _zone: ZoneInfo) -> Json | None:
    """The raw value at the oldest event, even when that one has none."""
    return values(events[:1], path)[0] if events else None


AGGREGATES: Mapping[str, Callable[[list[Event], Path, ZoneInfo], Json | None]] = {
    "count": count,
    "days": days,
    "sum": total,
    "avg": average,
    "min": least,
    "max": greatest,
    "distinct": distinct,
    "last": last,
    "first": first,
    "latest": latest,
    "earliest": earliest,
}
"""All of them except ``sessions``, which counts runs of events and has its own place in the scene."""

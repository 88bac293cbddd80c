"""Which items an event tells of: by path in Python for what comes in, and in SQL for all that came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from segue.domain.event import Json
from segue.domain.limits import ITEM_ID_CHARACTERS_MAX
from segue.ingest.files.expressions import literal
from segue.segments.recommendations.definition import Interest, RecommendationDefinition

_LEAST, _MOST = -(2**63), 2**64 - 1
ITEMS_AN_EVENT_MAX = 500


@dataclass(frozen=True, slots=True)
class Sight:
    """Where one kind of event tells of items: the same for all definitions that ask for it so."""

    event: str
    item: str
    means: str


def sights_of(definitions: Iterable[RecommendationDefinition]) -> tuple[Sight, ...]:
    """All that any definition looks at, once each."""
    found = {sight_of(name, interest) for each in definitions for name, interest in each.events.items()}
    return tuple(sorted(found, key=lambda sight: (sight.event, sight.item, sight.means)))


def sight_of(event: str, interest: Interest) -> Sight:
    """Where a definition looks."""
    return Sight(event, interest.item, interest.means)


# ---- one event -------------------------------------------------------------------------------


def ids_in(properties: Mapping[str, Json], path: str) -> Iterator[str]:
    """The ids at a path, in order: texts that are not empty, and whole numbers."""
    outer, bracket, inner = path.partition("[]")
    found = _walk(properties, outer.split("."))
    if bracket:
        parts = found[:ITEMS_AN_EVENT_MAX] if isinstance(found, list) else []
        steps = inner.removeprefix(".").split(".") if inner else []
    else:
        parts, steps = [found], []
    for part in parts:
        name = _id(_walk(part, steps))
        if name is not None:
            yield name


def _walk(value: Any, steps: list[str]) -> Json:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _id(value: Json) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and _LEAST <= value <= _MOST:
        return str(value)
    if isinstance(value, str) and 0 < len(value) <= ITEM_ID_CHARACTERS_MAX:
        return value
    return None


# ---- all events ------------------------------------------------------------------------------


def interest_sql(events: str, sights: Iterable[Sight], since: int) -> str:
    """A SELECT of (seq, row, happened, sight, item) over the log's events from after ``since`` (ms)."""
    parts = [_one_sql(events, number, sight, since) for number, sight in enumerate(sights)]
    return " UNION ALL ".join(parts)


def _one_sql(events: str, number: int, sight: Sight, since: int) -> str:
    outer, bracket, inner = sight.item.partition("[]")
    where = f"type = 'track' AND name = {literal(sight.event)} AND timestamp > {since}"
    at = _json_path(outer.split("."))
    if not bracket:
        value = f"json_extract(properties, {at})"
        source = f"SELECT seq, row, timestamp, {value} AS value FROM {events} WHERE {where}"
    else:
        steps = inner.removeprefix(".")
        element = f"json_extract(part, {_json_path(steps.split('.'))})" if steps else "part"
        listed = f"json_extract(properties, {at})"
        elements = f"json_extract({listed}, '$[*]')[:{ITEMS_AN_EVENT_MAX}]"
        source = (
            f"SELECT seq, row, timestamp, {element} AS value FROM (SELECT seq, row, timestamp,"
            f" unnest({elements}) AS part FROM {events} WHERE {where} AND json_type({listed}) = 'ARRAY')"
        )
    name = "json_extract_string(value, '$')"
    return (
        f"SELECT seq, row, timestamp AS happened, {number}::SMALLINT AS sight, {name} AS item FROM ({source})"
        f" WHERE json_type(value) IN ('VARCHAR', 'BIGINT', 'UBIGINT')"
        f" AND length({name}) BETWEEN 1 AND {ITEM_ID_CHARACTERS_MAX}"
    )


def _json_path(steps: Iterable[str]) -> str:
    quoted = [step.replace("\\", "\\\\").replace('"', '\\"') for step in steps]
    return literal("$" + "".join(f'."{step}"' for step in quoted))

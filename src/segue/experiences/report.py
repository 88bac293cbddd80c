"""What came of an experience: who was given what, who of them reached the goal, and what the holdout did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import duckdb
import msgspec

from segue.analysis.people import People
from segue.domain.event import EXPOSURE, WITHHELD, Json
from segue.domain.time import format_instant
from segue.experiences.lift import Group, Lift, lift
from segue.language.interpret import event_predicate
from segue.language.tree import EventPattern
from segue.segments.experiences.check import Experience
from segue.service.service import Service

_decode = msgspec.json.Decoder().decode
Order = tuple[int, int]
"""(timestamp in ms, position in the log)."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Those whose first time it was this one; ``exposures`` are all times they were given it, or would have
    been. ``group`` counts who reached the goal, None without a goal.
    """

    users: int
    exposures: int
    group: Group | None

    def to_json(self) -> dict[str, Json]:
        """The counts, with the rate."""
        found: dict[str, Json] = {"users": self.users, "exposures": self.exposures}
        if self.group is not None:
            found |= {"converted": self.group.converted, "rate": self.group.rate}
        return found


@dataclass(frozen=True, slots=True)
class Line:
    """One variant, or all (``variant`` None): who was given it, beside who would have been."""

    variant: str | None
    shown: Arm
    withheld: Arm

    @property
    def lift(self) -> Lift | None:
        """Of those who were given it over those who would have been."""
        if self.shown.group is None or self.withheld.group is None:
            return None
        return lift(self.shown.group, self.withheld.group)

    def to_json(self) -> dict[str, Json]:
        """As one object."""
        found = self.lift
        return {
            "variant": self.variant,
            "shown": self.shown.to_json(),
            "withheld": self.withheld.to_json(),
            "lift": None if found is None else found.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All variants, and all together. ``mixed`` are users who were given something and withheld something,
    as happens when the holdout was changed; they count where they were first.
    """

    experience: str
    goal: Mapping[str, object] | None
    as_of: int
    since: int | None
    total: Line
    lines: tuple[Line, ...]
    mixed: int

    def to_json(self) -> dict[str, Json]:
        """The report as one object."""
        return {
            "experience": self.experience,
            "goal": self.goal,
            "as_of": format_instant(self.as_of),
            "since": None if self.since is None else format_instant(self.since),
            "total": self.total.to_json(),
            "variants": [each.to_json() for each in self.lines],
            "mixed": self.mixed,
        }


@dataclass(slots=True)
class _Seen:
    """One user: what they were given first or would have been, when, and how often."""

    event: str
    variant: str
    first: Order
    exposures: int = 0
    mixed: bool = False


def report(service: Service, experience: Experience, since: int | None = None) -> Report:
    """By what the log holds; ``since`` (ms) leaves out what was shown before."""
    core = service.core
    with core.turn:
        upto, now = core.engine.evaluated_seq, core.engine.now
        held = core.engine.rows_in(experience.goal).tolist() if isinstance(experience.goal, str) else []
    with duckdb.connect() as connection:
        people = People(service.log, connection, upto=upto)
        source = service.log.scan(connection, 0, upto)
        seen = _seen(connection, source, people, experience.name, since)
        if isinstance(experience.goal, EventPattern):
            held = list(_reached(connection, source, people, experience, seen, service))
    converted = None if experience.goal is None else {people.survivor(row) for row in held}
    names = dict.fromkeys(each.name for each in experience.variants)
    names |= dict.fromkeys(sorted({each.variant for each in seen.values()}))
    goal = experience.definition.goal
    return Report(
        experience.name,
        None if goal is None else goal.to_json(),
        now,
        since,
        _line(None, seen, converted),
        tuple(_line(name, seen, converted) for name in names),
        sum(each.mixed for each in seen.values()),
    )


def _seen(
    connection: duckdb.DuckDBPyConnection, source: str, people: People, name: str, since: int | None
) -> dict[int, _Seen]:
    """Everyone who was given something or would have been, by surviving row."""
    found: dict[int, _Seen] = {}
    rows = connection.execute(
        "SELECT \"row\", name, timestamp, seq, json_extract_string(properties, '$.variant')"
        f" FROM {source} WHERE type = 'track' AND name IN (?, ?) AND timestamp >= ?"
        " AND json_extract_string(properties, '$.experience') = ? ORDER BY timestamp, seq",
        [EXPOSURE, WITHHELD, -(2**62) if since is None else since, name],
    )
    for row, event, timestamp, seq, variant in _fetched(rows):
        one = found.setdefault(people.survivor(row), _Seen(event, variant or "", (timestamp, seq)))
        one.exposures += (event, variant) == (one.event, one.variant)
        one.mixed |= event != one.event
    return found


def _reached(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    people: People,
    experience: Experience,
    seen: Mapping[int, _Seen],
    service: Service,
) -> Iterator[int]:
    """The rows of those to whom the goal happened after the first time, and soon enough."""
    pattern, goal = experience.goal, experience.definition.goal
    assert isinstance(pattern, EventPattern)
    assert goal is not None
    within = goal.within_ms
    where = None if pattern.where is None else event_predicate(pattern.where, service.rules.zone)
    rows = connection.execute(
        f'SELECT "row", timestamp, seq, properties, context FROM {source}'
        " WHERE type = 'track' AND name = ? AND \"row\" IN (SELECT unnest(?))",
        [pattern.name, [row for whole in seen for row in people.rows_of(whole)]],
    )
    for row, timestamp, seq, properties, context in _fetched(rows):
        first = seen[people.survivor(row)].first
        soon = within is None or timestamp - first[0] <= within
        if (
            soon
            and (timestamp, seq) > first
            and (where is None or where(_decode(properties), _decode(context)))
        ):
            yield row


def _fetched(rows: duckdb.DuckDBPyConnection) -> Iterator[tuple[Json, ...]]:
    while page := rows.fetchmany(10_000):
        yield from page


def _line(variant: str | None, seen: Mapping[int, _Seen], converted: set[int] | None) -> Line:
    chosen = [(row, each) for row, each in seen.items() if variant is None or each.variant == variant]
    return Line(variant, *(_arm(chosen, event, converted) for event in (EXPOSURE, WITHHELD)))


def _arm(seen: Iterable[tuple[int, _Seen]], event: str, converted: set[int] | None) -> Arm:
    those = [(row, each) for row, each in seen if each.event == event]
    group = None if converted is None else Group(len(those), sum(row in converted for row, _ in those))
    return Arm(len(those), sum(each.exposures for _, each in those), group)

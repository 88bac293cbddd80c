"""Stories of one person: events drawn on a line of days, conditions as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.analysis.explain import Question, explain
from segue.analysis.explanation import Explanation
from segue.domain.change import Change
from segue.domain.event import Event
from segue.domain.time import DAY, parse_instant
from segue.language.checker import check_condition
from segue.language.interpret import Definition, Noted, Person, Rules
from segue.language.scope import Scope

_start = parse_instant("2026-11-01")
assert _start is not None
START_MS: int = _start
"""Day 0."""


def at(day: float) -> int:
    """The moment of a day on the line, in ms."""
    return START_MS + round(day * DAY)


class Line:
    """The events of one person, each received when it happened."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def did(self, day: float, name: str, **properties: Any) -> Line:
        """A track event."""
        return self._add(day, "track", name=name, properties=properties)

    def told(self, day: float, **traits: Any) -> Line:
        """An identify event."""
        return self._add(day, "identify", traits=traits)

    def joined(self, day: float, group: str, **traits: Any) -> Line:
        """A group event."""
        return self._add(day, "group", group_id=group, traits=traits)

    def _add(self, day: float, type_: str, **fields: Any) -> Line:
        seq = len(self.events) + 1
        moment = at(day)
        self.events.append(Event(seq, 0, type_, timestamp=moment, received_at=moment, message_id=f"m{seq}",
                                 **{"name": None, **fields}))  # fmt: skip
        return self

    def person(self, *lists: str) -> Person:
        """The person with these events, on these lists."""
        accounts: dict[str, tuple[Event, ...]] = {}
        for event in self.events:
            if event.group_id is not None:
                accounts[event.group_id] = (*accounts.get(event.group_id, ()), event)
        return Person(tuple(self.events), accounts, frozenset(lists))


def segment(
    name: str, when: str, exclusive: str | None = None, priority: int = 0, status: str = "active"
) -> Definition:
    """A definition from its text; segments and lists are not looked up."""
    return Definition(name, check_condition(when, Scope()), exclusive, priority, status)


def asked(
    line: Line,
    day: float,
    *definitions: Definition | str,
    name: str = "asked",
    lists: tuple[str, ...] = (),
    overrides: Mapping[str, Noted] | None = None,
    last_change: Change | None = None,
) -> Explanation:
    """The explanation of the segment ``asked``, as a text or among definitions, at a day."""
    whole = [each if isinstance(each, Definition) else segment("asked", each) for each in definitions]
    return explain(
        Question("ann", name, line.person(*lists), at(day), whole, Rules(), overrides or {},
                 last_change.at if last_change else None, last_change)
    )  # fmt: skip


def wanted(explanation: Explanation) -> list[str]:
    """What is missing, as sentences; alternatives in one."""
    return [" | ".join(_texts(each.to_json())) for each in explanation.missing]


def _texts(need: Mapping[str, Any]) -> list[str]:
    if "text" in need:
        return [need["text"]]
    return [text for parts in need.values() for part in parts for text in _texts(part)]

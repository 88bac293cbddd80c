"""Stories on a line of time: what a condition says before, at and after each edge, in both meanings.

A story file holds stories such as::

    == a title
    @10m (12m) Order {"n": 1}              happened at 10m, received at 12m
    count("Order") == 1    yes at 12m; no at 12m-1ms

Times count from 2026-03-28T00:00:00Z.
"""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from segue.domain.event import TYPES, Event
from segue.domain.time import parse_duration, parse_instant
from segue.language.checker import check_condition
from segue.language.interpret import Definition, Person, Rules, holds
from segue.language.scope import Scope
from tests.language.meaning.twin import Twin

_FOLDER = Path(__file__).parent / "stories"
_EVENT = re.compile(r"@(\S+) (?:\((\S+)\) )?([\w:]+)(?: (\{.*\}))?(?: name=(\w+))?")
_CLAIM = re.compile(r"(.+?)\s{2,}((?:yes|no) at .+)")
_LENGTH = re.compile(r"([+-]?)(\d+(?:ms|s|m|h|d|w|y)|0)")


@dataclass
class Story:
    title: str
    zone: str = "UTC"
    events: list[Event] = field(default_factory=list)
    claims: list[tuple[str, int, bool]] = field(default_factory=list)


def moment(text: str) -> int:
    start = parse_instant("2026-03-28")
    assert start is not None
    pieces = _LENGTH.findall(text)
    assert "".join(sign + length for sign, length in pieces) == text, text
    return start + sum((-1 if sign == "-" else 1) * (parse_duration(length) or 0) for sign, length in pieces)


def stories() -> list[Story]:
    found: list[Story] = []
    for path in sorted(_FOLDER.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("== "):
                found.append(Story(f"{path.stem}: {line[3:]}"))
            elif line.startswith("zone "):
                found[-1].zone = line[5:]
            elif line:
                _read(line, found[-1])
    return found


def _read(line: str, story: Story) -> None:
    if line.startswith("@"):
        story.events.append(_event(line, len(story.events)))
        return
    claim = _CLAIM.fullmatch(line)
    assert claim, line
    for side in claim[2].split("; "):
        word, times = side.split(" at ")
        story.claims.extend((claim[1], moment(time), word == "yes") for time in times.split(", "))


def _event(line: str, seq: int) -> Event:
    found = _EVENT.fullmatch(line)
    assert found, line
    at, received, what, body, name = found.groups()
    type_, _, group = what.partition(":")
    values = json.loads(body or "{}")
    of_traits = type_ in ("identify", "group")
    return Event(
        seq=seq,
        row=0,
        type=type_ if type_ in TYPES else "track",
        name=None if type_ in TYPES else what,
        timestamp=moment(at),
        received_at=moment(received or at),
        properties={} if of_traits else {**values, **({"name": name} if name else {})},
        traits=values if of_traits else {},
        group_id=group or None,
    )


@pytest.mark.parametrize("story", stories(), ids=lambda story: story.title)
def test_story(story: Story) -> None:
    rules = Rules(ZoneInfo(story.zone))
    events = tuple(story.events)
    groups = {event.group_id: tuple(e for e in events if e.group_id == event.group_id) for event in events}
    groups.pop(None, None)
    person = Person(events, {key: value for key, value in groups.items() if key is not None})
    assert story.claims, "a story that claims nothing"
    with closing(Twin({0: events}, {}, {})) as twin:
        for text, now, told in story.claims:
            condition = check_condition(text, Scope(rules.zone))
            known = any(event.received_at <= now for event in events)
            members = twin.members("asked", [Definition("asked", condition)], rules, now)
            assert holds(condition, person, now, rules) is told, (text, now)
            assert (0 in members) is (told and known), (text, now, "SQL")

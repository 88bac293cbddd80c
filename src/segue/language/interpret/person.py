"""One profile as the interpreter sees it, and the rules of the workspace that meaning depends on."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from segue.domain.event import Event, Json
from segue.domain.time import MINUTE

UTC_ZONE = ZoneInfo("UTC")
SESSION_GAP_MS = 30 * MINUTE


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings of the workspace: its time zone and the longest pause within a session, in ms."""

    zone: ZoneInfo = UTC_ZONE
    session_gap_ms: int = SESSION_GAP_MS


class Timeline(NamedTuple):
    """Events in order, with their timestamps beside them for bisection."""

    timestamps: list[int]
    events: list[Event]

    def between(self, after: int | None, until: int) -> list[Event]:
        """Events with ``after < timestamp <= until``."""
        start = 0 if after is None else bisect_right(self.timestamps, after)
        return self.events[start : bisect_right(self.timestamps, until)]


def timeline_of(events: list[Event]) -> Timeline:
    """A timeline of events that are in order already."""
    return Timeline([event.timestamp for event in events], events)


@dataclass(frozen=True, slots=True)
class Replacement:
    """A person's word in the place of what a model says: from its record on and before ``until`` (ms).

    ``value`` is a number for a score, a text for a cluster; ``by`` and ``why`` say who and for what reason.
    """

    value: Json
    until: int | None = None
    by: str | None = None
    why: str | None = None

    def stands(self, now: int) -> bool:
        """Whether it still holds at a moment."""
        return self.until is None or now < self.until


_NO_REPLACEMENTS: Mapping[tuple[str, str], Replacement] = {}


@dataclass(frozen=True)
class Person:
    """A profile: all its events (absorbed ones too, in any order), its lists and what it belongs to.

    ``account_events`` holds the ``group`` events of all profiles by group id, ``predictions`` what models
    say of it by ("score" or "cluster", model), ``replacements`` what people say in their place. ``member_of``
    answers
    ``segment("x")``; :func:`~segue.language.interpret.membership` provides it by itself.
    """

    events: tuple[Event, ...]
    account_events: Mapping[str, tuple[Event, ...]] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    predictions: Mapping[tuple[str, str], Json] = field(default_factory=dict)
    replacements: Mapping[tuple[str, str], Replacement] = field(default_factory=lambda: _NO_REPLACEMENTS)
    member_of: Mapping[str, bool] | Callable[[str], bool] = field(default_factory=dict)

    def is_member(self, segment: str) -> bool:
        """Whether the profile is in a segment."""
        if callable(self.member_of):
            return self.member_of(segment)
        return self.member_of.get(segment, False)

    def predicted(self, model: tuple[str, str], now: int) -> Json:
        """What is read of a model at a moment (ms): a person's word that stands, else what the model says."""
        word = self.replacements.get(model)
        return word.value if word is not None and word.stands(now) else self.predictions.get(model)

    def answering(self, member_of: Mapping[str, bool] | Callable[[str], bool]) -> Person:
        """The same profile with other memberships; its events are not put in order again."""
        other = replace(self, member_of=member_of)
        other.__dict__["timelines"] = self.timelines
        return other

    @cached_property
    def timelines(self) -> Mapping[tuple[str, str | None], Timeline]:
        """The events in order, by (type, name); name None holds all of a type, type ``any`` all."""
        kept: dict[tuple[str, str | None], list[Event]] = defaultdict(list)
        for event in sorted(self.events, key=attrgetter("timestamp", "seq")):
            kept["any", None].append(event)
            kept[event.type, None].append(event)
            if event.name is not None:
                kept[event.type, event.name].append(event)
        return {key: timeline_of(events) for key, events in kept.items()}

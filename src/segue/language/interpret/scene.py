"""A person at a moment: which events are visible, in which window, and what follows from them."""

from __future__ import annotations

from functools import cached_property

from segue.domain.event import Event, Json
from segue.language.interpret.person import Person, Rules, timeline_of
from segue.language.interpret.where import event_predicate, seen_by_where
from segue.language.reading import walk
from segue.language.tree import AllTime, Between, EventPattern, Last, SinceEvent, ThisSession, Window

_EMPTY = timeline_of([])
_EVERYTHING = EventPattern("any")


class Scene:
    """What one person's events look like at ``now`` (ms): only what was received and has happened by then."""

    def __init__(self, person: Person, now: int, rules: Rules) -> None:
        self.person = person
        self.now = now
        self.rules = rules

    def matching(self, pattern: EventPattern, window: Window) -> list[Event]:
        """The visible events of a pattern inside a window, in order."""
        if isinstance(window, AllTime):
            return self._span(pattern, None, self.now)
        if isinstance(window, Last):
            return self._span(pattern, self.now - window.ms, self.now)
        if isinstance(window, Between):
            end = self.now if window.end is None else min(self.now, window.end - 1)
            return self._span(pattern, window.start - 1, end)
        if isinstance(window, SinceEvent):
            return self._after_anchor(pattern, window)
        assert isinstance(window, ThisSession)
        return self._this_session(pattern)

    def _span(self, pattern: EventPattern, after: int | None, until: int) -> list[Event]:
        timeline = self.person.timelines.get((pattern.type, pattern.name), _EMPTY)
        visible = [event for event in timeline.between(after, until) if event.received_at <= self.now]
        if pattern.where is None:
            return visible
        where = event_predicate(pattern.where, self.rules.zone)
        return [event for event in visible if where(seen_by_where(event), event.context)]

    def _after_anchor(self, pattern: EventPattern, window: SinceEvent) -> list[Event]:
        anchors = self.matching(window.event, window.window)
        if not anchors:
            return []
        anchor = anchors[-1] if window.which == "last" else anchors[0]
        return [
            event
            for event in self._span(pattern, anchor.timestamp - 1, self.now)
            if event.order > anchor.order
        ]

    def _this_session(self, pattern: EventPattern) -> list[Event]:
        if not self.sessions or self.now - self.sessions[-1][-1].timestamp > self.rules.session_gap_ms:
            return []
        first = self.sessions[-1][0]
        return [
            event
            for event in self._span(pattern, first.timestamp - 1, self.now)
            if event.order >= first.order
        ]

    @cached_property
    def sessions(self) -> list[list[Event]]:
        """All visible events cut where the pause is longer than the session gap."""
        runs: list[list[Event]] = []
        for event in self._span(_EVERYTHING, None, self.now):
            if runs and event.timestamp - runs[-1][-1].timestamp <= self.rules.session_gap_ms:
                runs[-1].append(event)
            else:
                runs.append([event])
        return runs

    def trait(self, path: tuple[str, ...], owner: str) -> Json | None:
        """The value of ``trait.path`` or ``group.path``, or what a model says."""
        if owner in ("score", "cluster"):
            return self.person.predicted((owner, path[0]), self.now)
        if owner == "user":
            return walk(self._user_traits, path)
        return walk(self._account_traits, path)

    @cached_property
    def _user_traits(self) -> dict[str, Json]:
        return _newest_of_each(self._span(EventPattern("identify"), None, self.now))

    @cached_property
    def _account_traits(self) -> dict[str, Json]:
        calls = self._span(EventPattern("group"), None, self.now)
        if not calls or calls[-1].group_id is None:
            return {}
        events = self.person.account_events.get(calls[-1].group_id, ())
        return _newest_of_each(
            sorted(
                (event for event in events if event.received_at <= self.now and event.timestamp <= self.now),
                key=lambda event: event.order,
            )
        )


def _newest_of_each(events: list[Event]) -> dict[str, Json]:
    """Per top-level key the value of the greatest (timestamp, position); events come in order."""
    traits: dict[str, Json] = {}
    for event in events:
        traits.update(event.traits)
    return traits

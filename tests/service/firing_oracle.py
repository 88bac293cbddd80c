"""What should fire, said moment by moment: everyone is looked at, and every trigger asks what it sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from segue.domain.event import Event
from segue.domain.watch import is_watch
from segue.language.interpret import Definition, Flip, Rules, Step, pattern_predicate
from segue.language.interpret.changes import World
from segue.language.tree import Condition, EventPattern
from tests.service.oracle import Oracle, Told
from tests.service.written import Listed
from tests.strategies.histories import History

Fired = tuple[int, str, str, str, str | None]
"""at, trigger, user id, action, message id."""


@dataclass(frozen=True)
class Waits:
    """A trigger: for a ``segment``, for an event of a ``pattern``, or for a condition (``holds``) alone.

    ``actions`` are those that it tells of. ``rests`` is what must hold before it can begin again.
    """

    name: str
    actions: frozenset[str]
    segment: str | None = None
    pattern: EventPattern | None = None
    holds: Condition | None = None
    rests: Condition | None = None
    backfill: bool = False

    def watched(self) -> list[Definition]:
        """What is to be known of everyone for it."""
        found = []
        if self.holds is not None:
            found.append(Definition(f"trigger:{self.name}:holds", self.holds))
            rests = self.rests
            if rests is not None:
                found.append(Definition(f"trigger:{self.name}:rests", rests))
        return found


class Watching(World):
    """A world in which triggers ask after each moment what has become of those who were looked at."""

    def __init__(
        self,
        definitions: Sequence[Definition],
        rules: Rules,
        triggers: Sequence[Waits],
        before: Mapping[tuple[str, int], bool],
    ) -> None:
        super().__init__((*definitions, *(each for trigger in triggers for each in trigger.watched())), rules)
        self.triggers = triggers
        self.up = dict(before)
        """Of triggers that begin and end: whether they began last, by name and row."""
        self.ahead: list[Event] = []
        self.fired: list[tuple[Fired, int, bool]] = []
        """Each with its row, and whether a definition made it."""

    def take(self, step: Step) -> list[Flip]:
        flips = super().take(step)
        event = step.event
        if event is not None and event.timestamp > self.now:
            self.ahead.append(event)
        elif event is not None:
            self._see(event)
        return flips

    def advance(self, until: int) -> list[Flip]:
        """An event ahead of time is seen when its time has come, after all else that happens then."""
        flips: list[Flip] = []
        for event in sorted(self.ahead, key=lambda each: each.order):
            if event.timestamp <= until:
                self.ahead.remove(event)
                flips += super().advance(event.timestamp)
                self._see(event)
        return flips + super().advance(until)

    def _record(self, step: Step) -> None:
        super()._record(step)
        for absorbed, survivor in step.merges:
            self.ahead = [
                replace(each, row=survivor) if each.row == absorbed else each for each in self.ahead
            ]

    def _look(self, rows: Iterable[int], step: Step, absorbed: set[int]) -> list[Flip]:
        looked = list(rows)
        flips = super()._look(looked, step, absorbed)
        for trigger in self.triggers:
            for row in looked:
                if row in absorbed:
                    self.up.pop((trigger.name, row), None)
                elif trigger.holds is not None and trigger.pattern is None:
                    self._cross(trigger, row)
            if trigger.segment is not None:
                for flip in flips:
                    if flip.segment == trigger.segment and flip.row not in absorbed:
                        self._fire(trigger, flip.row, "entered" if flip.entered else "left")
        return flips

    def _cross(self, trigger: Waits, row: int) -> None:
        held = self.memberships[row]
        up = self.up.get((trigger.name, row), False)
        holds = held[f"trigger:{trigger.name}:holds"]
        rests = not holds if trigger.rests is None else held[f"trigger:{trigger.name}:rests"]
        if (not up and holds) or (up and rests):
            self.up[trigger.name, row] = not up
            self._fire(trigger, row, "ended" if up else "began")

    def _see(self, event: Event) -> None:
        for trigger in self.triggers:
            if trigger.pattern is not None and pattern_predicate(trigger.pattern, self.rules.zone)(event):
                held = self.memberships.get(event.row, {})
                if trigger.holds is None or held.get(f"trigger:{trigger.name}:holds", False):
                    self._fire(trigger, event.row, "seen", event.message_id)

    def _fire(self, trigger: Waits, row: int, action: str, message_id: str | None = None) -> None:
        if action in trigger.actions:
            self.fired.append(((self.now, trigger.name, "", action, message_id), row, trigger.backfill))


@dataclass
class FiringOracle(Oracle):
    """Takes what the service takes; ``fired`` is all that should have fired, with the ids of that time."""

    triggers: Sequence[Waits] = ()
    fired: list[tuple[Fired, int]] = field(default_factory=list)

    def watch(
        self, definitions: Sequence[Definition], rules: Rules, lists: Listed, triggers: Sequence[Waits]
    ) -> None:
        """Other definitions and triggers are in force."""
        self.steps.append(self._listing(lists))
        before, same = self.world, isinstance(self.world, Watching) and self.world.rules == rules
        world = self.make_watching(definitions, rules, triggers, {})
        for step in self.steps:
            world.take(step)
        world.advance(before.now)
        world.fired.clear()
        held = {each.name: each for each in self.triggers}
        world.up = {
            (trigger.name, row): self._up(
                before, world, trigger, row, same and _same(held.get(trigger.name), trigger)
            )
            for trigger in triggers
            if trigger.pattern is None and trigger.holds is not None
            for row in world.memberships
        }
        self._told_of_definition(before, world)
        self.world, self.triggers = world, triggers
        self._defined(before.memberships, world.now)

    @property
    def changes(self) -> list[Told]:
        """Those of segments; what is followed for triggers makes no change."""
        return [each for each in super().changes if not is_watch(each[1])]

    def _up(self, before: World, world: Watching, trigger: Waits, row: int, kept: bool) -> bool:
        """A trigger as it was goes on between its thresholds; another begins from what holds now."""
        held = world.memberships[row]
        if kept and trigger.rests is not None and isinstance(before, Watching):
            between = not held[f"trigger:{trigger.name}:holds"] and not held[f"trigger:{trigger.name}:rests"]
            if between:
                return before.up.get((trigger.name, row), False)
        return held[f"trigger:{trigger.name}:holds"]

    def _told_of_definition(self, before: World, world: Watching) -> None:
        for row, held in world.memberships.items():
            was = before.memberships.get(row, {})
            for trigger in world.triggers:
                name = trigger.segment or (None if trigger.pattern else f"trigger:{trigger.name}:holds")
                if name is None or not trigger.backfill or was.get(name, False) == held.get(name, False):
                    continue
                words = ("entered", "left") if trigger.segment else ("began", "ended")
                action = words[0] if held.get(name, False) else words[1]
                if action in trigger.actions:
                    self.fired.append(((world.now, trigger.name, "", action, None), row))

    def take_watched(self, history: History, historic: bool = False) -> None:
        """Events, lists, overrides and the rest; what is ``historic`` fires only what asks for it."""
        self.take(history)
        self.note_fired(historic)

    def note_fired(self, historic: bool = False) -> None:
        """What fired since the last time has fired."""
        assert isinstance(self.world, Watching)
        self.fired += [(told, row) for told, row, backfill in self.world.fired if backfill or not historic]
        self.world.fired.clear()

    def make_watching(
        self,
        definitions: Sequence[Definition],
        rules: Rules,
        triggers: Sequence[Waits],
        before: Mapping[tuple[str, int], bool],
    ) -> Watching:
        """A world with triggers of which nothing is known yet."""
        return Watching(definitions, rules, triggers, before)


def _same(one: Waits | None, other: Waits) -> bool:
    return one is not None and (one.holds, one.rests) == (other.holds, other.rests)

"""What the service should say, by the plain interpreter alone: definitions change, the records stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from segue.domain.change import Cause
from segue.language.interpret import Definition, Flip, Override, Rules, Step
from segue.language.interpret.changes import World
from tests.service.written import Listed
from tests.strategies.histories import History
from tests.strategies.resolver import Resolver

Told = tuple[str, str, bool, int, Cause, str | None]
"""A change without its number: user id, segment, entered, at, cause, message id."""


@dataclass
class Oracle:
    """Takes what the service takes; ``flips`` are all changes, ``world`` what is true now."""

    resolver: Resolver = field(default_factory=Resolver)
    steps: list[Step] = field(default_factory=list)
    flips: list[Flip] = field(default_factory=list)
    lists: dict[str, set[str]] = field(default_factory=dict)
    world: World = field(default_factory=lambda: World((), Rules()))

    def take(self, history: History) -> None:
        """Events, lists and overrides, one after another."""
        for each in history:
            step = self.resolver.take(each)
            if step is not None:
                self.steps.append(step)
                self.flips += self.world.take(step)

    def define(self, definitions: Sequence[Definition], rules: Rules, lists: Listed) -> None:
        """Other definitions are in force: the changes are what differs from before, all at once."""
        self.steps.append(self._listing(lists))
        before, now = self.world.memberships, self.world.now
        self.world, _ = self.told(self.steps, definitions, rules, now)
        self._defined(before, now)

    def _defined(self, before: Mapping[int, Mapping[str, bool]], now: int) -> None:
        """What differs from before, as changes by definition."""
        for row in sorted(self.world.events):
            was, is_so = before.get(row, {}), self.world.memberships.get(row, {})
            for name in sorted({*was, *is_so}):
                if was.get(name, False) != is_so.get(name, False):
                    self.flips.append(Flip(now, row, name, is_so.get(name, False), Cause.DEFINITION))

    def _listing(self, lists: Listed) -> Step:
        edits = []
        for name in sorted({*lists, *self.lists}):
            before, after = self.lists.get(name, set()), set(lists.get(name, ()))
            edits += [(name, who, False) for who in sorted(before - after)]
            edits += [(name, who, True) for who in sorted(after - before)]
        self.lists = {name: set(users) for name, users in lists.items()}
        found: list[tuple[int, str, bool]] = []
        for name, who, on in edits:
            step = self.resolver.take(("list", name, who, on))
            assert step is not None
            found += step.lists
        return Step(self.resolver.now, Cause.DEFINITION, lists=tuple(found))

    @property
    def changes(self) -> list[Told]:
        """The changes with the ids that people see."""
        ids = self.resolver.ids
        return [
            (ids[flip.row], flip.segment, flip.entered, flip.at, flip.cause, flip.message_id)
            for flip in self.flips
        ]

    def members(self, name: str, as_of: int | None = None) -> dict[str, int]:
        """Members by user id with their ``since``, by the definition of today."""
        world = self.world
        steps = self.steps if as_of is None else [step for step in self.steps if step.received_at <= as_of]
        now = world.now if as_of is None else as_of
        world, flips = self.told(steps, world.definitions, world.rules, now)
        return members_of(world, flips, name, self.resolver.ids)

    def is_prefix(self, as_of: int) -> bool:
        """Whether what was received by a moment is all that the log held at some time."""
        received = [step.received_at <= as_of for step in self.steps]
        return received == sorted(received, reverse=True)

    def overrides(self) -> Mapping[int, Mapping[str, Override]]:
        """What people decided, by row."""
        return self.world.overrides

    def told(
        self, steps: Sequence[Step], definitions: Sequence[Definition], rules: Rules, until: int
    ) -> tuple[World, list[Flip]]:
        """The world at a moment, and every flip on the way, under one set of definitions."""
        world = self.make_world(definitions, rules)
        flips = [flip for step in steps for flip in world.take(step)]
        return world, flips + world.advance(until)

    def make_world(self, definitions: Sequence[Definition], rules: Rules) -> World:
        """A world of which nothing is known yet."""
        return World(definitions, rules)


def members_of(world: World, flips: Sequence[Flip], name: str, ids: Sequence[str]) -> dict[str, int]:
    """User ids with the moment of their last entry."""
    since = {flip.row: flip.at for flip in flips if flip.segment == name and flip.entered}
    return {ids[row]: since[row] for row, held in world.memberships.items() if held.get(name, False)}

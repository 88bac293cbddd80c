"""Membership after everything: status, overrides and exclusive groups decide above the condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from segue.language.interpret.evaluate import holds_in
from segue.language.interpret.person import Person, Rules
from segue.language.interpret.scene import Scene
from segue.language.tree import Condition
from segue.language.walk import references


@dataclass(frozen=True, slots=True)
class Definition:
    """What membership needs to know of a segment; ``status`` is draft, active or archived."""

    name: str
    condition: Condition
    exclusive: str | None = None
    priority: int = 0
    status: str = "active"


@dataclass(frozen=True, slots=True)
class Override:
    """A person's word against the condition: in or out, from its record on and before ``until`` (ms)."""

    member: bool
    until: int | None = None

    def stands(self, now: int) -> bool:
        """Whether it still holds at a moment."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Noted(Override):
    """An override with who decided it and for what reason."""

    by: str | None = None
    why: str | None = None


def needed(definitions: Sequence[Definition], wanted: Iterable[str]) -> tuple[Definition, ...]:
    """The definitions that decide some segments: what they refer to, and whom they exclude."""
    by_name = {each.name: each for each in definitions}
    seats: dict[str, list[str]] = {}
    for each in definitions:
        if each.exclusive is not None:
            seats.setdefault(each.exclusive, []).append(each.name)
    found: set[str] = set()
    waiting = [name for name in wanted if name in by_name]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        each = by_name[name]
        waiting += [other for other in references(each.condition).segments if other in by_name]
        if each.exclusive is not None:
            waiting += seats[each.exclusive]
    return tuple(each for each in definitions if each.name in found)


def membership(
    definitions: Sequence[Definition],
    overrides: Mapping[str, Override],
    person: Person,
    now: int,
    rules: Rules,
) -> dict[str, bool]:
    """Who the person is, by segment name, in the order of the definitions.

    ``overrides`` are this person's, by segment. Definitions that come after those they refer to
    are settled without recursion; a reference to a segment that is not defined is no membership.
    """
    settling = _Settling(definitions, overrides, now)
    settling.scene = Scene(person.answering(settling.is_member), now, rules)
    return {definition.name: settling.is_member(definition.name) for definition in definitions}


class _Settling:
    """Memberships of one person while they are being worked out; each is worked out once."""

    scene: Scene

    def __init__(
        self, definitions: Sequence[Definition], overrides: Mapping[str, Override], now: int
    ) -> None:
        self.active = {each.name: each for each in definitions if each.status == "active"}
        self.groups: dict[str, list[Definition]] = {}
        for each in self.active.values():
            if each.exclusive is not None:
                self.groups.setdefault(each.exclusive, []).append(each)
        self.overrides = {name: override for name, override in overrides.items() if override.stands(now)}
        self.settled: dict[str, bool] = {}

    def is_member(self, name: str) -> bool:
        definition = self.active.get(name)
        if definition is None:
            return False
        if name not in self.settled:
            if definition.exclusive is None:
                self.settled[name] = self._claims(definition)
            else:
                self._settle_group(self.groups[definition.exclusive])
        return self.settled[name]

    def _claims(self, definition: Definition) -> bool:
        override = self.overrides.get(definition.name)
        return override.member if override else holds_in(definition.condition, self.scene)

    def _settle_group(self, group: list[Definition]) -> None:
        """The winner: of those put in by override, else of those that hold, the largest priority."""
        claiming = [each for each in group if self._claims(each)]
        put_in = [each for each in claiming if each.name in self.overrides]
        winner = max(put_in or claiming, key=lambda each: each.priority, default=None)
        self.settled.update({each.name: each is winner for each in group})

"""The slots of a workspace, ready to decide by: candidates by falling priority, with their audiences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

from segue.domain.event import Json
from segue.domain.limits import DECISIONS_KEPT_MAX
from segue.experiences.standing import NOBODY
from segue.language.interpret import Definition, due_moments, needed
from segue.language.tree import Property
from segue.language.walk import walk
from segue.segments.experiences.audience import REQUEST, Meets, meets
from segue.segments.experiences.check import Experience, Variant
from segue.segments.workspace import Workspace
from segue.service.program import followed, rules_of


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant that may be chosen; times in ms, ``cap`` names the watch of those who have had enough."""

    experience: Experience
    variant: Variant
    meets: Meets = field(compare=False, repr=False)

    @property
    def names(self) -> tuple[str, str]:
        """(experience, variant)."""
        return self.experience.name, self.variant.name

    @property
    def weight(self) -> float:
        """Its part in a draw; where there is nothing to draw, any."""
        return self.variant.definition.weight or 1.0

    @property
    def holdout(self) -> float:
        """The share of users who are given nothing of its experience."""
        return self.experience.definition.holdout


@dataclass(frozen=True, slots=True)
class Slot:
    """One place on a page. ``levels`` are the candidates by falling priority, equal ones together."""

    name: str
    levels: tuple[tuple[Candidate, ...], ...]
    fallback: Json

    def candidates(self) -> Iterator[Candidate]:
        """All of them, the first choice first."""
        for level in self.levels:
            yield from level


class Slots:
    """What a workspace's definitions say of its slots; made once for each workspace in force."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._needed: dict[tuple[str, ...], tuple[Definition, ...]] = {}
        live = [each for each in workspace.experiences.values() if each.definition.live]
        by_slot: dict[str, list[Experience]] = {}
        for each in live:
            by_slot.setdefault(each.definition.slot, []).append(each)
        self.by_name: Mapping[str, Slot] = {
            name: _slot(name, sharing, workspace) for name, sharing in sorted(by_slot.items())
        }

    def needed(self, names: tuple[str, ...]) -> tuple[Definition, ...]:
        """All that some slots ask about somebody, with what that hangs on, in the order of evaluation."""
        found = self._needed.get(names)
        if found is None:
            watches = {watch for name in names for watch in watches_of(self.by_name[name])}
            if len(self._needed) >= DECISIONS_KEPT_MAX:
                self._needed.clear()
            found = self._needed[names] = needed(followed(self.workspace), watches)
        return found

    @cached_property
    def paths(self) -> Mapping[str, tuple[tuple[str, ...], ...]]:
        """What the request is asked, by slot: two that say the same there are one question."""
        return {name: tuple(sorted(set(paths_of(slot)))) for name, slot in self.by_name.items()}

    @cached_property
    def edges(self) -> tuple[int, ...]:
        """The moments (ms, rising) at which a variant starts or ends, or dates turn what holds of nobody."""
        variants = [each.variant for slot in self.by_name.values() for each in slot.candidates()]
        ends = {at for each in variants for at in (each.starts, each.ends) if at is not None}
        rules = rules_of(self.workspace)
        for each in self.needed(tuple(self.by_name)):
            ends.update(due_moments(each.condition, NOBODY, rules))
        return tuple(sorted(ends))


def paths_of(slot: Slot) -> Iterator[tuple[str, ...]]:
    """What a slot asks the request."""
    for each in slot.candidates():
        for node in walk(each.variant.audience.whole):
            if isinstance(node, Property) and node.root == REQUEST:
                yield node.path


def watches_of(slot: Slot) -> Iterator[str]:
    """What a slot asks the engine about somebody."""
    for each in slot.candidates():
        yield from each.variant.audience.watches
        if each.variant.cap is not None:
            yield each.variant.cap


def _slot(name: str, sharing: Iterable[Experience], workspace: Workspace) -> Slot:
    zone = workspace.settings.timezone
    found = [
        Candidate(each, variant, meets(variant.audience.form, zone))
        for each in sharing
        for variant in each.variants
    ]
    found.sort(key=lambda each: (-_priority(each), each.names))
    levels = tuple(tuple(level) for _, level in groupby(found, _priority))
    fallback = next(each.definition.fallback for each in sharing if each.definition.fallback is not None)
    return Slot(name, levels, fallback)


def _priority(candidate: Candidate) -> int:
    return candidate.variant.definition.priority

"""What the triggers of a workspace wait for, in the engine's words: flips of names, and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from segue.language.checker import check_condition
from segue.language.tree import Aggregate, Compare, EventPattern
from segue.segments.triggers.check import rises
from segue.segments.triggers.definition import TriggerDefinition
from segue.segments.triggers.on import OnCondition, OnEvent, OnSegment, pattern_condition
from segue.segments.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Turning:
    """A trigger that fires when a name that the engine follows begins to hold, or ends.

    ``place`` is the trigger's among the names. With ``rests`` it can begin again only after that held.
    """

    place: int
    name: str
    begins: str | None
    ends: str | None
    rests: str | None
    backfill: bool

    @property
    def is_membership(self) -> bool:
        """Whether its firings are changes, and have their ids."""
        return self.begins == "entered" or self.ends == "left"


@dataclass(frozen=True, slots=True)
class Seen:
    """A trigger that fires with an event of a pattern, while ``holds`` does if it is there."""

    place: int
    pattern: EventPattern
    holds: str | None
    backfill: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """All live triggers; ``names`` are sorted."""

    names: Sequence[str] = ()
    turnings: Sequence[Turning] = ()
    seen: Sequence[Seen] = ()
    by_name: Mapping[str, Sequence[Turning]] = field(default_factory=dict)
    """The turnings by each name that they ask for."""

    @property
    def idle(self) -> bool:
        """Whether nothing is waited for."""
        return not (self.turnings or self.seen)

    @property
    def backfills(self) -> bool:
        """Whether history makes any of them fire."""
        return any(each.backfill for each in self.turnings) or any(each.backfill for each in self.seen)

    def followed(self) -> frozenset[str]:
        """Every name of which flips are asked for."""
        return frozenset((*self.by_name, *(each.holds for each in self.seen if each.holds is not None)))


NOTHING = Wanted()


def wanted_of(workspace: Workspace) -> Wanted:
    """What the live triggers of a workspace wait for."""
    names = tuple(sorted(name for name, each in workspace.triggers.items() if each.live))
    turnings: list[Turning] = []
    seen: list[Seen] = []
    for place, name in enumerate(names):
        trigger = workspace.triggers[name]
        form = trigger.form
        if isinstance(form, OnSegment):
            turnings.append(
                Turning(
                    place,
                    form.segment,
                    "entered" if form.entered else None,
                    "left" if form.left else None,
                    None,
                    trigger.backfill,
                )
            )
        elif isinstance(form, OnCondition):
            turnings.append(_crossing(place, trigger, workspace))
        elif isinstance(form, OnEvent):
            holds = None if form.condition is None else trigger.holds
            seen.append(Seen(place, pattern_of(form, workspace), holds, trigger.backfill))
    by_name: dict[str, list[Turning]] = {}
    for each in turnings:
        for followed in (each.name,) if each.rests is None else (each.name, each.rests):
            by_name.setdefault(followed, []).append(each)
    return Wanted(names, turnings, seen, by_name)


def _crossing(place: int, trigger: TriggerDefinition, workspace: Workspace) -> Turning:
    up = rises(workspace.watches[trigger.holds])
    wanted = trigger.crossing or ("rising" if up else "falling")
    return Turning(
        place,
        trigger.holds,
        "began" if wanted in ("both", "rising" if up else "falling") else None,
        "ended" if wanted in ("both", "falling" if up else "rising") else None,
        trigger.rests if trigger.hysteresis else None,
        trigger.backfill,
    )


def pattern_of(form: OnEvent, workspace: Workspace) -> EventPattern:
    """Which events a trigger waits for."""
    found = check_condition(pattern_condition(form.pattern), workspace.scope)
    assert isinstance(found, Compare)
    assert isinstance(found.left, Aggregate)
    return found.left.event

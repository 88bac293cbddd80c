"""The decision said once more in the plainest code: every condition asked about the whole history."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from segue.domain.event import EXPOSURE, Event, Json
from segue.domain.time import parse_instant
from segue.experiences.drawing import fraction
from segue.language.interpret import Definition, Override, Person, Rules, holds, membership
from segue.language.tree import (
    Aggregate,
    And,
    Arithmetic,
    Compare,
    Condition,
    EventPattern,
    In,
    Match,
    Not,
    Number,
    Operand,
    Or,
    Presence,
    Property,
)
from segue.language.walk import walk
from segue.segments.experiences.check import Experience, Variant
from segue.segments.workspace import Workspace


@dataclass(frozen=True)
class Known:
    """Everything that a decision hangs on, as the interpreter takes it."""

    definitions: tuple[Definition, ...]
    overrides: Mapping[str, Override]
    person: Person
    now: int
    rules: Rules
    request: Mapping[str, Json]

    def meets(self, condition: Condition) -> bool:
        """An audience: the request stands for the one event that a ``where`` sees."""
        match condition:
            case And():
                return all(self.meets(part) for part in condition.parts)
            case Or():
                return any(self.meets(part) for part in condition.parts)
            case Not():
                return not self.meets(condition.part)
        if any(isinstance(node, Property) and node.root == "request" for node in walk(condition)):
            seen = EventPattern("track", "R", _of_event(condition))
            request = Person((Event(1, 0, "track", "R", self.now, self.now, self.request),))
            return holds(Compare(">", Aggregate("count", seen), Number(0)), request, self.now, self.rules)
        found = membership(self.definitions, self.overrides, self.person, self.now, self.rules)
        return holds(condition, self.person.answering(found), self.now, self.rules)

    def given(self, experience: str, variant: str, within: int) -> int:
        """How often a variant was seen by now."""
        return sum(
            event.name == EXPOSURE
            and event.type == "track"
            and event.properties.get("experience") == experience
            and event.properties.get("variant") == variant
            and self.now - within < event.timestamp <= self.now
            for event in self.person.events
        )


def _of_event(node: Any) -> Any:
    """The same with bare paths in place of the request's."""
    match node:
        case Property():
            return replace(node, root="properties")
        case Compare() | Arithmetic():
            return replace(node, left=_of_event(node.left), right=_of_event(node.right))
        case In() | Match() | Presence():
            return replace(node, operand=_of_event(node.operand))
    assert isinstance(node, Operand)
    return node


def decided(workspace: Workspace, slot: str, user_id: str, known: Known) -> tuple[str, str] | None:
    """(experience, variant) that a user is given in a slot; None is the fallback."""
    left = [
        (each, variant)
        for each in workspace.experiences.values()
        if each.definition.live and each.definition.slot == slot
        for variant in each.variants
        if _open(each, variant, known)
    ]
    while left:
        top = max(variant.definition.priority for _, variant in left)
        lots = [(each, variant) for each, variant in left if variant.definition.priority == top]
        experience, variant = min(lots, key=lambda lot: _time(lot[0], lot[1], user_id))
        if fraction("holdout", experience.name, user_id) >= experience.definition.holdout:
            return experience.name, variant.name
        left = [lot for lot in left if lot[0] is not experience]
    return None


def _open(experience: Experience, variant: Variant, known: Known) -> bool:
    bounds = (experience.definition, variant.definition)
    for each in bounds:
        if each.starts is not None and known.now < _ms(each.starts):
            return False
        if each.ends is not None and known.now >= _ms(each.ends):
            return False
    cap = variant.definition.cap
    if cap is not None and known.given(experience.name, variant.name, cap.per_ms) >= cap.times:
        return False
    return known.meets(variant.audience.whole)


def _time(experience: Experience, variant: Variant, user_id: str) -> float:
    return -math.log(fraction("draw", experience.name, variant.name, user_id)) / (
        variant.definition.weight or 1
    )


def _ms(text: str) -> int:
    found = parse_instant(text)
    assert found is not None
    return found

"""Single clauses at a moment: their truth, their values, and when time alone turns them."""

from __future__ import annotations

import math

from segue.domain.event import Json
from segue.language.interpret import Person, Rules, due_moments, holds
from segue.language.interpret.evaluate import holds_in, value_in
from segue.language.interpret.scene import Scene
from segue.language.tree import Condition, Kind, Operand


class Turning:
    """One person at ``now`` (ms), with settled memberships."""

    def __init__(self, person: Person, now: int, rules: Rules) -> None:
        self.person = person
        self.now = now
        self.rules = rules
        self.scene = Scene(person, now, rules)

    def holds(self, node: Condition) -> bool:
        """Whether a node is true now."""
        return holds_in(node, self.scene)

    def value(self, operand: Operand, kind: Kind) -> Json:
        """What an operand gives now, read under a kind."""
        return value_in(operand, kind, self.scene)

    def turns(self, node: Condition, within_ms: int | None = None) -> int | None:
        """The first moment after now at which time alone flips a leaf; None when it never does.

        With ``within_ms`` no moment further off is looked at.
        """
        before = self.holds(node)
        end = math.inf if within_ms is None else self.now + within_ms
        for at in due_moments(node, self.person, self.rules):
            if self.now < at <= end and holds(node, self.person, at, self.rules) is not before:
                return at
        return None

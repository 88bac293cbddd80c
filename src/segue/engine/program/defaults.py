"""The truth of every atom for a profile without events: what conditions are measured against."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from segue.engine.kernel import layout as k
from segue.engine.program.arithmetic import computed
from segue.engine.program.formula import WHOLE, Constant, Formula, Junction, Leaf, Negation
from segue.engine.program.registry import AtomKey, FeatureKey
from segue.language.interpret import Definition

_ORDER: dict[int, Callable[[float, float], bool]] = {
    k.EQ: lambda left, right: left == right,
    k.NE: lambda left, right: left != right,
    k.LT: lambda left, right: left < right,
    k.LE: lambda left, right: left <= right,
    k.GT: lambda left, right: left > right,
    k.GE: lambda left, right: left >= right,
}


class Defaults:
    """Defaults of atoms and segments; ``initial`` gives a feature's first column without events."""

    def __init__(
        self, features: Sequence[FeatureKey], initial: Callable[[int], int], atoms: Sequence[AtomKey]
    ) -> None:
        self.features = features
        self.initial = initial
        self.members: dict[str, bool] = {}
        self.atoms = atoms

    def settle(self, definitions: Sequence[Definition], formulas: Sequence[Formula]) -> list[bool]:
        """Membership of a profile without events, segment by segment, groups as one."""
        raw: list[bool] = []
        at = 0
        while at < len(definitions):
            end = at + 1
            group = definitions[at].exclusive
            while group is not None and end < len(definitions) and definitions[end].exclusive == group:
                end += 1
            truths = [self.formula(formulas[number]) for number in range(at, end)]
            raw += truths
            claiming = [definitions[at + place] for place, truth in enumerate(truths) if truth]
            winner = max(claiming, key=lambda each: each.priority, default=None)
            for number in range(at, end):
                self.members[definitions[number].name] = definitions[number] is winner
            at = end
        return raw

    def formula(self, formula: Formula) -> bool:
        """The truth of a formula without events."""
        match formula:
            case Leaf():
                return self.atom(self.atoms[formula.atom])
            case Constant():
                return formula.value
            case Negation():
                return not self.formula(formula.part)
            case Junction():
                truths = (self.formula(part) for part in formula.parts)
                return all(truths) if formula.every else any(truths)

    def atom(self, key: AtomKey) -> bool:
        """The truth of an atom without events."""
        if key.kind == k.MEMBER:
            return self.members.get(key.segment, False)
        if key.kind == k.DOUBLE:
            left = computed(key.code[: key.middle], self._double)
            right = computed(key.code[key.middle :], self._double)
            if left is None or right is None:
                return key.high == k.NE
            return _ORDER[key.high](left, right)
        value = self.initial(key.feature)
        if key.kind == k.BIT:
            return bool(value >> key.low & 1) != key.negated
        if key.kind == k.PRESENT:
            return (value != k.MISSING and self.features[key.feature].kind != k.AVG) != key.negated
        if key.kind in (k.EXACT, k.SAME):
            return self._pair(key, value, self.initial(key.low))
        if value == k.MISSING or key.kind == k.ELAPSED:
            return key.negated
        return (key.low <= value <= key.high) != key.negated

    def _pair(self, key: AtomKey, left: int, right: int) -> bool:
        missing = k.MISSING in (left, right)
        if key.kind == k.SAME:
            return (not missing and left == right) != key.negated
        return key.high == k.NE if missing else _ORDER[key.high](left, right)

    def _double(self, feature: int) -> float | None:
        kind = self.features[feature].kind
        value = self.initial(feature)
        if kind == k.AVG or value == k.MISSING:
            return None
        return float(value) if kind in WHOLE else value / 1e6

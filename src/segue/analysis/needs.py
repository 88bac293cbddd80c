"""What would have to become true: the smallest set of clauses that must turn, for one who is out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from segue.analysis.sentences import Need, need
from segue.analysis.turning import Turning
from segue.domain.event import Json
from segue.language.tree import And, Condition, Not, Or

ALTERNATIVES_MAX = 5
_UNREACHABLE = 1_000
"""What a clause that nothing can turn any more counts against another way in."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Several needs: ``how`` is all or any of them."""

    how: str
    parts: tuple[Need | Needs, ...]

    def to_json(self) -> dict[str, Json]:
        """The needs as a JSON object."""
        return {self.how: [part.to_json() for part in self.parts]}


def needs(node: Condition, want: bool, turning: Turning) -> tuple[Need | Needs, ...]:
    """All that must turn for a node that is not as wanted to become so; never empty."""
    found = _needs(node, want, turning)
    return found.parts if isinstance(found, Needs) and found.how == "all" else (found,)


def _needs(node: Condition, want: bool, turning: Turning) -> Need | Needs:
    match node:
        case Not():
            return _needs(node.part, not want, turning)
        case And() | Or():
            wrong = [part for part in node.parts if turning.holds(part) is not want]
            found = [_needs(part, want, turning) for part in wrong]
            return _all(found) if isinstance(node, And) is want else _nearest(found)
    return need(node, want, turning)


def _all(found: Iterable[Need | Needs]) -> Need | Needs:
    parts = list(dict.fromkeys(_flat(found, "all")))
    return parts[0] if len(parts) == 1 else Needs("all", tuple(parts))


def _nearest(found: list[Need | Needs]) -> Need | Needs:
    """The alternatives that ask for the least."""
    parts = list(dict.fromkeys(_flat(found, "any")))
    least = min(map(_cost, parts))
    near = [part for part in parts if _cost(part) == least][:ALTERNATIVES_MAX]
    return near[0] if len(near) == 1 else Needs("any", tuple(near))


def _flat(found: Iterable[Need | Needs], how: str) -> Iterable[Need | Needs]:
    for each in found:
        if isinstance(each, Needs) and each.how == how:
            yield from each.parts
        else:
            yield each


def _cost(found: Need | Needs) -> int:
    if isinstance(found, Need):
        return 1 if found.possible else _UNREACHABLE
    costs = map(_cost, found.parts)
    return sum(costs) if found.how == "all" else min(costs)

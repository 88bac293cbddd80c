"""The condition as a tree of clauses, each with its truth and, at the leaves, what was observed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from segue.analysis.evidence import Observed, observe, own_kind
from segue.analysis.values import Shown, shown_literal
from segue.domain.event import Json
from segue.language.interpret.evaluate import holds_in
from segue.language.interpret.scene import Scene
from segue.language.reading import MIRRORED, is_literal, kind_compared, kind_of, literal_reading
from segue.language.speller import spell
from segue.language.tree import (
    And,
    Compare,
    Condition,
    In,
    Kind,
    ListRef,
    Match,
    Not,
    Or,
    Presence,
    SegmentRef,
    Truth,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One node of a condition.

    ``kind`` is and, or, not, compare, in, match, presence, segment, list or truth; ``text`` the node as it
    is written, ``holds`` its truth. ``observed`` are its operands that are not spelled out, ``operator`` and
    ``threshold`` what they are held against. ``parts`` are the nodes below; of a segment, its condition.
    ``pointer`` is the segment to ask about for more.
    """

    kind: str
    text: str
    holds: bool
    parts: tuple[Clause, ...] = ()
    observed: tuple[Observed, ...] = ()
    operator: str | None = None
    threshold: Shown | None = None
    pointer: str | None = None
    note: str | None = None

    @property
    def asks_a_model(self) -> bool:
        """Whether what a model says of the profile is among its operands, or those of the nodes below."""
        below = any(part.asks_a_model for part in self.parts)
        return below or any(each.is_of_a_model for each in self.observed)

    def to_json(self) -> dict[str, Json]:
        """The node as a JSON object; keys that say nothing are left out."""
        found: dict[str, Json] = {"kind": self.kind, "text": self.text, "holds": self.holds}
        if self.parts:
            found["parts"] = [part.to_json() for part in self.parts]
        if self.observed:
            found["observed"] = [each.to_json() for each in self.observed]
        if self.operator is not None:
            found["operator"] = self.operator
        if self.threshold is not None:
            found["threshold"] = self.threshold.to_json()
        if self.pointer is not None:
            found["segment"] = self.pointer
        if self.note is not None:
            found["note"] = self.note
        return found


Inside = Callable[[str], tuple[Clause | None, str | None]]
"""The condition of a segment that is referred to, and a note when something else decides there."""


def clause(node: Condition, scene: Scene, inside: Inside) -> Clause:
    """The node with its truth in a scene; ``inside`` explains the segments it refers to."""
    return _CLAUSES[type(node)](node, holds_in(node, scene), scene, inside)


def _joined(node: And | Or, holds: bool, scene: Scene, inside: Inside) -> Clause:
    parts = tuple(clause(part, scene, inside) for part in node.parts)
    return Clause("and" if isinstance(node, And) else "or", spell(node), holds, parts)


def _not(node: Not, holds: bool, scene: Scene, inside: Inside) -> Clause:
    return Clause("not", spell(node), holds, (clause(node.part, scene, inside),))


def _truth(node: Truth, holds: bool, _scene: Scene, _inside: Inside) -> Clause:
    return Clause("truth", spell(node), holds)


def _compare(node: Compare, holds: bool, scene: Scene, _inside: Inside) -> Clause:
    kind = kind_compared(node)
    left, right, op = node.left, node.right, node.op
    if is_literal(left) and not is_literal(right):
        left, right, op = right, left, MIRRORED[op]
    if not is_literal(right):
        both = tuple(observe(side, _kind(side, kind), scene) for side in (left, right))
        return Clause("compare", spell(node), holds, (), both, op)
    threshold = shown_literal(right)  # type: ignore[arg-type]
    reading = literal_reading(right)  # type: ignore[arg-type]
    seen = () if is_literal(left) else (observe(left, _kind(left, kind), scene, reading),)
    return Clause("compare", spell(node), holds, (), seen, op, threshold)


def _kind(side: Any, compared: Kind) -> Kind:
    own = kind_of(side)
    return compared if own is Kind.UNKNOWN or compared is Kind.SCALAR else own


def _in(node: In, holds: bool, scene: Scene, _inside: Inside) -> Clause:
    values = [shown_literal(value) for value in node.values]
    threshold = Shown("list", [each.value for each in values], ", ".join(each.text for each in values))
    seen = observe(node.operand, own_kind(node.operand), scene)
    return Clause("in", spell(node), holds, (), (seen,), "not in" if node.negated else "in", threshold)


def _match(node: Match, holds: bool, scene: Scene, _inside: Inside) -> Clause:
    seen = observe(node.operand, own_kind(node.operand), scene)
    return Clause("match", spell(node), holds, (), (seen,), node.op, shown_literal(node.literal))


def _presence(node: Presence, holds: bool, scene: Scene, _inside: Inside) -> Clause:
    seen = observe(node.operand, own_kind(node.operand), scene)
    return Clause("presence", spell(node), holds, (), (seen,), "is missing" if node.missing else "is present")


def _segment(node: SegmentRef, holds: bool, _scene: Scene, inside: Inside) -> Clause:
    within, note = inside(node.name)
    parts = () if within is None else (within,)
    return Clause("segment", spell(node), holds, parts, pointer=node.name, note=note)


def _list(node: ListRef, holds: bool, _scene: Scene, _inside: Inside) -> Clause:
    return Clause("list", spell(node), holds)


_CLAUSES: dict[type, Callable[[Any, bool, Scene, Inside], Clause]] = {
    And: _joined,
    Or: _joined,
    Not: _not,
    Truth: _truth,
    Compare: _compare,
    In: _in,
    Match: _match,
    Presence: _presence,
    SegmentRef: _segment,
    ListRef: _list,
}

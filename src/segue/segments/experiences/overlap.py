"""What can be seen of two conditions without asking anybody: that one implies the other, or excludes it.

Both answers are sound and incomplete: True is certain, False says only that it was not seen. Seen are
constants, equal parts, parts of ``and`` and ``or``, members of one exclusive group, a part and its
negation, and comparisons of one value with literals.
"""

from __future__ import annotations

from collections.abc import Mapping

from segue.language import tree
from segue.language.reading import MIRRORED, is_literal, kind_of, literal_reading
from segue.segments.definitions import SegmentDefinition
from segue.segments.sameness import normal

Segments = Mapping[str, SegmentDefinition]


def settled(condition: tree.Condition, segments: Segments) -> tree.Condition:
    """In the one spelling, with segments that have no members taken for false."""
    return normal(_lifeless(condition, segments))


def _lifeless(condition: tree.Condition, segments: Segments) -> tree.Condition:
    match condition:
        case tree.SegmentRef() if condition.name in segments and not segments[condition.name].live:
            return tree.Truth(False)
        case tree.Not():
            return tree.Not(_lifeless(condition.part, segments))
        case tree.And() | tree.Or():
            return type(condition)(tuple(_lifeless(part, segments) for part in condition.parts))
    return condition


def implies(one: tree.Condition, other: tree.Condition) -> bool:
    """Whether whoever meets ``one`` is seen to meet ``other``; both settled."""
    if one == other or one == tree.Truth(False) or other == tree.Truth(True):
        return True
    if isinstance(one, tree.Or):
        return all(implies(part, other) for part in one.parts)
    if isinstance(other, tree.And):
        return all(implies(one, part) for part in other.parts)
    if isinstance(one, tree.And) and any(implies(part, other) for part in one.parts):
        return True
    if isinstance(one, tree.Not) and isinstance(other, tree.Not):
        return implies(other.part, one.part)
    return isinstance(other, tree.Or) and any(implies(one, part) for part in other.parts)


def excludes(one: tree.Condition, other: tree.Condition, segments: Segments) -> bool:
    """Whether nobody is seen to meet both at one moment; both settled."""
    if tree.Truth(False) in (one, other) or _denies(one, other) or _denies(other, one):
        return True
    if isinstance(one, tree.Or):
        return all(excludes(part, other, segments) for part in one.parts)
    if isinstance(other, tree.Or):
        return all(excludes(one, part, segments) for part in other.parts)
    if isinstance(one, tree.And) or isinstance(other, tree.And):
        return any(excludes(a, b, segments) for a in _parts(one) for b in _parts(other))
    return _leaves_exclude(one, other, segments)


def _denies(one: tree.Condition, other: tree.Condition) -> bool:
    """Whether one is the negation of what the other implies."""
    return isinstance(one, tree.Not) and implies(other, one.part)


def _parts(condition: tree.Condition) -> tuple[tree.Condition, ...]:
    return condition.parts if isinstance(condition, tree.And) else (condition,)


def _leaves_exclude(one: tree.Condition, other: tree.Condition, segments: Segments) -> bool:
    if normal(tree.Not(one)) == other:
        return True
    if isinstance(one, tree.SegmentRef) and isinstance(other, tree.SegmentRef):
        return _rivals(one.name, other.name, segments)
    if _missing_and_compared(one, other) or _missing_and_compared(other, one):
        return True
    return _values_exclude(one, other)


def _rivals(one: str, other: str, segments: Segments) -> bool:
    groups = [segments[name].exclusive for name in (one, other) if name in segments]
    return one != other and len(groups) == 2 and groups[0] is not None and groups[0] == groups[1]


def _missing_and_compared(one: tree.Condition, other: tree.Condition) -> bool:
    """A comparison with what is missing is false; ``!=`` and ``not in`` are not."""
    if not (isinstance(one, tree.Presence) and one.missing):
        return False
    match other:
        case tree.Compare(op=op) if op != "!=":
            return _same_value(one.operand, other.left) or _same_value(one.operand, other.right)
        case tree.In(negated=False) | tree.Match():
            return _same_value(one.operand, other.operand)
    return False


def _same_value(one: tree.Operand, other: tree.Operand) -> bool:
    """Whether it is one value, however it is read."""
    if isinstance(one, tree.Trait) and isinstance(other, tree.Trait):
        return (one.path, one.owner) == (other.path, other.owner)
    if isinstance(one, tree.Property) and isinstance(other, tree.Property):
        return (one.path, one.root) == (other.path, other.root)
    return one == other


def _values_exclude(one: tree.Condition, other: tree.Condition) -> bool:
    """Comparisons of one value, read in one way, with literals that leave nothing in common."""
    for first, second in ((one, other), (other, one)):
        listed, bound = _allowed(first), _bound(second)
        if listed is not None and bound is not None and listed[0] == bound[0]:
            return all(_apart("==", value, bound[1], bound[2]) for value in listed[1])
    mine, theirs = _allowed(one), _allowed(other)
    if mine is not None and theirs is not None and mine[0] == theirs[0]:
        return all(_apart("==", first, "==", second) for first in mine[1] for second in theirs[1])
    a, b = _bound(one), _bound(other)
    return a is not None and b is not None and a[0] == b[0] and _apart(a[1], a[2], b[1], b[2])


Bound = tuple[tree.Operand, str, tree.Literal]


def _bound(condition: tree.Condition) -> Bound | None:
    """(value, operator, literal) of a comparison that turns on one literal."""
    match condition:
        case tree.Compare():
            left, op, right = condition.left, condition.op, condition.right
            if is_literal(left):
                left, op, right = right, MIRRORED[op], left
            return (left, op, right) if is_literal(right) and op != "!=" else None  # type: ignore[return-value]
    return None


def _allowed(condition: tree.Condition) -> tuple[tree.Operand, tuple[tree.Literal, ...]] | None:
    """(value, the literals of which it has to equal one), for literals that are all of one type.

    ``in`` reads the value anew for each literal, so its value counts as read under their type.
    """
    match condition:
        case tree.Compare():
            found = _bound(condition)
            return (found[0], (found[2],)) if found is not None and found[1] == "==" else None
        case tree.In(negated=False):
            kinds = {kind_of(literal) for literal in condition.values}
            if len(kinds) == 1:
                return _read(condition.operand, kinds.pop()), condition.values
    return None


def _read(operand: tree.Operand, kind: tree.Kind) -> tree.Operand:
    match operand:
        case tree.Trait():
            return tree.Trait(operand.path, operand.owner, kind)
        case tree.Property():
            return tree.Property(operand.path, operand.root, kind)
    return operand


def _apart(op: str, one: tree.Literal, other_op: str, other: tree.Literal) -> bool:
    """Whether no value is both ``op one`` and ``other_op other``."""
    if kind_of(one) is not kind_of(other):
        return False
    a, b = literal_reading(one), literal_reading(other)
    if op == "==" and other_op == "==":
        return a != b
    if not isinstance(a, int) or not isinstance(b, int) or isinstance(a, bool) or isinstance(b, bool):
        return False
    return _low(op, a) > _high(other_op, b) or _low(other_op, b) > _high(op, a)


_FAR = 2**127


def _low(op: str, bound: int) -> int:
    """Twice the least value of ``op bound``: odd ones stand for what lies between two millionths."""
    return {"==": 2 * bound, ">=": 2 * bound, ">": 2 * bound + 1}.get(op, -_FAR)


def _high(op: str, bound: int) -> int:
    return {"==": 2 * bound, "<=": 2 * bound, "<": 2 * bound - 1}.get(op, _FAR)

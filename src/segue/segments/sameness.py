"""When two conditions say the same though they are written differently, and when one says nothing at all.

Only what can be seen at a glance is decided here: order and repetition of parts, doubled
negation, a comparison turned around, and constants. What needs reasoning is left to the analysis.
"""

from __future__ import annotations

from segue.language import tree

_TURNED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPPOSITE = {"==": "!=", "!=": "=="}
_NEVER_NEGATIVE = frozenset(("count", "days", "distinct", "sessions"))
_LITERALS = tree.Number | tree.Text | tree.TruthValue | tree.Duration | tree.Moment


def normal(condition: tree.Condition) -> tree.Condition:
    """One spelling for all that differ at a glance only; a constant becomes ``Truth``."""
    match condition:
        case tree.And() | tree.Or():
            return _joined(condition)
        case tree.Not():
            return _negated(normal(condition.part))
        case tree.Compare():
            return _compared(condition)
        case tree.In():
            values = tuple(sorted(set(condition.values), key=repr))
            return tree.In(condition.operand, values, condition.negated)
        case _:
            return condition


def _joined(condition: tree.And | tree.Or) -> tree.Condition:
    same = type(condition)
    absorbing = isinstance(condition, tree.Or)  # true settles an `or`, false an `and`
    parts: set[tree.Condition] = set()
    for part in map(normal, condition.parts):
        if isinstance(part, same):
            parts.update(part.parts)
        elif not isinstance(part, tree.Truth):
            parts.add(part)
        elif part.value == absorbing:
            return part
    if any(_negated(part) in parts for part in parts):
        return tree.Truth(absorbing)
    if len(parts) < 2:
        return next(iter(parts), tree.Truth(not absorbing))
    return same(tuple(sorted(parts, key=repr)))


def _negated(part: tree.Condition) -> tree.Condition:
    match part:
        case tree.Truth():
            return tree.Truth(not part.value)
        case tree.Not():
            return part.part
        case tree.Compare(op="==" | "!="):
            return tree.Compare(_OPPOSITE[part.op], part.left, part.right)
        case tree.In():
            return tree.In(part.operand, part.values, not part.negated)
        case tree.Presence():
            return tree.Presence(part.operand, not part.missing)
        case _:
            return tree.Not(part)


def _compared(condition: tree.Compare) -> tree.Condition:
    if isinstance(condition.left, _LITERALS) and not isinstance(condition.right, _LITERALS):
        condition = tree.Compare(_TURNED[condition.op], condition.right, condition.left)
    counts = isinstance(condition.left, tree.Sequence) or (
        isinstance(condition.left, tree.Aggregate) and condition.left.name in _NEVER_NEGATIVE
    )
    if counts and isinstance(condition.right, tree.Number):
        return _against_zero(condition, condition.right.micro)
    return condition


def _against_zero(condition: tree.Compare, micro: int) -> tree.Condition:
    """A number of things is never missing and never below zero."""
    if micro < 0 or (micro == 0 and condition.op in (">=", "<")):
        return tree.Truth(condition.op in (">", ">=", "!="))
    return condition

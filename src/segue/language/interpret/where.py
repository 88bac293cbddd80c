"""A ``where`` condition as a closure over one event: said once, called a million times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo

from segue.domain.event import Event, Json
from segue.language.interpret.comparing import calculate, compare, double
from segue.language.reading import (
    READERS,
    is_inexact,
    is_literal,
    is_raw,
    kind_compared,
    literal_reading,
    value_predicate,
    walk,
)
from segue.language.tree import (
    And,
    Arithmetic,
    Compare,
    Condition,
    EventPattern,
    In,
    Kind,
    Match,
    Not,
    Operand,
    Or,
    Presence,
    Property,
    Truth,
)

Properties = Mapping[str, Json]
EventPredicate = Callable[[Properties, Properties], bool]
EventValue = Callable[[Properties, Properties], Json]

_PREDICATES_KEPT_MAX = 4096


@lru_cache(maxsize=_PREDICATES_KEPT_MAX)
def event_predicate(where: Condition, zone: ZoneInfo) -> EventPredicate:
    """Whether an event's (properties, context) meet the condition.

    On identify and group the traits stand in for the properties: hand over
    :func:`seen_by_where`. What reaches beyond the one event is a TypeError; the checker refuses it.
    """
    if isinstance(where, Truth):
        constant = where.value
        return lambda _properties, _context: constant
    if isinstance(where, Not):
        part = event_predicate(where.part, zone)
        return lambda properties, context: not part(properties, context)
    if isinstance(where, And | Or):
        return _joined(where, zone)
    if isinstance(where, In | Match | Presence) and is_raw(where.operand):
        return _leaf(where, where.operand, zone)
    if isinstance(where, Compare):
        return _comparison(where, zone)
    if isinstance(where, In | Presence):
        return _computed(where, zone)
    raise TypeError(f"not about one event: {where}")


def seen_by_where(event: Event) -> Properties:
    """What bare paths in ``where`` mean: traits on identify and group, else the properties."""
    return event.traits if event.type in ("identify", "group") else event.properties


def pattern_predicate(pattern: EventPattern, zone: ZoneInfo) -> Callable[[Event], bool]:
    """Whether an event is one that the pattern means: type, name and ``where``."""
    type_, name = pattern.type, pattern.name
    where = None if pattern.where is None else event_predicate(pattern.where, zone)

    def matches(event: Event) -> bool:
        return (
            type_ in ("any", event.type)
            and name in (None, event.name)
            and (where is None or where(seen_by_where(event), event.context))
        )

    return matches


def _joined(where: And | Or, zone: ZoneInfo) -> EventPredicate:
    parts = tuple(event_predicate(part, zone) for part in where.parts)
    if isinstance(where, And):
        return lambda properties, context: all(part(properties, context) for part in parts)
    return lambda properties, context: any(part(properties, context) for part in parts)


def _leaf(node: Compare | In | Match | Presence, operand: Operand, zone: ZoneInfo) -> EventPredicate:
    holds = value_predicate(node)
    raw = _value(operand, Kind.UNKNOWN, zone)
    return lambda properties, context: holds(raw(properties, context), zone)


def _comparison(node: Compare, zone: ZoneInfo) -> EventPredicate:
    if is_raw(node.left) and is_literal(node.right):
        return _leaf(node, node.left, zone)
    if is_literal(node.left) and is_raw(node.right):
        return _leaf(node, node.right, zone)
    kind = kind_compared(node)
    inexact = is_inexact(node.left) or is_inexact(node.right)
    left, right = (
        _as_double(side, zone) if inexact else _value(side, kind, zone) for side in (node.left, node.right)
    )
    op = node.op
    return lambda properties, context: compare(op, left(properties, context), right(properties, context))


def _computed(node: In | Presence, zone: ZoneInfo) -> EventPredicate:
    """``in`` and presence of arithmetic."""
    if isinstance(node, In):
        equals = [_comparison(Compare("==", node.operand, literal), zone) for literal in node.values]
        wanted = not node.negated
        return lambda properties, context: any(equal(properties, context) for equal in equals) is wanted
    value = _value(node.operand, Kind.NUMBER, zone)
    missing = node.missing
    return lambda properties, context: (value(properties, context) is None) is missing


def _as_double(operand: Operand, zone: ZoneInfo) -> EventValue:
    value = _value(operand, Kind.NUMBER, zone)
    return lambda properties, context: double(value(properties, context))


def _value(operand: Operand, kind: Kind, zone: ZoneInfo) -> EventValue:
    if isinstance(operand, Property):
        return _property(operand, kind, zone)
    if isinstance(operand, Arithmetic):
        left, right = _as_double(operand.left, zone), _as_double(operand.right, zone)
        op = operand.op
        return lambda properties, context: calculate(
            op, left(properties, context), right(properties, context)
        )
    if is_literal(operand):
        constant = literal_reading(operand)  # type: ignore[arg-type]
        return lambda _properties, _context: constant
    raise TypeError(f"not about one event: {operand}")


def _property(operand: Property, kind: Kind, zone: ZoneInfo) -> EventValue:
    path = operand.path
    of_context = operand.root == "context"
    if kind is Kind.UNKNOWN:
        return lambda properties, context: walk(context if of_context else properties, path)
    reader = READERS[kind]
    return lambda properties, context: reader(walk(context if of_context else properties, path), zone)

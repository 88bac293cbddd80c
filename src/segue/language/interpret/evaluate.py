"""Conditions and operands of one person at one moment: the plain truth."""

from __future__ import annotations

from segue.domain.event import Event, Json
from segue.domain.number import MICRO
from segue.language.interpret.aggregates import AGGREGATES
from segue.language.interpret.comparing import calculate, compare, double
from segue.language.interpret.person import Person, Rules
from segue.language.interpret.scene import Scene
from segue.language.interpret.sequence import completions
from segue.language.reading import (
    is_inexact,
    is_literal,
    is_raw,
    kind_compared,
    literal_reading,
    read,
    value_predicate,
)
from segue.language.tree import (
    Aggregate,
    And,
    Arithmetic,
    Compare,
    Condition,
    Elapsed,
    In,
    Kind,
    ListRef,
    Match,
    Not,
    Operand,
    Or,
    Presence,
    SegmentRef,
    Sequence,
    Trait,
    Truth,
)


def holds(condition: Condition, person: Person, now: int, rules: Rules) -> bool:
    """Whether the condition is true of the person at ``now`` (ms)."""
    return holds_in(condition, Scene(person, now, rules))


def value(operand: Operand, person: Person, now: int, rules: Rules) -> Json | None:
    """What an operand gives: millionths, a double (avg, arithmetic), ms or text; None is missing.

    Traits, ``latest`` and ``earliest`` give the JSON value as it was sent.
    """
    return value_in(operand, Kind.UNKNOWN, Scene(person, now, rules))


def counted(operand: Aggregate | Sequence, person: Person, now: int, rules: Rules) -> list[Event]:
    """The events in the window that the operand is about, newest first.

    For ``sequence`` the completing events, for ``sessions`` the first event of each session.
    """
    return counted_in(operand, Scene(person, now, rules))[::-1]


def holds_in(condition: Condition, scene: Scene) -> bool:
    """Whether the condition is true in a scene."""
    match condition:
        case Truth():
            return condition.value
        case And():
            return all(holds_in(part, scene) for part in condition.parts)
        case Or():
            return any(holds_in(part, scene) for part in condition.parts)
        case Not():
            return not holds_in(condition.part, scene)
        case SegmentRef():
            return scene.person.is_member(condition.name)
        case ListRef():
            return condition.name in scene.person.lists
        case Compare():
            return _compares(condition, scene)
        case In() | Match() if is_raw(condition.operand):
            raw = value_in(condition.operand, Kind.UNKNOWN, scene)
            return value_predicate(condition)(raw, scene.rules.zone)
        case In():
            return _is_in(condition, scene)
        case Presence():
            found = value_in(condition.operand, Kind.UNKNOWN, scene)
            return (found is None) is condition.missing
    raise TypeError(f"no meaning for {condition}")


def value_in(operand: Operand, kind: Kind, scene: Scene) -> Json | None:
    """The operand in a scene; raw values are read under ``kind``."""
    if isinstance(operand, Trait):
        return read(scene.trait(operand.path, operand.owner), kind, scene.rules.zone)
    if isinstance(operand, Aggregate):
        found = _aggregate(operand, scene)
        return read(found, kind, scene.rules.zone) if is_raw(operand) else found
    if isinstance(operand, Sequence):
        return len(completions(operand, scene)) * MICRO
    if isinstance(operand, Arithmetic):
        sides = (double(value_in(side, Kind.NUMBER, scene)) for side in (operand.left, operand.right))
        return calculate(operand.op, *sides)
    if isinstance(operand, Elapsed):
        time = value_in(operand.time, Kind.TIME, scene)
        if time is None:
            return None
        return scene.now - time if operand.direction == "since" else time - scene.now
    if is_literal(operand):
        return literal_reading(operand)  # type: ignore[arg-type]
    raise TypeError(f"no value for {operand}")


def counted_in(operand: Aggregate | Sequence, scene: Scene) -> list[Event]:
    """The events in the window that the operand is about, in order."""
    if isinstance(operand, Sequence):
        return completions(operand, scene)
    if operand.name == "sessions":
        beginnings = {run[0].seq for run in scene.sessions}
        inside = scene.matching(operand.event, operand.window)
        return [event for event in inside if event.seq in beginnings]
    return scene.matching(operand.event, operand.window)


def _aggregate(operand: Aggregate, scene: Scene) -> Json | None:
    events = counted_in(operand, scene)
    if operand.name == "sessions":
        return len(events) * MICRO
    return AGGREGATES[operand.name](events, operand.path, scene.rules.zone)


def _compares(node: Compare, scene: Scene) -> bool:
    kind = kind_compared(node)
    left, right = (value_in(side, kind, scene) for side in (node.left, node.right))
    if is_inexact(node.left) or is_inexact(node.right):
        left, right = double(left), double(right)
    return compare(node.op, left, right)


def _is_in(node: In, scene: Scene) -> bool:
    found = any(_compares(Compare("==", node.operand, literal), scene) for literal in node.values)
    return found is not node.negated

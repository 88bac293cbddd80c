"""How a raw JSON value is read as a type of the language, and what a leaf over one value means.

Times are read in the workspace's zone when their text names none. Numbers are millionths.
A value of another type than asked for is missing (``None``), never an error.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from segue.domain.event import Json
from segue.domain.number import double_of, micro_of
from segue.domain.time import parse_instant
from segue.language.tree import (
    Aggregate,
    Arithmetic,
    Compare,
    Duration,
    Elapsed,
    In,
    Kind,
    Literal,
    Match,
    Moment,
    Number,
    Operand,
    Presence,
    Property,
    Sequence,
    Text,
    Trait,
    TruthValue,
)

Reading = int | float | str | bool | tuple[str, float | str | bool]
ValuePredicate = Callable[[Json, ZoneInfo], bool]
Reader = Callable[[Json, ZoneInfo], Reading | None]

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""The operator that says the same with its sides exchanged."""


# ---- one value -------------------------------------------------------------------------------


def walk(mapping: Json, path: tuple[str, ...]) -> Json | None:
    """The value at a path of object keys; None where a key is absent or the way is no object."""
    value = mapping
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def present(value: Json) -> bool:
    """Whether there is a value: not null, not absent, no NaN, infinity or number beyond the doubles."""
    if value is None:
        return False
    if isinstance(value, int | float) and not isinstance(value, bool):
        return double_of(value) is not None
    return True


def scalar(value: Json) -> tuple[str, float | str | bool] | None:
    """What makes two scalars the same: 1 and 1.0 are, 1 and "1" are not; None for anything else."""
    if isinstance(value, bool):
        return ("b", value)
    if isinstance(value, str):
        return ("s", value)
    if isinstance(value, int | float):
        double = double_of(value)
        return None if double is None else ("n", double + 0.0)
    return None


def scalar_key(value: Json) -> str | None:
    """The identity of a scalar as text, the same that :func:`~segue.language.sql.scalar_sql` gives.

    >>> scalar_key(1), scalar_key(1.0), scalar_key("1"), scalar_key(True)
    ('n:1', 'n:1', 's:1', 'b:true')
    """
    found = scalar(value)
    if found is None:
        return None
    tag, identity = found
    if tag == "n":
        return f"n:{identity:.17g}"
    if tag == "b":
        return "b:true" if identity else "b:false"
    return f"s:{identity}"


def _number(value: Json, _zone: ZoneInfo) -> int | None:
    return micro_of(value)


def _text(value: Json, _zone: ZoneInfo) -> str | None:
    return value if isinstance(value, str) else None


def _truth(value: Json, _zone: ZoneInfo) -> bool | None:
    return value if isinstance(value, bool) else None


def _time(value: Json, zone: ZoneInfo) -> int | None:
    return parse_instant(value, zone) if isinstance(value, str) else None


def _scalar(value: Json, _zone: ZoneInfo) -> tuple[str, float | str | bool] | None:
    return scalar(value)


def _raw(value: Json, _zone: ZoneInfo) -> Json | None:
    return value if present(value) else None


READERS: Mapping[Kind, Reader] = {
    Kind.NUMBER: _number,
    Kind.TEXT: _text,
    Kind.TRUTH: _truth,
    Kind.TIME: _time,
    Kind.SCALAR: _scalar,
    Kind.UNKNOWN: _raw,
}


def read(value: Json, kind: Kind, zone: ZoneInfo) -> Reading | None:
    """The value under one kind: NUMBER millionths, TIME ms, SCALAR a tagged identity; None is missing."""
    return READERS[kind](value, zone)


# ---- kinds of operands -----------------------------------------------------------------------

_LITERAL_KINDS: Mapping[type, Kind] = {
    Number: Kind.NUMBER,
    Text: Kind.TEXT,
    TruthValue: Kind.TRUTH,
    Duration: Kind.DURATION,
    Moment: Kind.TIME,
    Elapsed: Kind.DURATION,
    Arithmetic: Kind.NUMBER,
    Sequence: Kind.NUMBER,
}


def is_raw(operand: Operand) -> bool:
    """Whether the operand gives a JSON value whose type only the comparison knows."""
    if isinstance(operand, Aggregate):
        return operand.name in ("latest", "earliest")
    return isinstance(operand, Trait | Property)


def is_literal(operand: Operand) -> bool:
    """Whether the operand is spelled out."""
    return isinstance(operand, Number | Text | TruthValue | Duration | Moment)


def kind_of(operand: Operand) -> Kind:
    """The type an operand has by itself; raw values have the one that the checker settled."""
    if isinstance(operand, Trait | Property):
        return operand.read
    if isinstance(operand, Aggregate):
        if operand.name in ("latest", "earliest"):
            return operand.read
        return Kind.TIME if operand.name in ("last", "first") else Kind.NUMBER
    return _LITERAL_KINDS[type(operand)]


def kind_compared(node: Compare) -> Kind:
    """The type under which both sides of a comparison are read."""
    for side in (kind_of(node.left), kind_of(node.right)):
        if side is not Kind.UNKNOWN:
            return side
    return Kind.SCALAR if node.op in ("==", "!=") else Kind.NUMBER


def is_inexact(operand: Operand) -> bool:
    """Whether the operand is an IEEE double rather than an exact number of millionths."""
    return isinstance(operand, Arithmetic) or (isinstance(operand, Aggregate) and operand.name == "avg")


# ---- leaves over one raw value and literals --------------------------------------------------


def literal_reading(literal: Literal) -> Reading:
    """The exact value a literal stands for: millionths, ms, text or truth."""
    if isinstance(literal, Number):
        return literal.micro
    if isinstance(literal, Duration | Moment):
        return literal.ms
    return literal.value


def literal_holds(op: str, value: Json, literal: Literal, zone: ZoneInfo) -> bool:
    """Whether ``value op literal``; op is a comparison or a match."""
    return _literal_predicate(op, literal)(value, zone)


def value_predicate(node: Compare | In | Match | Presence) -> ValuePredicate:
    """What a leaf over one raw operand and literals says about a raw value, missing ones included.

    The closure takes (raw JSON value or None, zone). A leaf of another shape is a ValueError.
    """
    if isinstance(node, Presence):
        return _absent if node.missing else _is_present
    if isinstance(node, Match):
        return _literal_predicate(node.op, node.literal)
    if isinstance(node, In):
        return _in_predicate(node)
    return _compare_predicate(node)


def _absent(value: Json, _zone: ZoneInfo) -> bool:
    return not present(value)


def _is_present(value: Json, _zone: ZoneInfo) -> bool:
    return present(value)


def _compare_predicate(node: Compare) -> ValuePredicate:
    if is_raw(node.left) and is_literal(node.right):
        return _literal_predicate(node.op, node.right)  # type: ignore[arg-type]
    if is_literal(node.left) and is_raw(node.right):
        return _literal_predicate(MIRRORED[node.op], node.left)  # type: ignore[arg-type]
    raise ValueError(f"no leaf over one raw value: {node}")


def _in_predicate(node: In) -> ValuePredicate:
    equals = [_literal_predicate("==", literal) for literal in node.values]
    wanted = not node.negated

    def within(value: Json, zone: ZoneInfo) -> bool:
        return any(equal(value, zone) for equal in equals) is wanted

    return within


def _literal_predicate(op: str, literal: Literal) -> ValuePredicate:
    if op in OPERATORS:
        return _comparison(op, literal)
    if op == "contains":
        return _contains(literal)
    assert isinstance(literal, Text)
    affix = literal.value
    if op == "starts with":
        return lambda value, _zone: isinstance(value, str) and value.startswith(affix)
    assert op == "ends with"
    return lambda value, _zone: isinstance(value, str) and value.endswith(affix)


def _comparison(op: str, literal: Literal) -> ValuePredicate:
    reader = READERS[kind_of(literal)]
    wanted = literal_reading(literal)
    compare = OPERATORS[op]
    if_missing = op == "!="

    def compares(value: Json, zone: ZoneInfo) -> bool:
        found = reader(value, zone)
        return if_missing if found is None else compare(found, wanted)

    return compares


def _contains(literal: Literal) -> ValuePredicate:
    equal = _comparison("==", literal)
    part = literal.value if isinstance(literal, Text) else None

    def contains(value: Json, zone: ZoneInfo) -> bool:
        if isinstance(value, list | tuple):
            return any(equal(element, zone) for element in value)
        return part is not None and isinstance(value, str) and part in value

    return contains

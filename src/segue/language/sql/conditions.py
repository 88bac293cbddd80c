"""Conditions as BOOLEAN expressions that are never NULL, over whatever columns hold the operands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from segue.domain.number import nearest_double
from segue.language.reading import is_inexact, is_literal, is_raw, kind_compared, literal_reading
from segue.language.sql.quoting import double_sql, extract_sql, text_sql
from segue.language.sql.readings import is_list, is_present, read_sql
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
    Literal,
    Match,
    Not,
    Number,
    Operand,
    Or,
    Presence,
    Property,
    SegmentRef,
    Text,
    Truth,
)

_NAN = "CAST('nan' AS DOUBLE)"
_OPERATORS = {"==": "=", "!=": "<>"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the operands are found.

    ``operand`` gives the column of an aggregate, a sequence or a raw value (as JSON); ``segment`` and
    ``listed`` a BOOLEAN that is never NULL.
    """

    zone: ZoneInfo
    operand: Callable[[Operand], str]
    segment: Callable[[str], str]
    listed: Callable[[str], str]


def condition_sql(condition: Condition, columns: Columns) -> str:
    """The condition as a BOOLEAN expression."""
    match condition:
        case Truth():
            return "TRUE" if condition.value else "FALSE"
        case And() | Or():
            word = " AND " if isinstance(condition, And) else " OR "
            return "(" + word.join(condition_sql(part, columns) for part in condition.parts) + ")"
        case Not():
            return f"(NOT {condition_sql(condition.part, columns)})"
        case Compare():
            return _compare(condition, columns)
        case In():
            return _in(condition, columns)
        case Match():
            return _match(condition.op, columns.operand(condition.operand), condition.literal, columns)
        case Presence():
            return _presence(condition, columns)
        case SegmentRef():
            return columns.segment(condition.name)
        case ListRef():
            return columns.listed(condition.name)
    raise TypeError(f"no SQL for {condition}")


def where_sql(where: Condition, properties: str, context: str, zone: ZoneInfo) -> str:
    """A ``where`` condition over two JSON (or JSON text) columns: what bare paths mean, and the context."""

    def raw(operand: Operand) -> str:
        if not isinstance(operand, Property):
            raise TypeError(f"not about one event: {operand}")
        return extract_sql(context if operand.root == "context" else properties, operand.path)

    def nowhere(name: str) -> str:
        raise TypeError(f"not about one event: {name}")

    return condition_sql(where, Columns(zone, raw, nowhere, nowhere))


# ---- leaves ----------------------------------------------------------------------------------


def _compare(node: Compare, columns: Columns) -> str:
    if is_inexact(node.left) or is_inexact(node.right):
        sides = (f"nullif({_double(side, columns)}, {_NAN})" for side in (node.left, node.right))
    else:
        kind = kind_compared(node)
        sides = (_typed(side, kind, columns) for side in (node.left, node.right))
    return _never_null(node.op, *sides)


def _never_null(op: str, left: str, right: str) -> str:
    missing = "TRUE" if op == "!=" else "FALSE"
    return f"coalesce({left} {_OPERATORS.get(op, op)} {right}, {missing})"


def _in(node: In, columns: Columns) -> str:
    if is_raw(node.operand):
        raw = columns.operand(node.operand)
        found = " OR ".join(_equal(raw, literal, columns) for literal in node.values)
    else:
        found = " OR ".join(_compare(Compare("==", node.operand, each), columns) for each in node.values)
    return f"(NOT ({found}))" if node.negated else f"({found})"


def _equal(raw: str, literal: Literal, columns: Columns) -> str:
    kind = kind_compared(Compare("==", literal, literal))
    return _never_null("==", read_sql(raw, kind, columns.zone), _literal(literal))


def _match(op: str, raw: str, literal: Literal, columns: Columns) -> str:
    text = read_sql(raw, Kind.TEXT, columns.zone)
    if op == "contains":
        elements = f"CAST(CASE WHEN {is_list(raw)} THEN {raw} ELSE '[]' END AS JSON[])"
        some = f"len(list_filter({elements}, lambda item: {_equal('item', literal, columns)})) > 0"
        if not isinstance(literal, Text):
            return f"({some})"
        return f"({some} OR coalesce(contains({text}, {text_sql(literal.value)}), FALSE))"
    assert isinstance(literal, Text)
    function = "starts_with" if op == "starts with" else "ends_with"
    return f"coalesce({function}({text}, {text_sql(literal.value)}), FALSE)"


def _presence(node: Presence, columns: Columns) -> str:
    if is_raw(node.operand):
        found = is_present(columns.operand(node.operand))
    elif isinstance(node.operand, Arithmetic):
        found = f"nullif({_double(node.operand, columns)}, {_NAN}) IS NOT NULL"
    else:
        found = f"{_typed(node.operand, Kind.UNKNOWN, columns)} IS NOT NULL"
    return f"(NOT ({found}))" if node.missing else f"({found})"


# ---- operands --------------------------------------------------------------------------------


def _typed(operand: Operand, kind: Kind, columns: Columns) -> str:
    """An exact operand: millionths, ms, text or truth."""
    if is_raw(operand):
        return read_sql(columns.operand(operand), kind, columns.zone)
    if is_literal(operand):
        return _literal(operand)  # type: ignore[arg-type]
    if isinstance(operand, Elapsed):
        time = _typed(operand.time, Kind.TIME, columns)
        return f"(now - ({time}))" if operand.direction == "since" else f"(({time}) - now)"
    return columns.operand(operand)


def _double(operand: Operand, columns: Columns) -> str:
    """A number as DOUBLE."""
    if isinstance(operand, Arithmetic):
        left, right = _double(operand.left, columns), _double(operand.right, columns)
        if operand.op == "/":
            right = f"nullif({right}, 0)"
        return f"({left} {operand.op} {right})"
    if isinstance(operand, Number):
        return double_sql(nearest_double(operand.micro))
    if isinstance(operand, Aggregate) and operand.name == "avg":
        return columns.operand(operand)
    return nearest_double_sql(_typed(operand, Kind.NUMBER, columns))


def nearest_double_sql(micro: str) -> str:
    """The double of a number of millionths. By way of text: a HUGEINT is not cast to its nearest double."""
    return f"(CAST(CAST({micro} AS VARCHAR) AS DOUBLE) / 1e6)"


def _literal(literal: Literal) -> str:
    exact = literal_reading(literal)
    if isinstance(exact, bool):
        return "TRUE" if exact else "FALSE"
    return text_sql(exact) if isinstance(exact, str) else str(exact)

"""A checked tree back to the text of a condition."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from segue.domain.number import format_micro, micro, nearest_double
from segue.domain.time import DAY, format_duration, format_instant
from segue.language import printer, syntax, tree


def spell(node: tree.Condition | tree.Operand) -> str:
    """The node on one line; checked in the same scope, the text gives the same tree again."""
    return printer.inline(_syntax(node))


def spell_event(event: tree.EventPattern) -> str:
    """An event with its ``where``, as it stands in an aggregate."""
    return printer.pattern(_pattern(event))


def spell_duration(ms: int) -> str:
    """A length of time; whole weeks in days, as most windows are written."""
    text = format_duration(ms)
    return f"{ms // DAY}d" if text.endswith("w") else text


def spell_number(total: int) -> str:
    """A number of millionths as a literal that is read as exactly this number."""
    text = format_micro(total)
    if micro(float(text)) == total:
        return text
    double = nearest_double(total)
    for near in (double, math.nextafter(double, -math.inf), math.nextafter(double, math.inf)):
        text = f"{near:.6f}".rstrip("0").rstrip(".")
        if micro(float(text)) == total:
            return text
    return format_micro(total)


def _syntax(node: tree.Condition | tree.Operand) -> syntax.Expression:
    return _SPELLED[type(node)](node)


def _number(node: tree.Number) -> syntax.Expression:
    text = spell_number(abs(node.micro))
    number = syntax.Literal(0, 0, "number", text)
    return syntax.Negative(0, 0, number) if node.micro < 0 else number


def _literal(node: tree.Literal) -> syntax.Literal:
    """A literal as one word, as lists want it."""
    match node:
        case tree.Number():
            return syntax.Literal(
                0, 0, "number", ("-" if node.micro < 0 else "") + spell_number(abs(node.micro))
            )
        case tree.Text():
            return syntax.Literal(0, 0, "text", node.value)
        case tree.TruthValue():
            return _truth(node)
        case tree.Duration():
            return _duration(node)
        case tree.Moment():
            return _moment(node)


def _truth(node: tree.Truth | tree.TruthValue) -> syntax.Literal:
    return syntax.Literal(0, 0, "truth", "true" if node.value else "false")


def _duration(node: tree.Duration) -> syntax.Literal:
    return syntax.Literal(0, 0, "duration", node.text or spell_duration(node.ms))


def _moment(node: tree.Moment) -> syntax.Literal:
    return syntax.Literal(0, 0, "date", node.text or format_instant(node.ms))


def _length(ms: int) -> syntax.Literal:
    return syntax.Literal(0, 0, "duration", spell_duration(ms))


def _trait(node: tree.Trait) -> syntax.Expression:
    if node.owner in ("score", "cluster"):
        return syntax.Reference(0, 0, node.owner, node.path[0])
    return syntax.Path(0, 0, "trait" if node.owner == "user" else "group", node.path)


def _property(node: tree.Property) -> syntax.Expression:
    return syntax.Path(0, 0, "context" if node.root == "context" else "", node.path)


def _aggregate(node: tree.Aggregate) -> syntax.Expression:
    event = None if node.name == "sessions" else _pattern(node.event, node.path)
    return syntax.Aggregate(0, 0, node.name, event, _window(node.window))


def _sequence(node: tree.Sequence) -> syntax.Expression:
    steps = tuple([_pattern(step) for step in node.steps])
    return syntax.Sequence(0, 0, steps, _length(node.within), _window(node.window))


def _pattern(event: tree.EventPattern, path: tuple[str, ...] = ()) -> syntax.Pattern:
    where = None if event.where is None else _syntax(event.where)
    return syntax.Pattern(0, 0, event.type, event.name, path, where)


def _window(window: tree.Window) -> syntax.Window | None:
    match window:
        case tree.AllTime():
            return None
        case tree.Last() | tree.Next():
            direction = "last" if isinstance(window, tree.Last) else "next"
            return syntax.LastWindow(0, 0, direction, _length(window.ms))
        case tree.Between():
            since = syntax.Literal(0, 0, "date", window.start_text or format_instant(window.start))
            if window.end is None:
                return syntax.DatesWindow(0, 0, since, None)
            until = syntax.Literal(0, 0, "date", window.end_text or format_instant(window.end))
            return syntax.DatesWindow(0, 0, since, until)
        case tree.SinceEvent():
            return syntax.EventWindow(0, 0, window.which, _pattern(window.event), _window(window.window))
        case tree.ThisSession():
            return syntax.SessionWindow(0, 0)


def _named(kind: str) -> Callable[[Any], syntax.Expression]:
    return lambda node: syntax.Reference(0, 0, kind, node.name)


def _logic(node: tree.And | tree.Or) -> syntax.Expression:
    parts = tuple([_syntax(part) for part in node.parts])
    return syntax.Logic(0, 0, "and" if isinstance(node, tree.And) else "or", parts)


def _in(node: tree.In) -> syntax.Expression:
    values = tuple([_literal(value) for value in node.values])
    return syntax.In(0, 0, _syntax(node.operand), values, node.negated)


_SPELLED: dict[type, Callable[[Any], syntax.Expression]] = {
    tree.Number: _number,
    tree.Text: _literal,
    tree.TruthValue: _truth,
    tree.Duration: _duration,
    tree.Moment: _moment,
    tree.Aggregate: _aggregate,
    tree.Sequence: _sequence,
    tree.Trait: _trait,
    tree.Property: _property,
    tree.Arithmetic: lambda node: syntax.Arithmetic(0, 0, node.op, _syntax(node.left), _syntax(node.right)),
    tree.Elapsed: lambda node: syntax.Elapsed(0, 0, node.direction, _syntax(node.time)),
    tree.Feature: _named("feature"),
    tree.Truth: _truth,
    tree.And: _logic,
    tree.Or: _logic,
    tree.Not: lambda node: syntax.Not(0, 0, _syntax(node.part)),
    tree.Compare: lambda node: syntax.Compare(0, 0, node.op, _syntax(node.left), _syntax(node.right)),
    tree.In: _in,
    tree.Match: lambda node: syntax.Match(0, 0, node.op, _syntax(node.operand), _syntax(node.literal)),
    tree.Presence: lambda node: syntax.Presence(0, 0, _syntax(node.operand), node.missing),
    tree.SegmentRef: _named("segment"),
    tree.ListRef: _named("list"),
}

"""A syntax tree back to text on one line: canonical spacing and no bracket that is not needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from segue.language import syntax

LOOSEST = 0
OR = 1
AND = 2
NOT = 3
COMPARISON = 4
SUM = 5
PRODUCT = 6
NEGATION = 7
TIGHTEST = 8

POWERS = {
    "or": OR, "and": AND,
    "==": COMPARISON, "!=": COMPARISON, "<": COMPARISON, "<=": COMPARISON, ">": COMPARISON, ">=": COMPARISON,
    "in": COMPARISON, "not": COMPARISON, "contains": COMPARISON, "starts": COMPARISON, "ends": COMPARISON,
    "is": COMPARISON,
    "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT,
}  # fmt: skip
"""How tightly an operator binds what stands before it."""

_KEY = re.compile(r"[^\W\d]\w*")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_RESERVED = frozenset(("and", "or", "not", "true", "false"))
_ROOTS = frozenset(("trait", "group", "context"))


def power_of(node: syntax.Expression) -> int:
    """How tightly a node holds together; a looser one needs brackets inside a tighter place."""
    match node:
        case syntax.Logic() | syntax.Arithmetic():
            return POWERS[node.op]
        case syntax.Not():
            return NOT
        case syntax.Compare() | syntax.In() | syntax.Match() | syntax.Presence():
            return COMPARISON
        case syntax.Negative():
            return NEGATION
        case _:
            return TIGHTEST


def inline(node: syntax.Expression, floor: int = LOOSEST) -> str:
    """The node on one line, in brackets when it binds less tightly than ``floor``."""
    text = _PRINTED[type(node)](node)
    return f"({text})" if power_of(node) < floor else text


def _literal(node: syntax.Literal) -> str:
    return quoted(node.text) if node.kind == "text" else node.text


def _aggregate(node: syntax.Aggregate) -> str:
    return _call(node.name, [pattern(node.event)] if node.event else [], node.window)


def _sequence(node: syntax.Sequence) -> str:
    steps = " then ".join([pattern(step) for step in node.steps])
    return _call("sequence", [steps, f"within {node.within.text}"], node.window)


def _arithmetic(node: syntax.Arithmetic) -> str:
    power = POWERS[node.op]
    return f"{inline(node.left, power)} {node.op} {inline(node.right, power + 1)}"


def _compare(node: syntax.Compare) -> str:
    return f"{inline(node.left, SUM)} {node.op} {inline(node.right, SUM)}"


def _logic(node: syntax.Logic) -> str:
    return f" {node.op} ".join([inline(part, POWERS[node.op] + 1) for part in flat(node)])


def _in(node: syntax.In) -> str:
    values = ", ".join([_literal(value) for value in node.values])
    return f"{inline(node.operand, SUM)} {'not in' if node.negated else 'in'} [{values}]"


def _match(node: syntax.Match) -> str:
    return f"{inline(node.operand, SUM)} {node.op} {inline(node.part, SUM)}"


def _presence(node: syntax.Presence) -> str:
    return f"{inline(node.operand, SUM)} is {'missing' if node.missing else 'present'}"


def flat(node: syntax.Logic) -> list[syntax.Expression]:
    """The parts of an ``and`` or ``or``, with those of the same kind among them opened."""
    parts: list[syntax.Expression] = []
    waiting = list(reversed(node.parts))
    while waiting:
        part = waiting.pop()
        if isinstance(part, syntax.Logic) and part.op == node.op:
            waiting.extend(reversed(part.parts))
        else:
            parts.append(part)
    return parts


def pattern(event: syntax.Pattern) -> str:
    """``EVENT[.path] [where …]``."""
    name = event.type if event.name is None else quoted(event.name)
    text = "".join([name, *[f".{key(part)}" for part in event.path]])
    return text if event.where is None else f"{text} where {inline(event.where)}"


def window(node: syntax.Window) -> str:
    """A window, without the comma before it."""
    match node:
        case syntax.LastWindow():
            return f"{node.direction} {node.duration.text}"
        case syntax.DatesWindow():
            if node.until is None:
                return f"since {node.since.text}"
            return f"between {node.since.text} and {node.until.text}"
        case syntax.EventWindow():
            return f"since {_call(node.which, [pattern(node.event)], node.window)}"
        case syntax.SessionWindow():
            return "this session"


def _call(name: str, arguments: list[str], last: syntax.Window | None) -> str:
    if last is not None:
        arguments = [*arguments, window(last)]
    return f"{name}({', '.join(arguments)})"


def _path(node: syntax.Path) -> str:
    keys = [key(part) for part in node.path]
    if node.root:
        return ".".join([node.root, *keys])
    first = node.path[0]
    # A leading dot says that a key follows, whatever else the word would mean.
    dotted = keys[0] != first or first in _RESERVED or (first in _ROOTS and len(keys) > 1)
    return ("." if dotted else "") + ".".join(keys)


def key(name: str) -> str:
    """A key of a path: bare when it is a word, else in quotes."""
    return name if _KEY.fullmatch(name) else quoted(name)


def quoted(text: str) -> str:
    """A string literal; what cannot be seen is written as an escape."""
    if '"' not in text and "\\" not in text and text.isprintable():
        return f'"{text}"'
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return '"' + _UNSEEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", escaped) + '"'


_PRINTED: dict[type, Callable[[Any], str]] = {
    syntax.Literal: _literal,
    syntax.Path: _path,
    syntax.Reference: lambda node: f"{node.kind}({quoted(node.name)})",
    syntax.Aggregate: _aggregate,
    syntax.Sequence: _sequence,
    syntax.Elapsed: lambda node: f"{node.direction}({inline(node.time)})",
    syntax.Negative: lambda node: f"-{inline(node.operand, NEGATION)}",
    syntax.Arithmetic: _arithmetic,
    syntax.Compare: _compare,
    syntax.In: _in,
    syntax.Match: _match,
    syntax.Presence: _presence,
    syntax.Not: lambda node: f"not {inline(node.part, NOT)}",
    syntax.Logic: _logic,
}

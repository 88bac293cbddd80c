"""The one way to write a condition: ``segue fmt``."""

from __future__ import annotations

from segue.language import syntax
from segue.language.comments import Placed, holds_logic, place_comments
from segue.language.findings import Source
from segue.language.parser import parse
from segue.language.printer import LOOSEST, NOT, POWERS, flat, inline, power_of

LINE_CHARACTERS = 88
INDENT = "  "


def format_condition(text: str) -> str:
    """The canonical spelling of a condition or operand, without a line end at its end.

    It means the same, keeps every comment, and formats to itself. Raises SegueError (E1xx)
    when the text cannot be read; names and types are not looked at.
    """
    source = Source(text)
    tree, comments, tokens = parse(source)
    placed = place_comments(source, tree, comments, tokens)
    return "\n".join([*_Layout(placed).lines(tree, LINE_CHARACTERS, LOOSEST), *placed.below])


class _Layout:
    """Breaks what is too wide, or carries comments, into one part a line."""

    def __init__(self, placed: Placed) -> None:
        self.placed = placed

    def lines(self, node: syntax.Expression, width: int, floor: int) -> list[str]:
        """The node on as many lines as it needs, in brackets when it binds less tightly than ``floor``."""
        if isinstance(node, syntax.Logic):
            return self._logic(node, width, floor)
        if isinstance(node, syntax.Not) and holds_logic(node):
            return self._not(node, width)
        text = inline(node, floor)
        notes = self.placed.of(node)
        if notes is None:
            return [text]
        return [*notes.above, text if notes.beside is None else f"{text}  {notes.beside}"]

    def _logic(self, node: syntax.Logic, width: int, floor: int) -> list[str]:
        one = self._one_line(node, width, floor)
        if one is not None:
            return [one]
        if power_of(node) < floor:
            inner = self._logic(node, width - len(INDENT), LOOSEST)
            return ["(", *_indented(inner), ")"]
        lines: list[str] = []
        for number, part in enumerate(flat(node)):
            sign = f"{node.op} " if number else ""
            below = self.lines(part, width - len(sign), POWERS[node.op] + 1)
            # An `and` inside an `or` needs no brackets: what belongs together is indented instead.
            if isinstance(part, syntax.Logic) and power_of(part) > POWERS[node.op]:
                below = _hanging(below)
            lines.extend(_led(sign, below))
        return lines

    def _not(self, node: syntax.Not, width: int) -> list[str]:
        sign = "not "
        return _led(sign, self.lines(node.part, width - len(sign), NOT))

    def _one_line(self, node: syntax.Logic, width: int, floor: int) -> str | None:
        if self.placed.notes and self._noted(node):
            return None
        text = inline(node, floor)
        return text if len(text) <= width else None

    def _noted(self, node: syntax.Expression) -> bool:
        if isinstance(node, syntax.Logic):
            return any(map(self._noted, node.parts))
        if isinstance(node, syntax.Not) and holds_logic(node):
            return self._noted(node.part)
        return self.placed.of(node) is not None


def _led(sign: str, lines: list[str]) -> list[str]:
    """The lines with a sign before the first that is no comment."""
    at = _first(lines)
    return [*lines[:at], sign + lines[at], *lines[at + 1 :]]


def _hanging(lines: list[str]) -> list[str]:
    at = _first(lines) + 1
    return [*lines[:at], *_indented(lines[at:])]


def _first(lines: list[str]) -> int:
    return next(at for at, line in enumerate(lines) if not line.lstrip().startswith("#"))


def _indented(lines: list[str]) -> list[str]:
    return [INDENT + line for line in lines]

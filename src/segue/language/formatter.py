"""The one way to write a condition: ``segue fmt``."""

from __future__ import annotations

import re
from itertools import pairwise

from segue.language import syntax
from segue.language.comments import Placed, holds_logic, place_comments
from segue.language.findings import Source
from segue.language.parser import parse
from segue.language.printer import LOOSEST, NOT, POWERS, flat, inline, power_of

LINE_CHARACTERS = 88
INDENT = "  "
_ENDS = re.compile(r'(?P<quoted>"(?:[^"\\]|\\.)*")|, | (?=(?:where|or|then|and(?! \d)) )')
"""Where a line may end; a string in between is passed over as a whole."""


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
            return _wrapped(text, width)
        if notes.beside is None:
            return [*notes.above, *_wrapped(text, width)]
        return [*notes.above, f"{text}  {notes.beside}"]

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


def _wrapped(text: str, width: int) -> list[str]:
    """A line on as many as its width asks for: it ends after a comma, or before a word that joins."""
    if len(text) <= width:
        return [text]
    lines = [""]
    for piece in _pieces(text):
        fits = len(lines[-1]) + len(piece.rstrip()) <= width
        if fits or not lines[-1].strip():
            lines[-1] += piece
        else:
            lines[-1] = lines[-1].rstrip()
            lines.append(INDENT + piece)
    return lines


def _pieces(text: str) -> list[str]:
    """The text cut where a line may end; blanks stay behind what they follow, and quotes stay whole."""
    ends = [found.end() for found in _ENDS.finditer(text) if found["quoted"] is None]
    return [text[start:end] for start, end in pairwise((0, *ends, len(text)))]


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

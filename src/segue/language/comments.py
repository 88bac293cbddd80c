"""Which part of a condition each comment belongs to."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from segue.language import syntax
from segue.language.findings import Source
from segue.language.lexer import Comment, Token

_BETWEEN_PARTS = frozenset(("and", "or", ")"))


@dataclass(slots=True)
class Notes:
    """The comments of one part: lines of their own above it, and one at its end."""

    above: list[str] = field(default_factory=list)
    beside: str | None = None


@dataclass(slots=True)
class Placed:
    """Comments by the part they stand with (its ``id``), and those after the last part."""

    notes: dict[int, Notes]
    below: list[str]

    def of(self, part: syntax.Expression) -> Notes | None:
        """The comments of a part, None when there are none."""
        return self.notes.get(id(part))


def units_of(tree: syntax.Expression) -> list[syntax.Expression]:
    """The parts of a condition that stay on one line: what ``and``, ``or`` and their ``not`` join."""
    units: list[syntax.Expression] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, syntax.Logic):
            waiting.extend(reversed(node.parts))
        elif isinstance(node, syntax.Not) and holds_logic(node):
            waiting.append(node.part)
        else:
            units.append(node)
    return units


def holds_logic(node: syntax.Not) -> bool:
    """Whether ``not``, perhaps repeated, stands before an ``and`` or ``or``."""
    part = node.part
    while isinstance(part, syntax.Not):
        part = part.part
    return isinstance(part, syntax.Logic)


def place_comments(
    source: Source, tree: syntax.Expression, comments: list[Comment], tokens: list[Token]
) -> Placed:
    """Give each comment to the part it follows on the same line, else to the part below it."""
    placed = Placed({}, [])
    if not comments:
        return placed
    units = units_of(tree)
    ends = [unit.end for unit in units]
    for comment in comments:
        following = bisect_right(ends, comment.start)
        if following and _beside(source, ends[following - 1], comment, tokens):
            notes = placed.notes.setdefault(id(units[following - 1]), Notes())
            if notes.beside is None:
                notes.beside = comment.text
                continue
        if following == len(units):
            placed.below.append(comment.text)
        else:
            placed.notes.setdefault(id(units[following]), Notes()).above.append(comment.text)
    return placed


def _beside(source: Source, end: int, comment: Comment, tokens: list[Token]) -> bool:
    if "\n" in source.text[end : comment.start]:
        return False
    at = comment.before - 1
    while at >= 0 and tokens[at].start >= end:
        if tokens[at].text not in _BETWEEN_PARTS:
            return False
        at -= 1
    return True

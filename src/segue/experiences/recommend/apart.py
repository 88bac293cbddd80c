"""A condition about people and one item, taken apart: what events with that item decide, and the rest.

``count("Product Viewed" where product_id == "sku-7", last 14d) > 0`` rests on nothing but the events that
name the item. For a thousand items these are found in one reading of the log, while a thousand conditions
that watch every event cost it a thousand times over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from segue.domain.event import Json
from segue.domain.number import MICRO, micro_of
from segue.language.interpret import Person, Rules, holds
from segue.language.reading import is_literal
from segue.language.tree import (
    Aggregate,
    AllTime,
    And,
    Arithmetic,
    Between,
    Compare,
    Condition,
    Elapsed,
    EventPattern,
    In,
    Last,
    Match,
    Not,
    Number,
    Or,
    Presence,
    Property,
    Text,
)
from segue.language.walk import Node, children, walk

Word = tuple[str, int | str]
"""What tells values of a property apart: ("n", millionths) or ("s", text)."""
_NOBODY = Person(())
_PLAIN = (And, Or, Not, Compare, In, Match, Presence, Elapsed, Arithmetic)
"""They say nothing of their own: it is for their parts to be near."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where track events of one name tell of an item."""

    event: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Apart:
    """``near`` holds of nobody without an event in which an anchor has the ``word``; it looks at no other.

    ``whole`` says that more is read of these events than the value at the anchor, ``reach`` how far back (ms)
    they matter, None for ever. ``rest`` is what has to hold besides; None for nothing.
    """

    near: Condition
    word: Word
    anchors: frozenset[Anchor]
    whole: bool
    reach: int | None
    rest: Condition | None


def word_of(identifier: Json) -> Word | None:
    """The word of an item's id as it stands in a condition: a whole number, or a text."""
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        return ("n", identifier * MICRO)
    return ("s", identifier) if isinstance(identifier, str) else None


def words_of(value: Json) -> Iterator[Word]:
    """The words that a value of an event is equal to."""
    if isinstance(value, str):
        yield ("s", value)
    number = micro_of(value)
    if number is not None:
        yield ("n", number)


def apart(condition: Condition, word: Word, now: int, rules: Rules) -> Apart | None:
    """The condition taken apart; None where it may hold of people who never met the item."""
    parts = condition.parts if isinstance(condition, And) else (condition,)
    near = [part for part in parts if _is_near(part, word)]
    joined = _joined(near)
    if joined is None or holds(joined, _NOBODY, now, rules):
        return None
    aggregates = [node for node in walk(joined) if isinstance(node, Aggregate)]
    anchors = frozenset(anchor for each in aggregates for anchor in _anchors(each.event, word))
    whole = any(each.path or not _is_tie(each.event.where, word) for each in aggregates)
    rest = _joined([part for part in parts if part not in near])
    return Apart(joined, word, anchors, whole, _reach(aggregates), rest)


def _joined(parts: list[Condition]) -> Condition | None:
    return And(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None


def _reach(aggregates: Iterable[Aggregate]) -> int | None:
    lengths = [each.window.ms if isinstance(each.window, Last) else None for each in aggregates]
    known = [length for length in lengths if length is not None]
    return max(known) if len(known) == len(lengths) else None


def _is_near(node: Node, word: Word) -> bool:
    """Whether nothing but events with the item can change what a part says."""
    if isinstance(node, Aggregate):
        plain = isinstance(node.window, AllTime | Last | Between)
        return plain and any(True for _ in _anchors(node.event, word))
    if is_literal(node):  # type: ignore[arg-type]
        return True
    return isinstance(node, _PLAIN) and all(_is_near(part, word) for part in children(node))


def _anchors(pattern: EventPattern, word: Word) -> Iterator[Anchor]:
    """The first place where every event of a pattern has the word."""
    if pattern.type != "track" or pattern.name is None or pattern.where is None:
        return
    where = pattern.where
    for part in where.parts if isinstance(where, And) else (where,):
        path = _tied(part, word)
        if path is not None:
            yield Anchor(pattern.name, path)
            return


def _is_tie(where: Condition | None, word: Word) -> bool:
    return where is not None and _tied(where, word) is not None


def _tied(part: Condition, word: Word) -> tuple[str, ...] | None:
    """The path of the property that a comparison holds to the word."""
    if not isinstance(part, Compare) or part.op != "==":
        return None
    for side, other in ((part.left, part.right), (part.right, part.left)):
        if isinstance(side, Property) and side.root == "properties" and _is_word(other, word):
            return side.path
    return None


def _is_word(node: Node, word: Word) -> bool:
    if isinstance(node, Number):
        return word == ("n", node.micro)
    return isinstance(node, Text) and word == ("s", node.value)

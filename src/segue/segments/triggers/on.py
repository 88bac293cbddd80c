"""What a trigger waits for: the text under ``on``, taken apart into one of four forms.

segment("vip") entered                      a membership begins, or with ``left`` ends
5 * count("Comment", last 30d) > 80         a condition begins to hold; with ``crossing`` also when it ends
event "Order Completed" where total > 50 if segment("vip")
item price falls by 10 % for count("Product Viewed" where product_id == item.id, last 14d) > 0
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.language.findings import Source
from segue.language.lexer import Token, tokens_of
from segue.language.printer import quoted

FORM = "E480"
_HINT = (
    'write `segment("vip") entered`, a condition, `event "Order Completed" if CONDITION`,'
    " or `item price falls by 10 % for CONDITION`"
)
_SEGMENT = re.compile(
    r"""\s*segment\(\s*(?:"([^"\\\n]*)"|'([^'\\\n]*)')\s*\)\s*(?:(entered\s+or\s+left|entered|left)\s*)?"""
)
_ITEM_BEGINS = re.compile(r"\s*item\s+\w")
_ITEM = re.compile(
    r"\s*item\s+([A-Za-z_][\w.]*)\s+(falls|rises)\s+by\s+(\d{1,12}(?:\.\d{1,6})?)\s*(%)?\s+for\s+(?=\S)"
)
_AS_TEXT, _AS_NUMBER = '"i"', "1"
_VARIED_MAX = 5
"""Values of an item that are taken for a text and for a number; further ones are taken for texts."""
_ITEM_VALUE = re.compile(r"item\.[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class OnSegment:
    """A membership begins (``entered``) or ends (``left``)."""

    segment: str
    entered: bool = True
    left: bool = False


@dataclass(frozen=True, slots=True)
class OnCondition:
    """A condition begins or ceases to hold; which of it, ``crossing`` says."""

    when: str


@dataclass(frozen=True, slots=True)
class OnEvent:
    """An event of a ``pattern`` (name and ``where``) has taken effect, and ``condition`` holds then.

    Both stand where they stand in the text, with blanks before them, so that findings point there.
    """

    pattern: str
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class OnItem:
    """A number of a catalogue item falls or rises by an amount, or by a share of what it was.

    ``condition`` says whom it matters to; in it, ``item.id`` and the like stand for the item's values.
    """

    field: str
    falls: bool
    by: float
    is_share: bool
    condition: str

    def condition_for(self, item: Mapping[str, Json]) -> str:
        """The condition with the values of one item written in; ``""`` for what the item does not have."""
        return _ITEM_VALUE.sub(lambda found: _literal(_value(item, found[0])), self.condition)


On = OnSegment | OnCondition | OnEvent | OnItem


def read_on(text: str) -> On:
    """The form of a text; SegueError E480 for an event or item that is not written out, E1xx for signs."""
    segment = _SEGMENT.fullmatch(text)
    if segment is not None:
        words = (segment[3] or "entered").split()
        return OnSegment(segment[1] or segment[2] or "", "entered" in words, "left" in words)
    if _ITEM_BEGINS.match(text):
        return _item(text)
    tokens, _ = tokens_of(Source(text))
    if tokens[0].text == "event" and len(tokens) > 1 and tokens[1].kind in ("text", "word"):
        return _event(text, tokens)
    return OnCondition(text)


def _event(text: str, tokens: list[Token]) -> OnEvent:
    start = tokens[1].start
    found = next((each for each in tokens if each.kind == "word" and each.text == "if"), None)
    if found is None:
        return OnEvent(" " * start + text[start:])
    if text[found.end :].strip() == "" or found.start <= start:
        raise refusal(FORM, "no condition stands after `if`", "write a condition, or take `if` out")
    return OnEvent(_kept(text, start, found.start), _kept(text, found.end, len(text)))


def _item(text: str) -> OnItem:
    found = _ITEM.match(text)
    if found is None or not float(found[3]):
        raise refusal(FORM, "this is no change of an item that can be waited for", _HINT)
    return OnItem(
        field=found[1],
        falls=found[2] == "falls",
        by=float(found[3]),
        is_share=found[4] is not None,
        condition=_kept(text, found.end(), len(text)),
    )


def _kept(text: str, start: int, end: int) -> str:
    """A part of a text in its place: blanks, and no other lines, stand before it."""
    return re.sub(r"[^\n]", " ", text[:start]) + text[start:end].rstrip()


def pattern_condition(pattern: str) -> str:
    """A condition of the language about the events of a pattern, which stands where it stood.

    ``event`` and a blank are as long as ``count(``.
    """
    start = len(pattern) - len(pattern.lstrip())
    return pattern[: start - 6] + "count(" + pattern[start:] + ") > 0"


def item_conditions(condition: str) -> Iterator[str]:
    """The condition with a text or a number, as long as what it stands for, for each value of an item.

    Which of them an attribute is, the catalogue says and no workspace: any that fits is good.
    """
    names = list(dict.fromkeys(_ITEM_VALUE.findall(condition)))
    for kinds in product((_AS_TEXT, _AS_NUMBER), repeat=min(len(names), _VARIED_MAX)):
        said = dict(zip(names, kinds, strict=False))
        yield _ITEM_VALUE.sub(partial(_stood_for, said), condition)


def _stood_for(said: Mapping[str, str], found: re.Match[str]) -> str:
    return said.get(found[0], _AS_TEXT).ljust(len(found[0]))


def _value(item: Mapping[str, Json], path: str) -> Json:
    found: Json = item
    for key in path.split(".")[1:]:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _literal(value: Json) -> str:
    if isinstance(value, bool | int | float) and math.isfinite(value):
        return json.dumps(value)
    return quoted("" if value is None else str(value))

"""What a YAML document is made of, each part with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_NUMERAL_CHARACTERS_MAX = 40

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"


class Node:
    """A part of a document; ``start`` and ``end`` are indexes, line and column count from 1.

    ``alias`` is the range of the ``*name`` that this node was read through.
    """

    __slots__ = ("alias", "column", "end", "line", "start")

    def __init__(self, line: int, column: int, start: int, end: int) -> None:
        self.line = line
        self.column = column
        self.start = start
        self.end = end
        self.alias: tuple[int, int] | None = None

    @property
    def extent(self) -> tuple[int, int]:
        """What an edit of this part replaces in the text."""
        return self.alias or (self.start, self.end)

    @property
    def kind(self) -> str:
        """The word for what stands here, for messages."""
        raise NotImplementedError

    def plain(self) -> Plain:
        """The value without its places."""
        raise NotImplementedError


class Scalar(Node):
    """A text, number, truth or null; ``style`` is '' (plain), ``'``, ``"``, ``|`` or ``>``."""

    __slots__ = ("style", "text")

    def __init__(self, text: str, style: str, place: tuple[int, int, int, int]) -> None:
        super().__init__(*place)
        self.text = text
        self.style = style

    def plain(self) -> bool | int | float | str | None:
        """The value by the rules of JSON: only true, false, null and JSON numbers are no text.

        So ``no``, ``on``, ``010``, ``12:30`` and dates stay the text that stands there.
        """
        if self.style:
            return self.text
        if self.text in _WORDS:
            return _WORDS[self.text]
        number = _NUMBER.fullmatch(self.text)
        if number is None or len(self.text) > _NUMERAL_CHARACTERS_MAX:
            return self.text
        return float(self.text) if number[1] or number[2] else int(self.text)

    @property
    def kind(self) -> str:
        """The word for what stands here, for messages."""
        value = self.plain()
        if value is None:
            return "nothing"
        if isinstance(value, bool):
            return "a truth value"
        return "text" if isinstance(value, str) else "a number"


class Items(Node):
    """A list."""

    __slots__ = ("flow", "items")

    def __init__(self, flow: bool, place: tuple[int, int, int, int]) -> None:
        super().__init__(*place)
        self.flow = flow
        self.items: list[Node] = []

    @property
    def kind(self) -> str:
        """The word for what stands here, for messages."""
        return "a list"

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)

    def plain(self) -> list[Plain]:
        """The values without their places."""
        return [item.plain() for item in self.items]


class Entries(Node):
    """A mapping from keys, which are text and stand once, to values."""

    __slots__ = ("entries", "flow")

    def __init__(self, flow: bool, place: tuple[int, int, int, int]) -> None:
        super().__init__(*place)
        self.flow = flow
        self.entries: dict[str, tuple[Scalar, Node]] = {}

    @property
    def kind(self) -> str:
        """The word for what stands here, for messages."""
        return "a mapping"

    def key(self, name: str) -> Scalar | None:
        """The key as it stands in the text."""
        found = self.entries.get(name)
        return found[0] if found else None

    def value(self, name: str) -> Node | None:
        """The value under a key."""
        found = self.entries.get(name)
        return found[1] if found else None

    def plain(self) -> dict[str, Plain]:
        """The values without their places."""
        return {name: value.plain() for name, (_, value) in self.entries.items()}


_NOWHERE = (0, 0, 0, 0)


def node_of(value: object) -> Node:
    """A decoded JSON value as a node that stands nowhere: its line is 0."""
    if isinstance(value, dict):
        mapping = Entries(True, _NOWHERE)
        for key, part in value.items():
            mapping.entries[str(key)] = (Scalar(str(key), '"', _NOWHERE), node_of(part))
        return mapping
    if isinstance(value, list | tuple):
        items = Items(True, _NOWHERE)
        items.items.extend(node_of(part) for part in value)
        return items
    if isinstance(value, str):
        return Scalar(value, '"', _NOWHERE)
    return Scalar("null" if value is None else str(value).lower(), "", _NOWHERE)

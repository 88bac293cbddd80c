"""How the keys of a definition are read: each a row that names, checks and explains one key."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from segue.domain.errors import Diagnostic, Place
from segue.domain.limits import ID_CHARACTERS_MAX, NAME_CHARACTERS_MAX
from segue.domain.time import parse_duration, parse_instant
from segue.language.findings import closest, shorten
from segue.segments.nodes import Entries, Items, Node, Scalar
from segue.segments.origin import Origin
from segue.segments.source import Source

_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*", re.ASCII)
_EVERY = re.compile(r"every\s+(\S+)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INTEGER_MAX = 2**53
TEXT_CHARACTERS_MAX = 10_000


class Sheet:
    """A file that is being read and what was found wrong so far, in all files together."""

    __slots__ = ("findings", "source")

    def __init__(self, source: Source, findings: list[Diagnostic]) -> None:
        self.source = source
        self.findings = findings

    def place(self, node: Node) -> Place | None:
        """Where a part of the file stands, underlined to the end of its line at most; None for none."""
        if not node.line:
            return None
        length = node.end - node.start
        room = len(self.source.line(node.line)) - node.column + 1
        return self.source.place(node.line, node.column, min(length, room))

    def refuse(self, code: str, node: Node, message: str, hint: str) -> None:
        """Note an error at a part of the file."""
        self.findings.append(
            Diagnostic(code, message, hint, self.place(node), self.source.line(node.line) or None)
        )

    def wrong_type(self, key: str, node: Node, wanted: str, hint: str) -> None:
        """Note that a value is of another kind than its key takes."""
        self.refuse("E422", node, f"{key} must be {wanted}, but {node.kind} stands here", hint)

    def origin(self, node: Node | None) -> Origin | None:
        """Where a text was read from; None for a value that stands in no file."""
        return Origin(self.source, node) if isinstance(node, Scalar) and node.line else None


Reader = Callable[[Node, str, Sheet], Any]
"""Reads the value under a key; notes what is wrong and then gives None."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a definition: its name, how it is read, whether it must be there, what it means."""

    key: str
    read: Reader
    meaning: str
    required: bool = False


def read_fields(node: Node, what: str, fields: Sequence[Field], sheet: Sheet) -> dict[str, Any] | None:
    """The values of a mapping by key, without those left out or wrong; None if it is no mapping."""
    if not isinstance(node, Entries):
        sheet.wrong_type(what, node, "a mapping of keys and values", f"write `{fields[0].key}: …` and so on")
        return None
    by_key = {field.key: field for field in fields}
    values: dict[str, Any] = {}
    for key, (key_node, value) in node.entries.items():
        field = by_key.get(key)
        if field is None:
            _refuse_unknown(key, key_node, what, [*by_key], sheet)
        else:
            found = field.read(value, key, sheet)
            if found is not None:
                values[key] = found
    for field in fields:
        if field.required and field.key not in node.entries:
            hint = f"add `{field.key}: …`: {field.meaning}"
            sheet.refuse("E421", node, f"{what} has no {field.key}", hint)
    return values


_MEANT = {"value": ("expression", "formula", "when"), "when": ("condition", "rule", "value", "where")}


def _refuse_unknown(key: str, node: Scalar, what: str, known: list[str], sheet: Sheet) -> None:
    synonym = next((name for name in known if key in _MEANT.get(name, ())), None)
    near = synonym or closest(key, known)
    hint = f"did you mean {near}?" if near else "it takes " + ", ".join(known)
    sheet.refuse("E420", node, f'{what} does not know the key "{shorten(key)}"', hint)


# ---- readers -------------------------------------------------------------------------------


def text(node: Node, key: str, sheet: Sheet) -> str | None:
    """Text that says something."""
    if not isinstance(node, Scalar) or not isinstance(node.plain(), str):
        sheet.wrong_type(
            key, node, "text", "put quotes around it" if isinstance(node, Scalar) else "write text"
        )
        return None
    found = node.text.strip()
    if not found or len(found) > TEXT_CHARACTERS_MAX:
        size = "is empty" if not found else f"is longer than {TEXT_CHARACTERS_MAX:,} characters"
        sheet.refuse("E426", node, f"{key} {size}", "say it in a sentence or two")
        return None
    return found


def name(node: Node, key: str, sheet: Sheet) -> str | None:
    """A name in lower_snake_case."""
    if not isinstance(node, Scalar):
        sheet.wrong_type(key, node, "a name", "write one word in lower_snake_case")
        return None
    if not is_name(node.text):
        _bad_name(node, key, sheet)
        return None
    return node.text


def is_name(word: str) -> bool:
    """Whether a word is lower_snake_case and short enough to be a name."""
    return len(word) <= NAME_CHARACTERS_MAX and _NAME.fullmatch(word) is not None


def _bad_name(node: Scalar, key: str, sheet: Sheet) -> None:
    if len(node.text) > NAME_CHARACTERS_MAX:
        hint = f"a name has at most {NAME_CHARACTERS_MAX} characters"
    else:
        hint = "use lower_snake_case: a letter first, then letters, digits and single underscores"
        mended = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", node.text).lower()).strip(
            "_"
        )
        if is_name(mended):
            hint += f", for example {mended}"
    sheet.refuse("E423", node, f'"{shorten(node.text)}" is no name for a {key}', hint)


def expression(node: Node, key: str, sheet: Sheet) -> str | None:
    """Text of the condition language; ``true`` and ``5`` are such text too."""
    if not isinstance(node, Scalar) or node.plain() is None:
        sheet.wrong_type(
            key, node, "text of the condition language", f"write `{key}: |` and the text below it"
        )
        return None
    if not node.text.strip():
        sheet.refuse("E426", node, f"{key} is empty", "write a condition; `true` holds for everyone")
        return None
    return node.text


def duration(node: Node, key: str, sheet: Sheet) -> int | None:
    """A length of time above zero, in ms."""
    ms = parse_duration(node.text) if isinstance(node, Scalar) else None
    if not ms:
        sheet.refuse(
            "E425", node, f"{key} is no duration", "write a whole number and its unit: 30s, 15m, 12h, 7d"
        )
        return None
    return ms


def every(node: Node, key: str, sheet: Sheet) -> int | None:
    """``every D``, in ms."""
    found = _EVERY.fullmatch(node.text.strip()) if isinstance(node, Scalar) else None
    ms = parse_duration(found[1]) if found else None
    if not ms:
        sheet.refuse("E425", node, f"{key} does not say how often", "write it like `every 90d`")
        return None
    return ms


def day(node: Node, key: str, sheet: Sheet) -> date | None:
    """A calendar day."""
    if isinstance(node, Scalar) and _DATE.fullmatch(node.text):
        try:
            return date.fromisoformat(node.text)
        except ValueError:
            pass
    sheet.refuse("E425", node, f"{key} is no date", "write it like 2026-11-22")
    return None


def moment(node: Node, key: str, sheet: Sheet) -> str | None:
    """A date or date-time, as it is written: the workspace's zone, in which it counts, is known later."""
    if isinstance(node, Scalar) and parse_instant(node.text) is not None:
        return node.text.strip()
    hint = "write it like 2026-11-27 (its midnight) or 2026-11-27T10:00:00Z"
    sheet.refuse("E425", node, f"{key} is no date", hint)
    return None


def number(node: Node, key: str, sheet: Sheet) -> float | None:
    """A number of any size, infinities and NaN too: which of them make sense is for the key to say."""
    value = node.plain() if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        sheet.wrong_type(key, node, "a number", "write digits without quotes")
        return None
    return value


def integer(node: Node, key: str, sheet: Sheet) -> int | None:
    """A whole number."""
    value = node.plain() if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _INTEGER_MAX:
        sheet.wrong_type(key, node, "a whole number", "write digits without quotes")
        return None
    return value


def truth(node: Node, key: str, sheet: Sheet) -> bool | None:
    """``true`` or ``false``."""
    value = node.plain() if isinstance(node, Scalar) else None
    if not isinstance(value, bool):
        sheet.wrong_type(key, node, "true or false", "write true or false without quotes")
        return None
    return value


def one_of(*words: str) -> Reader:
    """A reader of one of some words."""

    def read(node: Node, key: str, sheet: Sheet) -> str | None:
        if isinstance(node, Scalar) and node.text in words:
            return node.text
        found = f'"{shorten(node.text)}"' if isinstance(node, Scalar) else node.kind
        near = closest(node.text, words) if isinstance(node, Scalar) else None
        hint = f"did you mean {near}?" if near else "write one of them"
        sheet.refuse("E424", node, f"{key} is one of {', '.join(words)}, not {found}", hint)
        return None

    return read


def user_ids(node: Node, key: str, sheet: Sheet) -> tuple[str, ...] | None:
    """User ids as they are spelled, each once; digits need no quotes."""
    if not isinstance(node, Items):
        sheet.wrong_type(
            key, node, "a list of user ids", "write `users: [ada, bob]`, or one a line after `- `"
        )
        return None
    for item in node:
        if not isinstance(item, Scalar) or not item.text.strip() or item.plain() is None:
            sheet.wrong_type("a user id", item, "text that is not empty", "write the id, or remove the line")
            return None
        if len(item.text) > ID_CHARACTERS_MAX:
            size = f"is longer than {ID_CHARACTERS_MAX:,} characters"
            sheet.refuse("E426", item, f"a user id {size}", "correct it, or remove the line")
            return None
    return tuple(dict.fromkeys(item.text for item in node if isinstance(item, Scalar)))


# ---- what every definition begins with -----------------------------------------------------

OWNER = Field("owner", text, "who answers for it, a team or an address", required=True)
DESCRIPTION = Field("description", text, "what it is and what it is for, in a sentence", required=True)
TITLE = Field("title", text, "how people call it")


def head(key: str) -> tuple[Field, ...]:
    """The rows of a definition's name, which stands under ``key``, and of who answers for it."""
    return Field(key, name, "its one name, in lower_snake_case", required=True), OWNER, DESCRIPTION, TITLE

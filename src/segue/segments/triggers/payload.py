"""What a trigger sends: a value of JSON in whose texts ``{{name}}`` stands for what is known at that moment.

A text that is one placeholder and nothing else becomes the value itself, a number or an object too; within
other text its spelling is put in. What is missing is null, or no text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from segue.domain.limits import NAME_CHARACTERS_MAX
from segue.language.findings import shorten, suggestion
from segue.segments.fields import Sheet
from segue.segments.nodes import Entries, Items, Node, Plain, Scalar

UNKNOWN = "E481"
PLACEHOLDER = re.compile(r"\{\{\s*([^{}\s]*)\s*\}\}")
_OPEN = re.compile(r"\{\{|\}\}")
_PATH = re.compile(r"[^\W\d]\w*(?:\.\w+)*")
SINGLE = ("id", "trigger", "at", "action", "cause", "segment")
"""Names that stand alone."""
OF_USER = ("id", "traits", "account", "segments")
OF_EVENT = ("name", "type", "timestamp", "message_id", "properties", "context")
OF_ITEM = ("id", "field", "before", "after")
_ROOTS = (*SINGLE, "user", "event", "item", "features", "scores")
_OPEN_PATHS = frozenset(("user.traits", "user.account", "event.properties", "event.context"))
"""Below them stands what users sent, which nobody can check."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a payload may ask for; None for what is not checked."""

    features: Collection[str]
    scores: Collection[str] | None
    has_segment: bool
    has_item: bool


def payload(node: Node, key: str, sheet: Sheet) -> Plain:
    """The template as it stands; a scalar is refused: receivers get JSON with names."""
    if not isinstance(node, Entries) or not node.entries:
        sheet.wrong_type(
            key, node, "a mapping of what is sent", "write `email: '{{user.traits.email}}'` below it"
        )
        return None
    for text in texts_of(node):
        if _OPEN.search(PLACEHOLDER.sub("", text.text)):
            hint = "write {{name}}, both braces twice, with one name between them"
            sheet.refuse(UNKNOWN, text, "a placeholder is not closed, or not opened", hint)
    return node.plain()


def names_in(template: Plain) -> list[str]:
    """Every placeholder of a template, in order, each once."""
    return list(dict.fromkeys(name for text in _strings(template) for name in PLACEHOLDER.findall(text)))


def fault_of(name: str, names: Names) -> tuple[str, str] | None:
    """What is wrong with a placeholder and what to do about it; None for a good one."""
    if not _PATH.fullmatch(name):
        return (
            f'"{shorten(name)}" is no name',
            "write one like user.traits.email, features.engagement or segment",
        )
    root, _, rest = name.partition(".")
    if root not in _ROOTS:
        return f'"{shorten(name)}" stands for nothing', suggestion(
            name, _ROOTS, "the names are " + ", ".join(_ROOTS)
        )
    if root in SINGLE:
        return _single(root, rest, names)
    if root in ("features", "scores"):
        return _named(root, rest, names.features if root == "features" else names.scores)
    if root == "item" and not names.has_item:
        return "only a trigger that waits for an item has an item", "take it out"
    known = {"user": OF_USER, "event": OF_EVENT, "item": OF_ITEM}[root]
    first, _, below = rest.partition(".")
    if first not in known:
        options = ", ".join(f"{root}.{each}" for each in known)
        return f'"{shorten(name)}" stands for nothing', suggestion(first, known, f"there are {options}")
    if below and f"{root}.{first}" not in _OPEN_PATHS:
        return f"nothing stands below {root}.{first}", f"write {root}.{first}"
    return None


def _single(root: str, rest: str, names: Names) -> tuple[str, str] | None:
    if rest:
        return f"nothing stands below {root}", f"write {root}"
    if root == "segment" and not names.has_segment:
        return "only a trigger that waits for a segment has a segment", "take it out"
    return None


def _named(root: str, rest: str, known: Collection[str] | None) -> tuple[str, str] | None:
    one = root.removesuffix("s")
    if not rest or "." in rest or len(rest) > NAME_CHARACTERS_MAX:
        return f"{root} needs the name of one {one}", f"write {root}.NAME"
    if known is not None and rest not in known:
        return f'there is no {one} "{shorten(rest)}"', suggestion(
            rest, known, f"define the {one}, or take it out"
        )
    return None


def texts_of(node: Node) -> Iterator[Scalar]:
    """Every value of a template that is no list and no mapping, as it stands in the file."""
    if isinstance(node, Entries):
        for _, value in node.entries.values():
            yield from texts_of(value)
    elif isinstance(node, Items):
        for item in node:
            yield from texts_of(item)
    elif isinstance(node, Scalar):
        yield node


def _strings(template: Plain) -> Iterator[str]:
    if isinstance(template, Mapping):
        for value in template.values():
            yield from _strings(value)
    elif isinstance(template, list):
        for item in template:
            yield from _strings(item)
    elif isinstance(template, str):
        yield template

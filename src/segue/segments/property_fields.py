"""How the tracking plan's properties are read: each a mapping of keys, in objects and lists to any depth."""

from __future__ import annotations

from typing import Any

from segue.domain.planned import PROPERTY_TYPES, PropertyPlan
from segue.ingest.planned.patterns import PatternError, compiled
from segue.language.findings import shorten
from segue.segments.fields import Field, Sheet, one_of, read_fields, text, truth
from segue.segments.nodes import Entries, Items, Node, Scalar

PATTERN_CHARACTERS_MAX = 1_000
_SYNONYMS = {"string": "text", "boolean": "truth", "array": "list"}
"""The words of JSON Schema for ours; both are taken, ours are kept."""
_word = one_of(*PROPERTY_TYPES)


def properties(node: Node, key: str, sheet: Sheet) -> dict[str, PropertyPlan] | None:
    """Properties by name; one without a value is planned and may hold anything."""
    if not isinstance(node, Entries):
        sheet.wrong_type(key, node, "a mapping of property names", "write `revenue: {type: number}` below it")
        return None
    found = {}
    for name, (_, value) in node.entries.items():
        plan = _property(value, f'property "{shorten(name)}"', sheet)
        if plan is not None:
            found[name] = plan
    return found


def _property(node: Node, what: str, sheet: Sheet) -> PropertyPlan | None:
    if isinstance(node, Scalar) and node.plain() is None:
        return PropertyPlan()
    values = read_fields(node, what, PROPERTY_FIELDS, sheet)
    return None if values is None or not _whole(values, node, what, sheet) else PropertyPlan(**values)


def _whole(values: dict[str, Any], node: Node, what: str, sheet: Sheet) -> bool:
    """Gives the type that ``properties`` and ``items`` imply; False after noting that it is another one."""
    for key, implied in (("properties", "object"), ("items", "list")):
        if key in values and values.setdefault("type", implied) != implied:
            hint = f"write `type: {implied}`, or take {key} out"
            sheet.refuse("E479", node, f"{what} is of type {values['type']} and has {key}", hint)
            return False
    return True


def _type(node: Node, key: str, sheet: Sheet) -> str | None:
    if isinstance(node, Scalar) and node.text in _SYNONYMS:
        return _SYNONYMS[node.text]
    found: str | None = _word(node, key, sheet)
    return found


def _choices(node: Node, key: str, sheet: Sheet) -> tuple[object, ...] | None:
    if not isinstance(node, Items) or not node.items:
        sheet.wrong_type(key, node, "a list of the values allowed", "write `enum: [EUR, GBP]`")
        return None
    for item in node:
        if not isinstance(item, Scalar) or item.plain() is None:
            sheet.wrong_type(f"a value of {key}", item, "text, a number or a truth value", "write one value")
            return None
    return tuple(item.plain() for item in node)


def _pattern(node: Node, key: str, sheet: Sheet) -> str | None:
    spelling = text(node, key, sheet)
    if spelling is None:
        return None
    fault = f"longer than {PATTERN_CHARACTERS_MAX} characters"
    if len(spelling) <= PATTERN_CHARACTERS_MAX:
        try:
            compiled(spelling)
            return spelling
        except PatternError as refused:
            fault = str(refused)
    hint = "mend it (RE2 has no look-around and no references back), or use enum for fixed values"
    sheet.refuse("E435", node, f"{key} is no regular expression: {fault}", hint)
    return None


def _items(node: Node, key: str, sheet: Sheet) -> PropertyPlan | None:
    return _property(node, key, sheet)


PROPERTY_FIELDS: tuple[Field, ...] = (
    Field("type", _type, "what kind of value it holds"),
    Field("required", truth, "whether every such event must carry it"),
    Field("enum", _choices, "the values that are allowed"),
    Field("pattern", _pattern, "a regular expression that a text must match as a whole"),
    Field("pii", truth, "whether it is personal data"),
    Field("description", text, "what it says"),
    Field("properties", properties, "of an object: its properties by name, each like this one"),
    Field("items", _items, "of a list: what each element is, written like a property"),
    Field("additional", truth, "of an object: whether it may carry properties that are not named"),
)

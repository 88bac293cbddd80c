"""How the keys of a recommendation are read."""

from __future__ import annotations

import re
from typing import Any

from segue.domain.event import Json
from segue.domain.limits import ID_CHARACTERS_MAX, ITEM_ID_CHARACTERS_MAX
from segue.domain.time import parse_duration
from segue.language.findings import shorten
from segue.segments.fields import Field, Sheet, duration, expression, head, one_of, read_fields
from segue.segments.nodes import Entries, Items, Node, Scalar
from segue.segments.recommendations.definition import (
    ACTIONS,
    ALWAYS,
    ANY_ITEM,
    FIELD_OF,
    FOR_EVER_MS,
    MEANINGS,
    NEVER,
    USUAL_INTEREST,
    Blend,
    Interest,
    ItemFilter,
    ItemRule,
    RecommendationDefinition,
)

_PATH = re.compile(r"[^\s.\[\]]+(\.[^\s.\[\]]+)*(\[\](\.[^\s.\[\]]+)*)?")
_WEIGHT_MAX = 1_000.0
_RULES_MAX = 100


def _number(node: Node, key: str, sheet: Sheet, least: float, most: float) -> float | None:
    value = node.plain() if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        sheet.refuse(
            "E496",
            node,
            f"{key} is no number from {least:g} to {most:g}",
            "write for example 1, without quotes",
        )
        return None
    return float(value)


def _between(least: float, most: float) -> Any:
    def read(node: Node, key: str, sheet: Sheet) -> float | None:
        return _number(node, key, sheet, least, most)

    return read


def _path(node: Node, key: str, sheet: Sheet) -> str | None:
    if isinstance(node, Scalar) and _PATH.fullmatch(node.text):
        return node.text
    hint = "write product_id, or products[].product_id where a list holds the items"
    sheet.refuse("E497", node, f"{key} is no path to the ids of items", hint)
    return None


INTEREST_FIELDS = (
    Field("weight", _between(0, _WEIGHT_MAX), "how much such an event counts", required=True),
    Field("item", _path, "where the ids of its items stand: product_id, products[].product_id"),
    Field("means", one_of(*MEANINGS), "what the user did with the item: viewed, added or bought"),
)


def _events(node: Node, key: str, sheet: Sheet) -> dict[str, Interest] | None:
    if not isinstance(node, Entries) or not node.entries:
        sheet.wrong_type(key, node, "a mapping of event names", "write `Product Viewed: 1` below it")
        return None
    found = {}
    for event, (event_node, value) in node.entries.items():
        if not event.strip() or len(event) > ID_CHARACTERS_MAX:
            sheet.refuse("E426", event_node, "the name of an event is empty or too long", "correct it")
            continue
        interest = _interest(event, value, sheet)
        if interest is not None:
            found[event] = interest
    return found


def _interest(event: str, node: Node, sheet: Sheet) -> Interest | None:
    usual = USUAL_INTEREST.get(event, Interest(1))
    if isinstance(node, Scalar):
        weight = _number(node, f'the weight of "{shorten(event)}"', sheet, 0, _WEIGHT_MAX)
        return None if weight is None else Interest(weight, usual.item, usual.means)
    values = read_fields(node, f'event "{shorten(event)}"', INTEREST_FIELDS, sheet)
    if values is None or "weight" not in values:
        return None
    return Interest(values["weight"], values.get("item", usual.item), values.get("means", usual.means))


def _words(node: Node, key: str, sheet: Sheet) -> tuple[str, ...] | None:
    """One text or a list of them."""
    nodes = [*node] if isinstance(node, Items) else [node]
    for each in nodes:
        if not isinstance(each, Scalar) or each.plain() is None or len(each.text) > ITEM_ID_CHARACTERS_MAX:
            sheet.refuse("E498", each, f"{key} is no text or list of texts", f"write `{key}: [one, other]`")
            return None
    return tuple(each.text for each in nodes if isinstance(each, Scalar))


_PRICE_FIELDS = (
    Field("min", _between(0, 1e12), "the least price"),
    Field("max", _between(0, 1e12), "the largest price"),
)


def _price(node: Node, key: str, sheet: Sheet) -> dict[str, float] | None:
    return read_fields(node, key, _PRICE_FIELDS, sheet)


def _attributes(node: Node, key: str, sheet: Sheet) -> dict[str, tuple[Json, ...]] | None:
    if not isinstance(node, Entries):
        sheet.wrong_type(key, node, "a mapping of attributes", "write `brand: Acme` below it")
        return None
    found = {}
    for attribute, (_, value) in node.entries.items():
        nodes = [*value] if isinstance(value, Items) else [value]
        if not all(isinstance(each, Scalar) and each.plain() is not None for each in nodes):
            hint = f"write `{attribute}: one` or `{attribute}: [one, other]`"
            sheet.refuse("E498", value, f"{attribute} is no value or list of values", hint)
            return None
        found[attribute] = tuple(each.plain() for each in nodes if isinstance(each, Scalar))
    return found


FILTER_FIELDS = (
    Field("ids", _words, "items by their ids"),
    Field("category", _words, "items of these categories"),
    Field("price", _price, "items within these prices: {min: 10, max: 50}"),
    Field("attributes", _attributes, "items with these attributes"),
)


def _filter(node: Node, key: str, sheet: Sheet) -> ItemFilter | None:
    values = read_fields(node, key, FILTER_FIELDS, sheet)
    if values is None:
        return None
    price = {name: round(value * 1e6) for name, value in values.get("price", {}).items()}
    return ItemFilter(
        values.get("ids", ()),
        values.get("category", ()),
        price.get("min"),
        price.get("max"),
        values.get("attributes", {}),
    )


def _exclude(node: Node, key: str, sheet: Sheet) -> bool | None:
    if isinstance(node, Scalar) and node.plain() is True:
        return True
    sheet.refuse("E424", node, f"{key} is true or is left out", "write `exclude: true`")
    return None


RULE_FIELDS = (
    Field("boost", _between(1, _WEIGHT_MAX), "by what their scores are multiplied"),
    Field("bury", _between(0, 1), "by what their scores are multiplied"),
    Field("exclude", _exclude, "true: they are not shown"),
    Field("items", _filter, "which items; all if left out"),
    Field("when", expression, "for whom: a condition on the user; for everyone if left out"),
)


def _rules(node: Node, key: str, sheet: Sheet) -> tuple[ItemRule, ...] | None:
    if not isinstance(node, Items) or len(node.items) > _RULES_MAX:
        sheet.wrong_type(key, node, f"a list of up to {_RULES_MAX} rules", "write `- boost: 2` below it")
        return None
    found = (_rule(each, sheet) for each in node)
    return tuple(rule for rule in found if rule is not None)


def _rule(node: Node, sheet: Sheet) -> ItemRule | None:
    values = read_fields(node, "this rule", RULE_FIELDS, sheet)
    if values is None or not isinstance(node, Entries):
        return None
    said = [action for action in ACTIONS if action in node.entries]
    if len(said) != 1:
        hint = "write one of `boost: 2`, `bury: 0.5` and `exclude: true`"
        sheet.refuse("E499", node, "a rule does one thing: boost, bury or exclude", hint)
        return None
    if said[0] not in values:
        return None
    origin = sheet.origin(node.value("when"))
    factor = 0.0 if said[0] == "exclude" else values[said[0]]
    return ItemRule(said[0], factor, values.get("items", ANY_ITEM), values.get("when"), origin)


BLEND_FIELDS = (
    Field("behaviour", _between(0, _WEIGHT_MAX), "what people with the same behaviour did"),
    Field("category", _between(0, _WEIGHT_MAX), "what is popular in the categories the user looks at"),
    Field("popularity", _between(0, _WEIGHT_MAX), "what everyone looks at and buys"),
    Field("new", _between(0, _WEIGHT_MAX), "what is new in the catalogue"),
)


def _blend(node: Node, key: str, sheet: Sheet) -> Blend | None:
    values = read_fields(node, key, BLEND_FIELDS, sheet)
    return None if values is None else Blend(**values)


def _bought_for(node: Node, key: str, sheet: Sheet) -> int | None:
    if isinstance(node, Scalar):
        if node.text in {ALWAYS, NEVER}:
            return FOR_EVER_MS if node.text == ALWAYS else 0
        ms = parse_duration(node.text)
        if ms:
            return ms
    hint = "write a duration such as 30d, or always, or never"
    sheet.refuse("E425", node, f"{key} does not say for how long what was bought is left out", hint)
    return None


RECOMMENDATION_FIELDS = (
    *head("recommendation"),
    Field("events", _events, "which events tell of interest in items, and how much"),
    Field("model", one_of("auto", "ease", "neighbours", "none"), "how items are found that go together"),
    Field("regularization", _between(0.001, 1e9), "of ease: how little to trust what is rare"),
    Field("history", duration, "how far back events count"),
    Field("half_life", duration, "in what time old interest halves, for the model and for popularity"),
    Field("recent_half_life", duration, "in what time the user's own behaviour halves"),
    Field("exclude_bought", _bought_for, "for how long what the user bought is left out"),
    Field("blend", _blend, "how much each part of a score weighs"),
    Field("diversity", _between(0, 1), "how much each further item of a category loses"),
    Field("rules", _rules, "which items count more, less or not at all, and for whom"),
    Field("fallback", _words, "ids of items to fill up with when there are too few"),
)


def make_recommendation(values: dict[str, Any], node: Entries, sheet: Sheet) -> RecommendationDefinition:
    """The definition that the read keys give."""
    given = {FIELD_OF.get(key, key): value for key, value in values.items() if key != "recommendation"}
    return RecommendationDefinition(
        name=values["recommendation"], origin=sheet.origin(node.value("recommendation")), **given
    )

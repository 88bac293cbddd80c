"""How experiences are read from files: their keys, and those of their variants and goals."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from segue.domain.limits import PAYLOAD_BYTES_MAX, VARIANTS_MAX
from segue.language.findings import shorten
from segue.segments.definitions import STATUSES
from segue.segments.experiences.definition import ExperienceDefinition, Goal, VariantDefinition
from segue.segments.fields import (
    Field,
    Sheet,
    duration,
    expression,
    head,
    integer,
    moment,
    name,
    number,
    one_of,
    read_fields,
    text,
)
from segue.segments.nodes import Entries, Items, Node, Plain
from segue.segments.origin import Origin
from segue.segments.restraint import cap, holdout

OUT_OF_RANGE = "E493"
BAD_PARTS = "E494"
_cap, _holdout = cap(OUT_OF_RANGE), holdout(OUT_OF_RANGE)
_HTML, _SAFE = "html", "safe"
_NUMBER_MAX = 10**15


def _weight(node: Node, key: str, sheet: Sheet) -> float | None:
    found = number(node, key, sheet)
    if found is not None and not 0 <= found < _NUMBER_MAX:
        hint = "write a share, for example 50; variants of one priority are drawn in proportion"
        sheet.refuse(OUT_OF_RANGE, node, f"{key} is out of range", hint)
        return None
    return found


def payload(node: Node, key: str, sheet: Sheet) -> Plain:
    """Any JSON value but null; ``safe: true`` marks the HTML beside it as written by trusted hands."""
    found = node.plain()
    if found is None:
        hint = "write what the page is to show, for example `{title: Welcome back}`; {} is nothing at all"
        sheet.refuse(BAD_PARTS, node, f"{key} is empty", hint)
        return None
    if len(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")) > PAYLOAD_BYTES_MAX:
        hint = "put large content where the page can fetch it, and its address here"
        sheet.refuse(BAD_PARTS, node, f"{key} is larger than {PAYLOAD_BYTES_MAX:,} bytes", hint)
        return None
    wrong = next(_payload_faults(node), None)
    if wrong is not None:
        sheet.refuse(BAD_PARTS, wrong[0], f"{key}: {wrong[1]}", wrong[2])
        return None
    return found


def _payload_faults(node: Node) -> Iterator[tuple[Node, str, str]]:
    """(where, what, remedy) of everything in a payload that JSON or a page could not take."""
    if isinstance(node, Items):
        for item in node:
            yield from _payload_faults(item)
    elif isinstance(node, Entries):
        for _, value in node.entries.values():
            yield from _payload_faults(value)
        html, safe = node.value(_HTML), node.value(_SAFE)
        if html is not None and safe is not None and not isinstance(safe.plain(), bool):
            yield safe, "safe beside html is true or false", "write `safe: true` without quotes"
        if html is not None and not isinstance(html.plain(), str):
            yield html, "html is text", "write the markup below `html: |`"
    else:
        found = node.plain()
        if isinstance(found, float) and not math.isfinite(found):
            yield node, "a number is too large", "write it as text"


GOAL_FIELDS = (
    Field("event", text, "the name of the track event that is hoped for"),
    Field("where", expression, "which such events count, as in `where` of a condition"),
    Field("within", duration, "how soon after the first exposure it has to happen; ever unless said"),
    Field("when", expression, "in place of an event: a condition or a segment's name that is to hold"),
)


def _goal(node: Node, key: str, sheet: Sheet) -> Goal | None:
    values = read_fields(node, key, GOAL_FIELDS, sheet)
    if values is None or not isinstance(node, Entries):
        return None
    one = ("event" in node.entries) != ("when" in node.entries)
    if not one or ("event" not in node.entries and {"where", "within"} & node.entries.keys()):
        hint = "write `event: Order Completed` (with where and within, if you like), or `when:` alone"
        sheet.refuse(BAD_PARTS, node, f"{key} names either an event or a condition", hint)
        return None
    where = sheet.origin(node.value("where") or node.value("when"))
    wanted, within = values.get("where"), values.get("within")
    return Goal(values.get("event"), wanted, within, values.get("when"), where)


VARIANT_FIELDS = (
    Field("variant", name, "its name within the experience, in lower_snake_case", required=True),
    Field("audience", expression, "who may see it: a segment's name or a condition; everyone unless said"),
    Field("priority", integer, "of the variants that a user may see, the largest is given; 0 unless said"),
    Field("weight", _weight, "its share where variants of one priority are drawn by lot"),
    Field("starts", moment, "from when on, in the workspace's time zone"),
    Field("ends", moment, "until when; that moment is not part of it"),
    Field("cap", _cap, "how often one user is given it at most, like `3 per 7d`"),
    Field("payload", payload, "what the page shows: any JSON", required=True),
)


def _variants(node: Node, key: str, sheet: Sheet) -> tuple[VariantDefinition, ...] | None:
    if not isinstance(node, Items) or not 0 < len(node.items) <= VARIANTS_MAX:
        hint = "write `variants:` and below it one `- variant: …` after the other"
        sheet.refuse(BAD_PARTS, node, f"{key} is a list of 1 to {VARIANTS_MAX} variants", hint)
        return None
    found: dict[str, VariantDefinition] = {}
    for item in node:
        variant = _variant(item, sheet)
        if variant is None:
            continue
        if variant.name in found:
            message = f'the variant "{shorten(variant.name)}" stands here twice'
            sheet.refuse(BAD_PARTS, item, message, "rename one of the two, or remove it")
        found[variant.name] = variant
    return tuple(found.values())


def _variant(node: Node, sheet: Sheet) -> VariantDefinition | None:
    values = read_fields(node, "this variant", VARIANT_FIELDS, sheet)
    if values is None or not isinstance(node, Entries) or not {"variant", "payload"} <= values.keys():
        return None
    rest = {key: values[key] for key in values if key != "variant"}
    return VariantDefinition(values["variant"], **rest, origins=_origins(node, VARIANT_FIELDS, sheet))


def _origins(node: Entries, fields: tuple[Field, ...], sheet: Sheet) -> dict[str, Origin | None]:
    return {field.key: sheet.origin(node.value(field.key)) for field in fields}


EXPERIENCE_FIELDS = (
    *head("experience"),
    Field("status", one_of(*STATUSES), "drafts and archived ones are checked and take no part in decisions"),
    Field("slot", name, "the place on the page that it fills", required=True),
    Field("starts", moment, "from when on, in the workspace's time zone"),
    Field("ends", moment, "until when; that moment is not part of it"),
    Field("holdout", _holdout, "the share of users who get none of its variants, so that it can be measured"),
    Field("goal", _goal, "what is hoped for: an event or a condition"),
    Field("fallback", payload, "what the slot shows when no variant is for the user"),
    Field("variants", _variants, "what may be shown, each with its audience", required=True),
)


def experience(values: dict[str, Any], node: Entries, sheet: Sheet) -> ExperienceDefinition:
    """The record of what stands in a mapping."""
    rest = {key: values[key] for key in values if key != "experience"}
    return ExperienceDefinition(
        values["experience"],
        **rest,
        origin=sheet.origin(node.value("experience")),
        origins=_origins(node, EXPERIENCE_FIELDS, sheet),
    )

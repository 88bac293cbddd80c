"""How triggers are read from files: their keys, and what each may hold."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from segue.domain.limits import ID_CHARACTERS_MAX
from segue.segments.definitions import STATUSES
from segue.segments.fields import (
    Field,
    Sheet,
    duration,
    expression,
    head,
    moment,
    name,
    number,
    one_of,
    text,
    truth,
)
from segue.segments.nodes import Entries, Items, Node, Scalar
from segue.segments.origin import Origin
from segue.segments.restraint import Cap, cap, holdout
from segue.segments.triggers.definition import (
    CROSSINGS,
    EXPIRES_MS,
    MINUTES_AN_HOUR,
    ZONE_TRAIT,
    Policy,
    Quiet,
    TriggerDefinition,
)
from segue.segments.triggers.payload import PLACEHOLDER, payload, texts_of

OUT_OF_RANGE = "E482"
_cap, _holdout = cap(OUT_OF_RANGE), holdout(OUT_OF_RANGE)
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


def _on(node: Node, key: str, sheet: Sheet) -> str | None:
    """Text that is more than a condition, so that no formatter takes it for one."""
    found: str | None = expression(node, key, sheet)
    return found


def _hysteresis(node: Node, key: str, sheet: Sheet) -> float | None:
    found = number(node, key, sheet)
    if found is not None and not (0 < found < math.inf and found * 10**6 == round(found * 10**6)):
        hint = "write how far the value must go back, above 0, with six decimals at most: 5"
        sheet.refuse(OUT_OF_RANGE, node, f"{key} is out of range", hint)
        return None
    return found


def _caps(node: Node, key: str, sheet: Sheet) -> tuple[Cap, ...] | None:
    found = [_cap(each, key, sheet) for each in (node if isinstance(node, Items) else (node,))]
    return tuple(each for each in found if each is not None) if all(found) and found else None


def _quiet(node: Node, key: str, sheet: Sheet) -> Quiet | None:
    found = _HOURS.fullmatch(node.text.strip()) if isinstance(node, Scalar) else None
    if found is None or (found[1], found[2]) == (found[3], found[4]):
        hint = "write from when to when in 24 hours: 22:00-08:00"
        sheet.refuse(OUT_OF_RANGE, node, f"{key} names no hours", hint)
        return None
    begins, ends = (int(found[at]) * MINUTES_AN_HOUR + int(found[at + 1]) for at in (1, 3))
    return Quiet(begins, ends)


def _names(node: Node, key: str, sheet: Sheet) -> tuple[str, ...] | None:
    """One name or a list of them, each once."""
    items = [*node] if isinstance(node, Items) else [node]
    if not items:
        sheet.refuse(OUT_OF_RANGE, node, f"{key} names none", "write one name, or several in brackets")
        return None
    found = [name(each, key, sheet) for each in items]
    return None if None in found else tuple(dict.fromkeys(each for each in found if each is not None))


def _trait(node: Node, key: str, sheet: Sheet) -> str | None:
    found = text(node, key, sheet)
    if found is not None and (len(found) > ID_CHARACTERS_MAX or not all(found.split("."))):
        hint = "write it like timezone or address.timezone"
        sheet.refuse(OUT_OF_RANGE, node, f"{key} is no path of a trait", hint)
        return None
    return found


POLICY_FIELDS = (
    Field("cooldown", duration, "how long the same user gets nothing more from this trigger"),
    Field("cap", _caps, "how many messages of its channel a user gets in a time, as `3 per 7d`, or a list"),
    Field("channel", name, "what counts together under a cap; without it, each destination for itself"),
    Field("quiet", _quiet, "hours of the user's day in which nothing is sent, but kept until they end"),
    Field("zone_trait", _trait, "the trait with the user's time zone, `timezone` without this key"),
    Field("holdout", _holdout, "the share of users who get nothing, so that what it does can be told"),
    Field("starts", moment, "from when on it sends"),
    Field("ends", moment, "from when on it sends no more"),
    Field("delay", duration, "how long after it fired it is looked at what is sent"),
    Field("unless", _names, "segments whose members get nothing"),
    Field("expires", duration, "how long after its moment a message is worth sending, 1d without this key"),
)
TRIGGER_FIELDS = (
    *head("trigger"),
    Field("status", one_of(*STATUSES), "draft and archived triggers are checked and do not fire"),
    Field("on", _on, "what it waits for", required=True),
    Field("crossing", one_of(*CROSSINGS), "of a condition: which way its value passes the threshold"),
    Field("hysteresis", _hysteresis, "how far the value must go back before it can pass again"),
    Field("backfill", truth, "whether imported files and changed definitions make it fire, too"),
    Field("to", _names, "the destination that is told, or a list of them", required=True),
    Field("payload", payload, "what is sent, with {{names}} of what is known at that moment"),
    *POLICY_FIELDS,
)


def trigger_of(values: dict[str, Any], node: Entries, sheet: Sheet) -> TriggerDefinition:
    """The definition that the values of its keys make."""
    policy = Policy(
        cooldown_ms=values.get("cooldown"),
        caps=values.get("cap", ()),
        channel=values.get("channel"),
        quiet=values.get("quiet"),
        zone_trait=values.get("zone_trait", ZONE_TRAIT),
        holdout=values.get("holdout", 0.0),
        starts=values.get("starts"),
        ends=values.get("ends"),
        delay_ms=values.get("delay"),
        unless=values.get("unless", ()),
        expires_ms=values.get("expires", EXPIRES_MS),
    )
    return TriggerDefinition(
        name=values["trigger"],
        owner=values["owner"],
        description=values["description"],
        on=values["on"],
        to=values["to"],
        title=values.get("title"),
        status=values.get("status", "active"),
        crossing=values.get("crossing"),
        hysteresis=values.get("hysteresis", 0.0),
        backfill=values.get("backfill", False),
        payload=values.get("payload"),
        policy=policy,
        origins=dict(_origins(node, sheet)),
    )


def _origins(node: Entries, sheet: Sheet) -> Iterator[tuple[str, Origin | None]]:
    """Where values stand, by key; names in lists and in the payload by their key, a blank and the name."""
    for key in node.entries:
        value = node.value(key)
        yield key, sheet.origin(value)
        for item in value if isinstance(value, Items) else ():
            yield f"{key} {item.plain()}", sheet.origin(item)
    template = node.value("payload")
    for each in () if template is None else texts_of(template):
        for placeholder in PLACEHOLDER.findall(each.text):
            yield f"payload {placeholder}", sheet.origin(each)

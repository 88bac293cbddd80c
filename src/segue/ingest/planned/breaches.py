"""The tracking plan in its plainest form: what of one event's properties breaks it, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from segue.domain.event import Json
from segue.domain.planned import Planned, PropertyPlan
from segue.domain.time import parse_instant
from segue.ingest.planned.patterns import compiled

UNKNOWN_EVENT = "E470"
UNKNOWN_PROPERTY = "E471"
MISSING_PROPERTY = "E472"
WRONG_TYPE = "E473"
NOT_IN_ENUM = "E474"
NO_MATCH = "E475"

_SHOWN_MAX = 3
_FOUND_MAX = 20
_VALUE_CHARACTERS_MAX = 40
_NOT_SHOWN = "its value"
Plans = Mapping[str, PropertyPlan]


@dataclass(frozen=True, slots=True)
class Breach:
    """One way in which an event breaks its plan. ``path`` is made of planned names: it tells of no one."""

    code: str
    path: str
    message: str


def normal(planned: Planned) -> Planned:
    """The same with ``product.category`` written as a part of ``product``, which is free otherwise."""
    return replace(planned, properties=_nested(planned.properties))


def _nested(properties: Plans) -> dict[str, PropertyPlan]:
    found = {name: _normal(plan) for name, plan in properties.items() if "." not in name}
    deeper: dict[str, dict[str, PropertyPlan]] = {}
    for name, plan in properties.items():
        head, dot, rest = name.partition(".")
        if dot:
            deeper.setdefault(head, {})[rest] = plan
    for head, inner in deeper.items():
        held = found.get(head, PropertyPlan(type="object"))
        free = held.additional or held.properties is None
        parts = {**(held.properties or {}), **_nested(inner)}
        found[head] = replace(held, properties=parts, additional=free)
    return found


def _normal(plan: PropertyPlan) -> PropertyPlan:
    return replace(
        plan,
        properties=None if plan.properties is None else _nested(plan.properties),
        items=None if plan.items is None else _normal(plan.items),
    )


def breaches(properties: Mapping[str, Json], planned: Planned) -> list[Breach]:
    """What breaks a :func:`normal` plan, in its order, 20 at most; nothing when properties are free."""
    if not planned.properties:
        return []
    found = _of_object(properties, planned.properties, planned.additional, "")
    return list(islice(found, _FOUND_MAX))


def sentence(found: list[Breach]) -> str:
    """The first breaches in words."""
    more = len(found) - _SHOWN_MAX
    said = "; ".join(breach.message for breach in found[:_SHOWN_MAX])
    return said if more <= 0 else f"{said}; and {more} more"


def _of_object(held: Mapping[str, Json], plans: Plans, additional: bool, path: str) -> Iterator[Breach]:
    for name, plan in plans.items():
        value = held.get(name)
        if value is None:
            if plan.required:
                yield Breach(MISSING_PROPERTY, path + name, f"{path + name} is missing")
        else:
            yield from _of_value(value, plan, path + name)
    if not additional:
        for name, value in held.items():
            if value is not None and name not in plans:
                shown = _shown(name)
                yield Breach(UNKNOWN_PROPERTY, path.rstrip("."), f"{path}{shown} is not in the plan")


def _of_value(value: Json, plan: PropertyPlan, path: str) -> Iterator[Breach]:
    if plan.type is not None and not is_of(value, plan.type):
        shown = _NOT_SHOWN if plan.pii else _shown(value)
        yield Breach(WRONG_TYPE, path, f"{path} is {shown}, not of type {plan.type}")
        return
    if plan.enum and not in_enum(value, plan.enum):
        shown = _NOT_SHOWN if plan.pii else _shown(value)
        yield Breach(NOT_IN_ENUM, path, f"{path} is {shown}, none of the values planned")
    if plan.pattern is not None and isinstance(value, str) and not compiled(plan.pattern)(value):
        shown = _NOT_SHOWN if plan.pii else _shown(value)
        yield Breach(NO_MATCH, path, f"{path} is {shown}, which does not match its pattern")
    if isinstance(value, dict) and plan.properties is not None:
        yield from _of_object(value, plan.properties, plan.additional, path + ".")
    if isinstance(value, list) and plan.items is not None:
        for at, item in enumerate(value):
            if item is not None:
                for breach in _of_value(item, plan.items, path + "[]"):
                    yield replace(breach, message=f"{breach.message} (element {at})")


def is_of(value: Json, kind: str) -> bool:
    """Whether a JSON value is of one of the plan's types; a numeral in a text is a text."""
    if kind == "time":
        return isinstance(value, str) and parse_instant(value) is not None
    if kind in ("number", "integer"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return kind == "number" or float(value).is_integer()
    return isinstance(value, {"text": str, "truth": bool, "list": list, "object": dict}[kind])


def in_enum(value: Json, enum: tuple[str | float | bool, ...]) -> bool:
    """Whether a value is one of those planned: 1 is 1.0, and neither is true or "1"."""
    return any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in enum)


def _shown(value: Json) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value).lower()
    return text if len(text) <= _VALUE_CHARACTERS_MAX else text[:_VALUE_CHARACTERS_MAX] + '…"'

"""The fast twin of :mod:`segue.ingest.planned.breaches`: many events' properties judged in one decode.

A shape may refuse what is sound, which the plain form then finds out; it never takes what breaks the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Optional

import msgspec

from segue.domain.event import Json
from segue.domain.planned import Planned, PropertyPlan
from segue.ingest.planned.breaches import Plans, in_enum, is_of
from segue.ingest.planned.patterns import compiled

_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
_ANYTHING = bool | int | float | str | list[Any] | dict[str, Any]
"""Every JSON value but null, which counts as absent."""
Look = tuple[str, Callable[[Any], bool]]
"""A field of a decoded event, and whether its value is sound as far as its type does not tell."""


class Shape:
    """What the properties of a sound event look like."""

    def __init__(self, planned: Planned) -> None:
        self.sure = not any(_hidden(plan) for plan in planned.properties.values())
        """Whether the shape can tell at all; if not, every event is to be looked at plainly."""
        self._looks: list[Look] = []
        self._free = not planned.properties
        if self.sure and not self._free:
            whole: Any = _struct(planned.properties, planned.additional, self._looks)
            self._one = msgspec.json.Decoder(whole).decode
            self._many = msgspec.json.Decoder(list[whole]).decode

    def doubtful(self, texts: Sequence[bytes]) -> list[int]:
        """The places of those that are not plainly sound; each text is a JSON object."""
        if self._free:
            return []
        if not self.sure:
            return list(range(len(texts)))
        try:
            found = self._many(b"[" + b",".join(texts) + b"]")
        except _UNREADABLE:
            return [at for at, text in enumerate(texts) if not self._plainly_sound(text)]
        return [at for at, each in enumerate(found) if not self._seen(each)] if self._looks else []

    def _plainly_sound(self, text: bytes) -> bool:
        try:
            return self._seen(self._one(text))
        except _UNREADABLE:
            return False

    def _seen(self, decoded: Any) -> bool:
        return all((value := getattr(decoded, name)) is None or sound(value) for name, sound in self._looks)


def _struct(plans: Plans, additional: bool, looks: list[Look]) -> type:
    fields: list[Any] = []
    names: dict[str, str] = {}
    for at, (name, plan) in enumerate(plans.items()):
        field = f"p{at}"
        names[field] = name
        kind = _kind(plan)
        fields.append((field, kind) if plan.required else (field, Optional[kind], None))  # noqa: UP045
        if _needs_look(plan):
            looks.append((field, _look(plan)))
    fields.sort(key=len)
    return msgspec.defstruct(
        "Properties", fields, rename=names, forbid_unknown_fields=not additional, gc=False
    )


def _kind(plan: PropertyPlan) -> Any:
    """A type of Python whose JSON is what the plan allows, or less."""
    if plan.enum and all(isinstance(each, str) for each in plan.enum) and plan.type in (None, "text"):
        return Literal[tuple(dict.fromkeys(plan.enum))]
    match plan.type:
        case "text" | "time":
            return str
        case "number":
            return float
        case "integer":
            return int
        case "truth":
            return bool
        case "list":
            return list[Any] if plan.items is None else list[_kind(plan.items)]  # type: ignore[misc]
        case "object" if plan.properties is not None:
            return _struct(plan.properties, plan.additional, [])
        case "object":
            return dict[str, msgspec.Raw]
        case _:
            return _ANYTHING


def _needs_look(plan: PropertyPlan) -> bool:
    """Whether the type says less than the plan."""
    texts_only = all(isinstance(each, str) for each in plan.enum) and plan.type in (None, "text")
    return plan.type == "time" or plan.pattern is not None or bool(plan.enum and not texts_only)


def _hidden(plan: PropertyPlan) -> bool:
    """Whether something within an object or list is to be looked at, where no look leads."""
    inner = [*(plan.properties or {}).values(), *([plan.items] if plan.items else [])]
    return any(_needs_look(each) or _hidden(each) for each in inner)


def _look(plan: PropertyPlan) -> Callable[[Json], bool]:
    matches = None if plan.pattern is None else compiled(plan.pattern)

    def sound(value: Json) -> bool:
        if plan.type == "time" and not is_of(value, "time"):
            return False
        if plan.enum and not in_enum(value, plan.enum):
            return False
        return matches is None or not isinstance(value, str) or matches(value)

    return sound

"""What a tracking plan says of events: the words of those who write it and of those who hold events to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PROPERTY_TYPES = ("text", "number", "integer", "truth", "time", "list", "object")
MODES = ("off", "warn", "block")
"""What becomes of an event that breaks its plan: nothing, a count, quarantine."""


@dataclass(frozen=True, slots=True)
class PropertyPlan:
    """What one property is to be; ``pii`` marks personal data.

    ``properties`` are those of an object, by name; without them it is free. ``items`` is what each
    element of a list is to be. ``additional`` lets an object carry properties that are not named.
    """

    type: str | None = None
    required: bool = False
    enum: tuple[str | float | bool, ...] = ()
    pattern: str | None = None
    pii: bool = False
    description: str | None = None
    properties: Mapping[str, PropertyPlan] | None = None
    items: PropertyPlan | None = None
    additional: bool = False

    def to_json(self) -> dict[str, object]:
        """The plan as one would write it; what stands at its default is left out."""
        nested = {name: plan.to_json() for name, plan in (self.properties or {}).items()}
        said: dict[str, object] = {
            "type": self.type,
            "required": self.required or None,
            "enum": [*self.enum] or None,
            "pattern": self.pattern,
            "pii": self.pii or None,
            "description": self.description,
            "properties": nested or None,
            "items": None if self.items is None else self.items.to_json(),
            "additional": self.additional or None,
        }
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Planned:
    """What a track event of one name is held to; empty ``properties`` are free."""

    mode: str
    properties: Mapping[str, PropertyPlan]
    additional: bool = False

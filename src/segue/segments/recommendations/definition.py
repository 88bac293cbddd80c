"""``recommendations/*.yaml``: what counts as interest in items, and by which rules they are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from segue.domain.event import Json
from segue.domain.time import DAY, format_duration
from segue.domain.watch import watch_name
from segue.segments.origin import Origin

MEANINGS = ("viewed", "added", "bought")
ACTIONS = ("boost", "bury", "exclude")
ALWAYS, NEVER = "always", "never"
FOR_EVER_MS = 1 << 62


@dataclass(frozen=True, slots=True)
class Interest:
    """What an event tells of its items; ``item`` is the path of their ids, ``[]`` behind a list."""

    weight: float
    item: str = "product_id"
    means: str = "viewed"

    def to_json(self) -> Json:
        """As one would write it."""
        return {"weight": self.weight, "item": self.item, "means": self.means}


USUAL_INTEREST: Mapping[str, Interest] = {
    "Product Viewed": Interest(1),
    "Product Clicked": Interest(1),
    "Product Added to Wishlist": Interest(2, means="added"),
    "Product Added": Interest(3, means="added"),
    "Order Completed": Interest(5, "products[].product_id", "bought"),
}
"""The e-commerce events of the Segment specification: what counts when a definition names no events."""


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items: all that is given must fit, of several values one. Prices are in millionths."""

    ids: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    price_min: int | None = None
    price_max: int | None = None
    attributes: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """As one would write it."""
        found: dict[str, Json] = {}
        if self.ids:
            found["ids"] = [*self.ids]
        if self.category:
            found["category"] = [*self.category]
        price = {"min": self.price_min, "max": self.price_max}
        if any(each is not None for each in price.values()):
            found["price"] = {key: each / 1e6 for key, each in price.items() if each is not None}
        if self.attributes:
            found["attributes"] = {key: [*values] for key, values in self.attributes.items()}
        return found


ANY_ITEM = ItemFilter()


@dataclass(frozen=True, slots=True)
class ItemRule:
    """Some items count more (``boost``), less (``bury``) or not at all, for all or where ``when`` holds."""

    action: str
    factor: float
    items: ItemFilter
    when: str | None = None
    when_origin: Origin | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, Json]:
        """As one would write it."""
        given: Json = True if self.action == "exclude" else self.factor
        found: dict[str, Json] = {self.action: given}
        if shown := self.items.to_json():
            found["items"] = shown
        if self.when is not None:
            found["when"] = self.when.strip()
        return found


@dataclass(frozen=True, slots=True)
class Blend:
    """How much each part of a score weighs; each part is from 0 to 1."""

    behaviour: float = 1.0
    category: float = 0.1
    popularity: float = 0.1
    new: float = 0.05

    def to_json(self) -> dict[str, Json]:
        """As one would write it."""
        parts = ("behaviour", "category", "popularity", "new")
        return {part: getattr(self, part) for part in parts}


@dataclass(frozen=True, slots=True)
class RecommendationDefinition:
    """A way to recommend; durations in ms.

    ``history_ms`` is how far back events count, ``half_life_ms`` in what time interest halves for the model
    and for popularity, ``recent_half_life_ms`` for the user's own behaviour. What was bought is left out for
    ``bought_ms``.
    """

    name: str
    owner: str
    description: str
    title: str | None = None
    events: Mapping[str, Interest] = field(default_factory=lambda: USUAL_INTEREST)
    model: str = "auto"
    regularization: float = 300.0
    history_ms: int = 365 * DAY
    half_life_ms: int = 90 * DAY
    recent_half_life_ms: int = 3 * DAY
    bought_ms: int = 30 * DAY
    blend: Blend = Blend()
    diversity: float = 0.1
    rules: tuple[ItemRule, ...] = ()
    fallback: tuple[str, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)

    def watches(self) -> dict[str, int]:
        """The places of the rules with a condition, by the name under which the engine follows it."""
        return {
            watch_name("recommendation", self.name, str(number)): number
            for number, rule in enumerate(self.rules)
            if rule.when is not None
        }

    def to_json(self) -> dict[str, object]:
        """The definition as one would write it; what stands at its default is left out."""
        found: dict[str, object] = {
            "recommendation": self.name,
            "owner": self.owner,
            "description": self.description,
        }
        for key, spell in _SPELLED.items():
            value = getattr(self, FIELD_OF.get(key, key))
            if value != getattr(DEFAULT, FIELD_OF.get(key, key)):
                found[key] = spell(value)
        return found


def _many(values: Any) -> Json:
    return [each.to_json() for each in values]


def _bought(ms: int) -> str:
    return ALWAYS if ms >= FOR_EVER_MS else format_duration(ms) if ms else NEVER


FIELD_OF = {
    "history": "history_ms",
    "half_life": "half_life_ms",
    "recent_half_life": "recent_half_life_ms",
    "exclude_bought": "bought_ms",
}
_SPELLED: Mapping[str, Callable[[Any], Json]] = {
    "title": str,
    "events": lambda events: {key: each.to_json() for key, each in events.items()},
    "model": str,
    "regularization": float,
    "history": format_duration,
    "half_life": format_duration,
    "recent_half_life": format_duration,
    "exclude_bought": _bought,
    "blend": lambda blend: blend.to_json(),
    "diversity": float,
    "rules": _many,
    "fallback": list,
}
DEFAULT_NAME = "default"
DEFAULT = RecommendationDefinition(
    DEFAULT_NAME, "segue", "What is recommended when no definition says otherwise."
)
"""Holds as long as no file defines a recommendation of this name."""

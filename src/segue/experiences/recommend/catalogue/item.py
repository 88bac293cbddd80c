"""An item of the catalogue: what can be recommended, as the shop describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Self

import msgspec

from segue.domain.event import Json
from segue.domain.limits import ITEM_ATTRIBUTES_MAX, ITEM_ID_CHARACTERS_MAX, ITEM_TEXT_CHARACTERS_MAX
from segue.domain.number import MICRO, micro_of

_IN_STOCK = frozenset(
    ("true", "yes", "y", "1", "in stock", "in_stock", "instock", "available", "preorder", "backorder")
)
_OUT_OF_STOCK = frozenset(
    ("false", "no", "n", "0", "out of stock", "out_of_stock", "outofstock", "sold out", "unavailable")
)
_TEXTS = ("title", "category", "url", "image")


class NotAnItemError(ValueError):
    """What a row lacks to be an item; the message says it to whoever wrote the file."""


@dataclass(frozen=True, slots=True)
class Item:
    """``price`` is in millionths. ``attributes`` are whatever else is said: scalars, lists of them."""

    id: str
    title: str | None = None
    price: int | None = None
    category: str | None = None
    url: str | None = None
    image: str | None = None
    available: bool = True
    attributes: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """As answers show it; what is not known is left out."""
        found: dict[str, Json] = {"id": self.id}
        for name in _TEXTS:
            value = getattr(self, name)
            if value is not None:
                found[name] = value
        if self.price is not None:
            found["price"] = price_json(self.price)
        found["available"] = self.available
        if self.attributes:
            found["attributes"] = dict(self.attributes)
        return found

    def body(self) -> bytes:
        """As it is kept; equal for equal items."""
        held = {each.name: getattr(self, each.name) for each in fields(self)}
        return msgspec.json.encode(held, order="deterministic")

    @classmethod
    def of_body(cls, body: bytes) -> Self:
        """What :meth:`body` wrote."""
        return cls(**msgspec.json.decode(body))


def price_json(price: int) -> int | float:
    """A price as people write it."""
    return price // MICRO if price % MICRO == 0 else price / MICRO


def item_of(values: Mapping[str, Json], attributes: Mapping[str, Json]) -> Item:
    """The item that a row describes, by the catalogue's names; :class:`NotAnItemError` if it is none."""
    texts = {name: _text(name, values.get(name)) for name in _TEXTS}
    kept = {name: value for name, value in attributes.items() if _is_attribute(value)}
    if len(kept) > ITEM_ATTRIBUTES_MAX:
        raise NotAnItemError(f"it has {len(kept)} attributes, {ITEM_ATTRIBUTES_MAX} at most")
    return Item(
        id=item_id(values.get("id")),
        price=_price(values.get("price")),
        available=_available(values.get("availability")),
        attributes=kept,
        **texts,
    )


def item_id(value: Json) -> str:
    """An id as text; whole numbers are ids too, as in events."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise NotAnItemError("it has no id")
    if len(value) > ITEM_ID_CHARACTERS_MAX:
        raise NotAnItemError(f"its id has more than {ITEM_ID_CHARACTERS_MAX} characters")
    return value


def _text(name: str, value: Json) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool | list | dict):
        raise NotAnItemError(f"its {name} is no text")
    found = str(value)
    if len(found) > ITEM_TEXT_CHARACTERS_MAX:
        raise NotAnItemError(f"its {name} has more than {ITEM_TEXT_CHARACTERS_MAX:,} characters")
    return found


def _price(value: Json) -> int | None:
    if value is None or value == "":
        return None
    found = micro_of(value)
    if found is None or found < 0:
        raise NotAnItemError(f"its price is {str(value)[:40]!r}, not a number from 0")
    return found


def _available(value: Json) -> bool:
    """Items are to be had unless the catalogue says otherwise."""
    if value is None or value == "":
        return True
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word.startswith(("http://schema.org/", "https://schema.org/")):
        word = word.rpartition("/")[2]
    if word in _IN_STOCK:
        return True
    if word in _OUT_OF_STOCK:
        return False
    number = micro_of(word)
    if number is None:
        raise NotAnItemError(f"its availability is {word[:40]!r}; write in stock, out of stock, or how many")
    return number > 0


def _is_attribute(value: Json) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str | int | float | bool) for each in value) and len(str(value)) <= 10_000
    if isinstance(value, str):
        return 0 < len(value) <= ITEM_TEXT_CHARACTERS_MAX
    return isinstance(value, bool | int | float)

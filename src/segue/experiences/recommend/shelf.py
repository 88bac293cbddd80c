"""The items as they stand, by the column: what can be shown, and which ones a filter means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from segue.domain.event import Json
from segue.experiences.recommend.catalogue.item import Item
from segue.experiences.recommend.catalogue.store import Listed
from segue.experiences.recommend.known import Known
from segue.segments.recommendations.definition import ItemFilter

Mask = npt.NDArray[np.bool_]
_NO_PRICE = -1
_MASKS_KEPT_MAX = 256


class Shelf:
    """Items by place, never changed: another catalogue makes another one.

    Without a catalogue every item that was ever seen can be shown, by its id alone. ``held`` are the items
    there are, ``sold`` those of them that are to be had.
    """

    def __init__(self, version: int, listed: Sequence[Listed], known: Known) -> None:
        self.version = version
        places = known.places((each.item.id for each in listed), bound=1 << 31)
        self.size = len(known)
        self._known = known
        self._items: dict[int, Listed] = dict(zip(places, listed, strict=True))
        at = np.array(places, np.int64)
        self.held = np.full(self.size, not listed)
        self.held[at] = True
        self.sold = self.held.copy()
        self.sold[at] = [each.item.available for each in listed]
        self.price = np.full(self.size, _NO_PRICE, np.int64)
        self.price[at] = [_NO_PRICE if each.item.price is None else each.item.price for each in listed]
        self.first_at = np.zeros(self.size, np.int64)
        self.first_at[at] = [each.first_at for each in listed]
        self.categories, self.category = _coded(
            self.size, {p: e.item.category for p, e in self._items.items()}
        )
        self._masks: dict[Any, Mask] = {}

    def item(self, place: int) -> Item:
        """The item at a place; of one that no catalogue describes the id alone."""
        found = self._items.get(place)
        return Item(self._known.ids[place]) if found is None else found.item

    def name(self, place: int) -> str:
        """The id of an item, also of one that is not here."""
        return self._known.ids[place]

    def find(self, identifier: str) -> int:
        """The place of an item; NOWHERE for one that is not here."""
        found = self._known.find(identifier)
        return found if found < self.size else -1

    def meant(self, asked: ItemFilter) -> Mask:
        """Which items a filter means."""
        found = self._masks.get(_key(asked))
        if found is None:
            found = self._meant(asked)
            if len(self._masks) >= _MASKS_KEPT_MAX:
                self._masks.clear()
            self._masks[_key(asked)] = found
        return found

    def _meant(self, asked: ItemFilter) -> Mask:
        found = np.ones(self.size, np.bool_)
        if asked.ids:
            places = [self.find(each) for each in asked.ids]
            found &= np.isin(np.arange(self.size), [each for each in places if each >= 0])
        if asked.category:
            found &= np.isin(self.category, [self.categories.get(each, -2) for each in asked.category])
        if asked.price_min is not None:
            found &= self.price >= asked.price_min
        if asked.price_max is not None:
            found &= (self.price != _NO_PRICE) & (self.price <= asked.price_max)
        for name, values in asked.attributes.items():
            found &= self._with(name, values)
        return found

    def _with(self, name: str, values: Sequence[Json]) -> Mask:
        """The items one of whose values of an attribute is one of these; 1 is 1.0, and is not "1"."""
        wanted = {_scalar(each) for each in values}
        found = np.zeros(self.size, np.bool_)
        for place, each in self._items.items():
            held = each.item.attributes.get(name)
            parts = held if isinstance(held, list) else [held]
            if any(_scalar(part) in wanted for part in parts if part is not None):
                found[place] = True
        return found


def _scalar(value: Json) -> tuple[str, Json]:
    return ("truth" if isinstance(value, bool) else "text" if isinstance(value, str) else "number", value)


def _key(asked: ItemFilter) -> Any:
    attributes = tuple(
        (name, tuple(map(_scalar, values))) for name, values in sorted(asked.attributes.items())
    )
    return (asked.ids, asked.category, asked.price_min, asked.price_max, attributes)


def _coded(size: int, values: Mapping[int, str | None]) -> tuple[dict[str, int], npt.NDArray[np.int32]]:
    """(the code of each text, the code by place); -1 where there is none."""
    codes: dict[str, int] = {}
    found = np.full(size, -1, np.int32)
    for place, value in values.items():
        if value is not None:
            found[place] = codes.setdefault(value, len(codes))
    return codes, found

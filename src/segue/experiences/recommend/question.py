"""What can be asked of the recommender, and how a request's JSON says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from segue.domain.errors import SegueError, refusal
from segue.domain.event import Json
from segue.domain.limits import (
    ID_CHARACTERS_MAX,
    ITEM_ID_CHARACTERS_MAX,
    RECENT_ITEMS_MAX,
    RECOMMENDED_MAX,
)
from segue.domain.number import micro_of
from segue.language.findings import closest
from segue.segments.recommendations.definition import ANY_ITEM, DEFAULT_NAME, ItemFilter

BAD_QUESTION = "E844"
COUNT = 20
Weighted = tuple[tuple[str, float], ...]
_WEIGHT_MAX = 1e6
_KEYS = ("user_id", "recommendation", "count", "recent", "vector", "context", "filters")
_FILTERS = ("ids", "category", "price", "attributes", "exclude", "unavailable")


@dataclass(frozen=True, slots=True)
class Question:
    """``recent`` is behaviour that is not in the log yet, oldest first; ``vector`` stands instead of the
    user's own. ``shown`` are items that the page is about: they speak for others and are not shown again.
    ``unavailable`` also shows what is not to be had.
    """

    user_id: str | None = None
    name: str = DEFAULT_NAME
    count: int = COUNT
    recent: Weighted = ()
    vector: Weighted | None = None
    shown: tuple[str, ...] = ()
    filters: ItemFilter = ANY_ITEM
    exclude: tuple[str, ...] = ()
    unavailable: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for questions with equal answers about one profile."""
        filters = repr(self.filters)
        about = (self.name, self.count, self.recent, self.vector, self.shown)
        return (*about, filters, self.exclude, self.unavailable)


def read_question(body: Mapping[str, Json]) -> Question:
    """The question in a request's body; E844 for what cannot be understood."""
    _only(body, _KEYS, "the body")
    context = _part(body, "context", _object, {})
    filters = _part(body, "filters", _object, {})
    _only(filters, _FILTERS, "filters")
    shown = _part(context, "items", _ids, ()) + _part(context, "item", _one_id, ())
    return Question(
        user_id=_part(body, "user_id", _user, None),
        name=_part(body, "recommendation", _text, DEFAULT_NAME),
        count=_part(body, "count", _count, COUNT),
        recent=_part(body, "recent", _recent, ()),
        vector=_part(body, "vector", _vector, None),
        shown=tuple(dict.fromkeys(shown)),
        filters=_filter(filters),
        exclude=_part(filters, "exclude", _ids, ()),
        unavailable=_part(filters, "unavailable", _truth, False),
    )


def _filter(filters: Mapping[str, Json]) -> ItemFilter:
    price = _part(filters, "price", _object, {})
    _only(price, ("min", "max"), "price")
    return ItemFilter(
        ids=_part(filters, "ids", _ids, ()),
        category=_part(filters, "category", _ids, ()),
        price_min=_part(price, "min", _price, None),
        price_max=_part(price, "max", _price, None),
        attributes={
            name: _values(name, each) for name, each in _part(filters, "attributes", _object, {}).items()
        },
    )


def _part(holder: Mapping[str, Json], key: str, read: Callable[[str, Json], Any], otherwise: Any) -> Any:
    """What stands under a key; null counts as absent."""
    value = holder.get(key)
    return otherwise if value is None else read(key, value)


def bad(message: str, hint: str) -> SegueError:
    """E844."""
    return refusal(BAD_QUESTION, message, hint)


def _only(holder: Mapping[str, Json], known: tuple[str, ...], what: str) -> None:
    for key in holder:
        if key not in known:
            near = closest(key, known)
            hint = f"did you mean {near}?" if near else "it takes " + ", ".join(known)
            raise bad(f'{what} does not know the key "{key[:64]}"', hint)


def _object(key: str, value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise bad(f"{key} is no object", f'write "{key}": {{…}}')
    return value


def _text(key: str, value: Json) -> str:
    if not isinstance(value, str) or not value:
        raise bad(f"{key} is no text", f'write "{key}": "…"')
    return value


def _user(key: str, value: Json) -> str:
    found = _text(key, value)
    if len(found) > ID_CHARACTERS_MAX:
        raise bad(f"{key} has more than {ID_CHARACTERS_MAX:,} characters", "send the user's id")
    return found


def _truth(key: str, value: Json) -> bool:
    if not isinstance(value, bool):
        raise bad(f"{key} is neither true nor false", f'write "{key}": true')
    return value


def _count(key: str, value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= RECOMMENDED_MAX:
        raise bad(f"{key} is no whole number from 1 to {RECOMMENDED_MAX}", f'write "{key}": {COUNT}')
    return value


def _id(key: str, value: Json) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= ITEM_ID_CHARACTERS_MAX:
        raise bad(f"{key} holds what is no id of an item", "send the ids of the catalogue, as texts")
    return value


def _one_id(key: str, value: Json) -> tuple[str, ...]:
    return (_id(key, value),)


def _ids(key: str, value: Json) -> tuple[str, ...]:
    found = value if isinstance(value, list) else [value]
    _bounded(key, len(found))
    return tuple(_id(key, each) for each in found)


def _bounded(key: str, count: int) -> None:
    if count > RECENT_ITEMS_MAX:
        raise bad(f"{key} has {count:,} entries", f"send up to {RECENT_ITEMS_MAX}, the newest")


def _weight(key: str, value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _WEIGHT_MAX:
        raise bad(f"{key} holds a weight that is no number from 0", 'write "weight": 1')
    return float(value)


def _recent(key: str, value: Json) -> Weighted:
    if not isinstance(value, list):
        raise bad(f"{key} is no list", 'write "recent": [{"item": "…", "weight": 1}]')
    _bounded(key, len(value))
    found = []
    for each in value:
        if isinstance(each, dict):
            _only(each, ("item", "weight"), "an entry of recent")
            found.append((_id(key, each.get("item")), _weight(key, each.get("weight", 1))))
        else:
            found.append((_id(key, each), 1.0))
    return tuple(found)


def _vector(key: str, value: Json) -> Weighted:
    held = _object(key, value)
    _bounded(key, len(held))
    return tuple((_id(key, name), _weight(key, each)) for name, each in held.items())


def _price(key: str, value: Json) -> int:
    found = micro_of(value)
    if found is None:
        raise bad(f"{key} is no price", f'write "{key}": 19.99')
    return found


def _values(name: str, value: Json) -> tuple[Json, ...]:
    found = value if isinstance(value, list) else [value]
    _bounded(name, len(found))
    if not all(isinstance(each, str | int | float | bool) for each in found):
        raise bad(f"the attribute {name[:64]} is no value or list of values", "send texts, numbers or truths")
    return tuple(found)

"""One answer: what speaks for each item is added up, rules are applied, the best are spread out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segue.domain.event import Json
from segue.experiences.recommend.models.links import Links
from segue.experiences.recommend.shelf import Mask, Shelf
from segue.segments.recommendations.definition import Blend, ItemRule

Scores = npt.NDArray[np.float32]

CANDIDATES_A_PLACE = 5
"""Items that are weighed against each other for each place of the answer, when they are spread."""
PARTS = ("behaviour", "category", "popularity", "new")


@dataclass(frozen=True, slots=True, eq=False)
class Behaviour:
    """Items that speak for others, by place: how much, and what the user did with each."""

    items: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    means: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Stock:
    """All that an answer is made from and that is the same for everyone.

    ``links`` go from place to place; ``popular`` and ``new`` are from 0 to 1.
    """

    shelf: Shelf
    links: Links
    popular: Scores
    new: Scores


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """What one answer has to keep to: how the parts are blended, what may be shown, and how many."""

    blend: Blend
    diversity: float
    rules: Sequence[ItemRule]
    hidden: Mask
    count: int
    fallback: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item is shown: ``kind`` for machines, ``text`` for people; ``item`` or ``category`` behind."""

    kind: str
    text: str
    item: str | None = None
    category: str | None = None

    def to_json(self) -> dict[str, Json]:
        """As it is answered."""
        found: dict[str, Json] = {"kind": self.kind, "text": self.text}
        if self.item is not None:
            found["item"] = self.item
        if self.category is not None:
            found["category"] = self.category
        return found


BRIEFLY = Reason("behaviour", "goes with what they turned to")
"""For who may not know what the user did."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One item of an answer, by its place."""

    place: int
    score: float
    reason: Reason


def ranked(stock: Stock, behaviour: Behaviour, wish: Wish) -> list[Ranked]:
    """The items to show, best first."""
    parts = _parts(stock, behaviour, wish.blend)
    scores: Scores = np.sum(list(parts.values()), axis=0, dtype=np.float32)
    shown = ~wish.hidden
    for rule in wish.rules:
        meant = stock.shelf.meant(rule.items)
        if rule.action == "exclude":
            shown &= ~meant
        else:
            scores[meant] *= rule.factor
    places = _best(scores, shown, wish.count * CANDIDATES_A_PLACE)
    chosen, values = _spread(places, scores, stock.shelf, wish)
    found = [
        Ranked(place, value, reason)
        for place, value, reason in zip(
            chosen, values, _reasons(stock, behaviour, parts, chosen), strict=True
        )
    ]
    return found + _filled(found, shown, wish)


def _parts(stock: Stock, behaviour: Behaviour, blend: Blend) -> dict[str, Scores]:
    """What speaks for each item, by part; each is from 0 to its weight in the blend."""
    size = stock.shelf.size
    liked = np.maximum(stock.links.scores(behaviour.items, behaviour.weights, size), 0)
    return {
        "behaviour": _scaled(liked, blend.behaviour),
        "category": _by_category(stock, behaviour) * np.float32(blend.category),
        "popularity": stock.popular * np.float32(blend.popularity),
        "new": stock.new * np.float32(blend.new),
    }


def _scaled(scores: Scores, weight: float) -> Scores:
    most = float(scores.max(initial=0))
    return scores * np.float32(weight / most) if most > 0 else scores


def _by_category(stock: Stock, behaviour: Behaviour) -> Scores:
    """How much the user turns to the item's category, times how popular the item is, within it and at all."""
    shelf = stock.shelf
    known = behaviour.items < shelf.size
    codes = shelf.category[behaviour.items[known]]
    real = codes >= 0
    if not real.any():
        return np.zeros(shelf.size, np.float32)
    shares = np.bincount(codes[real], behaviour.weights[known][real], minlength=len(shelf.categories) + 1)
    total = shares.sum()
    if total <= 0:
        return np.zeros(shelf.size, np.float32)
    # The last place stands for items without a category: their code is -1.
    found: Scores = (shares / total).astype(np.float32)[shelf.category] * (0.5 + 0.5 * stock.popular)
    return found


def _best(scores: Scores, shown: Mask, count: int) -> npt.NDArray[np.int64]:
    """The places of the best items that may be shown, best first; of equals the one that came first."""
    places = np.flatnonzero(shown)
    values = scores[places]
    if len(places) > count:
        least = np.partition(values, len(values) - count)[len(values) - count]
        kept = values >= least
        places, values = places[kept], values[kept]
    order = np.lexsort((places, -values))
    return places[order][:count]


def _spread(
    places: npt.NDArray[np.int64], scores: Scores, shelf: Shelf, wish: Wish
) -> tuple[list[int], list[float]]:
    """The answer's places and scores: each item of a category makes the next one of it count less."""
    values = scores[places].astype(np.float64)
    codes = shelf.category[places]
    keeps = 1.0 - wish.diversity
    waiting = np.ones(len(places), np.bool_)
    chosen: list[int] = []
    found: list[float] = []
    while len(chosen) < min(wish.count, len(places)):
        best = int(np.argmax(np.where(waiting, values, -np.inf)))
        waiting[best] = False
        chosen.append(int(places[best]))
        found.append(float(values[best]))
        if codes[best] >= 0 and keeps < 1:
            values[(codes == codes[best]) & waiting] *= keeps
    return chosen, found


def _filled(found: Sequence[Ranked], shown: Mask, wish: Wish) -> list[Ranked]:
    """What fills up an answer that has too few items."""
    taken = {each.place for each in found}
    reason = Reason("fallback", "chosen by hand")
    rest = [place for place in wish.fallback if place not in taken and shown[place]]
    return [Ranked(place, 0.0, reason) for place in rest[: wish.count - len(found)]]


# ---- reasons ---------------------------------------------------------------------------------


def _reasons(
    stock: Stock, behaviour: Behaviour, parts: dict[str, Scores], chosen: Sequence[int]
) -> list[Reason]:
    places = np.array(chosen, np.int32)
    strongest = np.argmax([parts[name][places] for name in PARTS], axis=0) if len(places) else []
    sources = stock.links.strongest(behaviour.items, behaviour.weights, places, stock.shelf.size)
    return [
        _reason(stock.shelf, behaviour, place, PARTS[part] if parts[PARTS[part]][place] > 0 else "", source)
        for place, part, source in zip(chosen, strongest, sources.tolist(), strict=True)
    ]


def _reason(shelf: Shelf, behaviour: Behaviour, place: int, part: str, source: int) -> Reason:
    category = shelf.item(place).category
    if part == "behaviour" and source >= 0:
        speaks = shelf.item(int(behaviour.items[source]))
        means = behaviour.means[source]
        return Reason(f"{means}_with", f"{means} with {speaks.title or speaks.id}", item=speaks.id)
    if part == "new":
        return Reason("new", "new in the catalogue", category=category)
    if part == "":
        return Reason("listed", "in the catalogue", category=category)
    if part == "category":
        return Reason("popular_in_category", f"popular in {category}", category=category)
    return Reason("popular", "popular")

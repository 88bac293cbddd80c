"""What a definition makes of deeds: how much each counts, for a model and for popularity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from segue.experiences.recommend.interest import Sight, sight_of
from segue.experiences.recommend.models.fitting import Interactions
from segue.experiences.recommend.past import Deeds
from segue.segments.recommendations.definition import RecommendationDefinition

Doubles = npt.NDArray[np.float64]

ITEMS_OF_ONE_MAX = 500
"""Of one user that a model learns from, the strongest: whoever has more is a machine, or a shop's till."""
_PEOPLE_MIN = 2


@dataclass(frozen=True, slots=True)
class Taste:
    """The part of a definition that training depends on; definitions that agree in it share a model."""

    weights: tuple[tuple[Sight, float], ...]
    model: str
    regularization: float
    history_ms: int
    half_life_ms: int

    @property
    def text(self) -> str:
        """What tells it apart, on every run and machine."""
        return msgspec.json.encode(self).decode()

    def table(self, sights: Sequence[Sight]) -> Doubles:
        """The weight of each sight."""
        held = dict(self.weights)
        return np.array([held.get(sight, 0.0) for sight in sights], np.float64)


def taste_of(definition: RecommendationDefinition) -> Taste:
    """What training of a definition depends on."""
    weights = {sight_of(name, interest): interest.weight for name, interest in definition.events.items()}
    return Taste(
        tuple(sorted(weights.items(), key=lambda each: (each[0].event, each[0].item, each[0].means))),
        definition.model,
        definition.regularization,
        definition.history_ms,
        definition.half_life_ms,
    )


def faded(at: npt.NDArray[np.int64], now: int, half_life_ms: int) -> Doubles:
    """How much of interest is left: half after each half-life, more than all of what lies ahead."""
    return np.exp2((at - now) / half_life_ms)


def counted(
    taste: Taste, deeds: Deeds, sights: Sequence[Sight], now: int
) -> tuple[npt.NDArray[np.bool_], Doubles]:
    """(which deeds count, how much each of those does)."""
    weights = taste.table(sights)[deeds.sights]
    counts = (weights > 0) & (deeds.at > now - taste.history_ms)
    return counts, weights[counts] * faded(deeds.at[counts], now, taste.half_life_ms)


def popularity_of(taste: Taste, deeds: Deeds, sights: Sequence[Sight], now: int, size: int) -> Doubles:
    """How much interest there was in each item, faded to ``now``."""
    counts, weights = counted(taste, deeds, sights, now)
    return np.bincount(deeds.items[counts], weights, minlength=size).astype(np.float64)


def interactions_of(
    taste: Taste, deeds: Deeds, sights: Sequence[Sight], now: int, survivors: npt.NDArray[np.int32]
) -> tuple[Interactions, npt.NDArray[np.int32]]:
    """(what a model learns from, the place of each of its items). ``survivors`` joins merged people.

    Of a user and an item the strongest deed counts, and values are scaled so that their mean square is
    1: the regularization then means the same whatever the weights are.
    """
    counts, weights = counted(taste, deeds, sights, now)
    users, items, values = _strongest(survivors[deeds.rows[counts]], deeds.items[counts], weights)
    users, items, values = _bounded(users, items, values)
    enough = np.isin(items, np.flatnonzero(np.bincount(items) >= _PEOPLE_MIN))
    users, items, values = users[enough], items[enough], values[enough]
    size = np.sqrt(np.mean(values**2)) if len(values) else 1.0
    _, people = np.unique(users, return_inverse=True)
    places, things = np.unique(items, return_inverse=True)
    scaled = (values / size).astype(np.float32)
    given = Interactions(people.astype(np.int32), things.astype(np.int32), scaled, len(places))
    return given, places.astype(np.int32)


def _strongest(
    people: npt.NDArray[np.int32], items: npt.NDArray[np.int32], weights: Doubles
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Doubles]:
    """Each pair once, with its greatest weight, by person."""
    order = np.lexsort((weights, items, people))
    people, items, weights = people[order], items[order], weights[order]
    last = np.ones(len(people), np.bool_)
    last[:-1] = (people[1:] != people[:-1]) | (items[1:] != items[:-1])
    return people[last], items[last], weights[last]


def _bounded(
    people: npt.NDArray[np.int32], items: npt.NDArray[np.int32], weights: Doubles
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Doubles]:
    """The strongest items of each person."""
    order = np.lexsort((-weights, people))
    people, items, weights = people[order], items[order], weights[order]
    starts = np.searchsorted(people, people)
    kept = np.arange(len(people)) - starts < ITEMS_OF_ONE_MAX
    return people[kept], items[kept], weights[kept]

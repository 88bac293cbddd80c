"""From deeds to a model: what is read once for all definitions, and what each of them makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segue.experiences.recommend.interest import Sight, sights_of
from segue.experiences.recommend.known import Known
from segue.experiences.recommend.live import Live
from segue.experiences.recommend.models.fitting import Interactions
from segue.experiences.recommend.past import DEEDS_MAX, Deeds, read_deeds
from segue.experiences.recommend.popularity import Popularity
from segue.experiences.recommend.taste import Taste, interactions_of, popularity_of, taste_of
from segue.segments.recommendations.definition import RecommendationDefinition
from segue.service.core import Core
from segue.service.quality.numbers import steadily


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """All that was done up to the log position ``upto``, at the moment ``now`` (ms).

    ``survivors`` leads from each row to the profile that has its events; from ``hushed`` rows nothing is
    learned.
    """

    upto: int
    now: int
    sights: tuple[Sight, ...]
    tastes: frozenset[Taste]
    deeds: Deeds
    survivors: npt.NDArray[np.int32]
    hushed: tuple[int, ...]

    @property
    def taught(self) -> Deeds:
        """The deeds that anything is learned from."""
        return self.deeds.without(self.hushed) if self.hushed else self.deeds

    def popularity(self, size: int) -> dict[Taste, Popularity]:
        """What everyone turns to, as each definition counts it."""
        taught = self.taught
        return {
            taste: Popularity(
                popularity_of(taste, taught, self.sights, self.now, size),
                taste.table(self.sights),
                self.now,
                taste.half_life_ms,
            )
            for taste in self.tastes
        }

    def interactions(self, taste: Taste) -> tuple[Interactions, npt.NDArray[np.int32]]:
        """(what a model learns from, the place of each of its items)."""
        return interactions_of(taste, self.taught, self.sights, self.now, self.survivors)


def read_all(core: Core, definitions: Iterable[RecommendationDefinition], known: Known) -> Reading:
    """Read what people did with items from the log."""
    every = list(definitions)
    sights = sights_of(every)
    # Without the engine's turn: whoever answers in it may be waiting for this very reading to be over.
    upto, now = core.engine.evaluated_seq, core.engine.now
    since = now - max(each.history_ms for each in every)
    deeds = steadily(lambda: read_deeds(core.log, upto, sights, since, known))
    return _reading(core, upto, now, sights, frozenset(map(taste_of, every)), deeds)


def renewed(core: Core, before: Reading, live: Live) -> Reading:
    """The same from memory: what was read, and what came since."""
    upto, deeds = live.all()
    now = core.engine.now
    since = now - max(each.history_ms for each in before.tastes)
    return _reading(core, upto, now, before.sights, before.tastes, deeds.newest(since, DEEDS_MAX))


def _reading(
    core: Core, upto: int, now: int, sights: tuple[Sight, ...], tastes: frozenset[Taste], deeds: Deeds
) -> Reading:
    survivors = np.array(core.intake.identity.into, np.int32)
    hushed = tuple(sorted(core.engine.feed.suppressed.copy()))
    return Reading(upto, now, sights, tastes, deeds, survivors, hushed)

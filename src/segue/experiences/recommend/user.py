"""What one answer takes from the user: behaviour, what was bought, and the rules that hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from segue.experiences.recommend.known import NOWHERE, Known
from segue.experiences.recommend.live import Live, Recent
from segue.experiences.recommend.past import no_deeds
from segue.experiences.recommend.question import Question
from segue.experiences.recommend.ranking import Behaviour, Wish
from segue.experiences.recommend.shelf import Mask, Shelf
from segue.experiences.recommend.taste import faded, taste_of
from segue.segments.recommendations.definition import MEANINGS, ItemRule, RecommendationDefinition
from segue.service.core import Core

RECENT_DEEDS = 100
"""Of a user's own behaviour, the newest: they are what the next answer goes by."""


@dataclass(frozen=True, slots=True, eq=False)
class User:
    """One profile as an answer sees it. ``bought`` are places of items, ``rules`` those that hold."""

    user_id: str | None
    known: bool
    recent: Recent
    bought: tuple[int, ...]
    rules: tuple[int, ...]

    @property
    def state(self) -> tuple[object, ...]:
        """Equal for users with equal answers."""
        return (self.user_id, self.known, self.recent.state, self.bought, self.rules)


def user_of(core: Core, live: Live, definition: RecommendationDefinition, user_id: str | None) -> User:
    """A user as they are now; one never heard of, or suppressed, has done nothing.

    :class:`OutdatedError` where the definition is no longer in force.
    """
    identity = core.intake.identity
    row = None if user_id is None else identity.row_of(user_id)
    if row is None or row in core.engine.feed.suppressed:
        nothing = no_deeds()
        nobody = Recent((), nothing.items, nothing.sights, nothing.at)
        return User(user_id, False, nobody, (), _for_everyone(definition))
    deeds = live.of(identity.rows_of(row))
    recent = deeds.chosen(slice(-RECENT_DEEDS, None))
    bought = _bought(deeds, definition, core.engine.now)
    return User(user_id, True, recent, bought, _holding(core, definition, row))


def _bought(deeds: Recent, definition: RecommendationDefinition, now: int) -> tuple[int, ...]:
    if not definition.bought_ms or not len(deeds):
        return ()
    bought = np.array([sight.means == "bought" for sight in deeds.known_sights], np.bool_)
    which = bought[deeds.sights] & (deeds.at > now - definition.bought_ms)
    return tuple(np.unique(deeds.items[which]).tolist())


def _for_everyone(definition: RecommendationDefinition) -> tuple[int, ...]:
    return tuple(number for number, rule in enumerate(definition.rules) if rule.when is None)


class OutdatedError(Exception):
    """Another definition is in force by now: the engine follows its rules, by number, and not these."""


def _holding(core: Core, definition: RecommendationDefinition, row: int) -> tuple[int, ...]:
    """The numbers of the rules that hold for a profile; the engine is asked only when it follows any."""
    watches = definition.watches()
    if not watches:
        return _for_everyone(definition)
    with core.turn:
        workspace = core.workspace
        if workspace is None or workspace.recommendations.get(definition.name) != definition:
            raise OutdatedError
        held = {name for name, _ in core.engine.held(row)}
    chosen = {number for name, number in watches.items() if name in held}
    return tuple(sorted({*_for_everyone(definition), *chosen}))


# ---- what speaks for items -------------------------------------------------------------------


def behaviour_of(
    definition: RecommendationDefinition, user: User, question: Question, known: Known
) -> Behaviour:
    """The items that speak for others: each once, with all its weight and what was done most with it."""
    spoken: dict[int, tuple[float, int]] = {}
    own = _own(definition, user.recent) if question.vector is None else ()
    for item, weight, meaning in (*own, *_told(question, known)):
        before, most = spoken.get(item, (0.0, 0))
        spoken[item] = (before + weight, max(most, meaning))
    heaviest = max((weight for weight, _ in spoken.values()), default=1.0)
    for item in filter(lambda place: place != NOWHERE, map(known.find, question.shown)):
        before, most = spoken.get(item, (0.0, 0))
        spoken[item] = (before + heaviest, most)
    kept = {item: each for item, each in spoken.items() if each[0] > 0}
    return Behaviour(
        np.array(list(kept), np.int32),
        np.array([weight for weight, _ in kept.values()], np.float32),
        [MEANINGS[most] for _, most in kept.values()],
    )


def _own(definition: RecommendationDefinition, recent: Recent) -> Iterator[tuple[int, float, int]]:
    """(item, weight, meaning) of a user's own deeds; they fade from the newest, not from now: so an
    answer stays what it is until something is done. What was done last counts most, however quickly.
    """
    if not len(recent):
        return
    weights = taste_of(definition).table(recent.known_sights)[recent.sights]
    weights = weights * faded(recent.at, int(recent.at.max()), definition.recent_half_life_ms)
    weights = weights / np.sqrt(np.arange(len(recent), 0, -1))
    meanings = [MEANINGS.index(sight.means) for sight in recent.known_sights]
    for item, sight, weight in zip(
        recent.items.tolist(), recent.sights.tolist(), weights.tolist(), strict=True
    ):
        yield item, weight, meanings[sight]


def _told(question: Question, known: Known) -> Iterator[tuple[int, float, int]]:
    """The same of what the request tells; it has just happened."""
    for name, weight in question.recent if question.vector is None else question.vector:
        item = known.find(name)
        if item != NOWHERE:
            yield item, weight, 0


# ---- what may be shown -----------------------------------------------------------------------


def wish_of(definition: RecommendationDefinition, user: User, question: Question, shelf: Shelf) -> Wish:
    """What the answer has to keep to."""
    fallback = [place for place in map(shelf.find, definition.fallback) if place != NOWHERE]
    rules: list[ItemRule] = [definition.rules[number] for number in user.rules]
    hidden = _hidden(user, question, shelf)
    return Wish(definition.blend, definition.diversity, rules, hidden, question.count, fallback)


def _hidden(user: User, question: Question, shelf: Shelf) -> Mask:
    hidden: Mask = ~(shelf.held if question.unavailable else shelf.sold)
    named = [place for place in map(shelf.find, (*question.shown, *question.exclude)) if place != NOWHERE]
    places = [*named, *(place for place in user.bought if place < shelf.size)]
    hidden[places] = True
    if question.vector is not None:
        hidden[[place for place in (shelf.find(name) for name, _ in question.vector) if place >= 0]] = True
    return hidden | ~shelf.meant(question.filters)

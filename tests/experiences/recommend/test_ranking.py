"""What holds for every answer, whatever the stock, the user and the wish."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.domain.number import MICRO
from segue.domain.time import DAY
from segue.experiences.recommend.catalogue.item import Item
from segue.experiences.recommend.catalogue.store import Listed
from segue.experiences.recommend.known import NOWHERE, Known
from segue.experiences.recommend.models.links import joined, strongest_of
from segue.experiences.recommend.popularity import Popularity
from segue.experiences.recommend.ranking import Behaviour, Ranked, Stock, Wish, ranked
from segue.experiences.recommend.shelf import Shelf
from segue.segments.recommendations.definition import Blend, ItemFilter, ItemRule

SIZE = 8
CATEGORIES = [None, "a", "b"]
Answered = tuple[Stock, Behaviour, Wish, list[Ranked]]
Deeds = list[tuple[int, int, int]]
shares = st.floats(0, 1, width=32)


@st.composite
def answers(draw: Any) -> Answered:
    items = [
        Listed(Item(str(n), price=n * MICRO, category=draw(st.sampled_from(CATEGORIES))), 1, 1)
        for n in range(SIZE)
    ]
    rows = np.array(draw(st.lists(st.floats(-1, 1, width=16), min_size=SIZE**2, max_size=SIZE**2)))
    links = joined([strongest_of(rows.reshape(SIZE, SIZE).astype(np.float32), SIZE)])
    columns = [np.array(draw(st.lists(shares, min_size=SIZE, max_size=SIZE)), np.float32) for _ in range(2)]
    stock = Stock(Shelf(1, items, Known()), links, *columns)
    liked = draw(st.lists(st.integers(0, SIZE - 1), unique=True, max_size=4))
    weights = np.array([draw(st.sampled_from([0.125, 1.0, 5.0])) for _ in liked], np.float32)
    behaviour = Behaviour(np.array(liked, np.int32), weights, ["viewed"] * len(liked))
    rules = draw(
        st.lists(
            st.builds(
                ItemRule,
                st.sampled_from(["boost", "bury", "exclude"]),
                st.sampled_from([0.0, 0.5, 2.0]),
                st.builds(ItemFilter, category=st.sampled_from([(), ("a",), ("a", "b")])),
            ),
            max_size=2,
        )
    )
    hidden = np.array(draw(st.lists(st.booleans(), min_size=SIZE, max_size=SIZE)))
    blend = Blend(*(draw(st.sampled_from([0.0, 0.1, 1.0])) for _ in range(4)))
    wish = Wish(blend, draw(st.sampled_from([0.0, 0.3, 1.0])), rules, hidden, draw(st.integers(1, 9)), (0, 3))
    return stock, behaviour, wish, ranked(stock, behaviour, wish)


@given(answers())
def test_every_item_stands_once_and_only_if_it_may(found: Answered) -> None:
    stock, _, wish, answer = found
    excluded = [rule for rule in wish.rules if rule.action == "exclude"]
    may = {
        place
        for place in range(SIZE)
        if not wish.hidden[place] and not any(stock.shelf.meant(rule.items)[place] for rule in excluded)
    }
    places = [each.place for each in answer]
    assert len(set(places)) == len(places)
    assert set(places) <= may
    assert len(places) == min(wish.count, len(may))


@given(answers())
def test_the_best_come_first_and_none_is_left_out_for_a_worse_one(found: Answered) -> None:
    stock, behaviour, wish, answer = found
    scores = [each.score for each in answer]
    assert scores == sorted(scores, reverse=True)
    if wish.diversity == 0:
        plain = plainly(stock, behaviour, wish)
        for each in answer:
            assert each.score == pytest.approx(plain[each.place], abs=1e-5)
        shown = {each.place for each in answer}
        excluded = [rule for rule in wish.rules if rule.action == "exclude"]
        rest = [
            plain[place]
            for place in range(SIZE)
            if place not in shown
            and not wish.hidden[place]
            and not any(stock.shelf.meant(rule.items)[place] for rule in excluded)
        ]
        assert max(rest, default=0.0) <= min(scores, default=np.inf) + 1e-5


def plainly(stock: Stock, behaviour: Behaviour, wish: Wish) -> list[float]:
    """The score of each item, in so many words."""
    links = np.zeros((SIZE, SIZE))
    for item in range(SIZE):
        span = slice(stock.links.starts[item], stock.links.starts[item + 1])
        links[item, stock.links.targets[span]] = stock.links.weights[span]
    liked = np.zeros(SIZE)
    kinds: dict[str, float] = {}
    for item, weight in zip(behaviour.items.tolist(), behaviour.weights.tolist(), strict=True):
        liked += weight * links[item]
        category = stock.shelf.item(item).category
        if category is not None:
            kinds[category] = kinds.get(category, 0.0) + weight
    liked = np.maximum(liked, 0)
    scores = []
    for item in range(SIZE):
        category = stock.shelf.item(item).category
        share = kinds.get(category, 0.0) / sum(kinds.values()) if category and kinds else 0.0
        score = wish.blend.behaviour * (liked[item] / liked.max() if liked.max() > 0 else 0.0)
        score += wish.blend.category * share * (0.5 + 0.5 * stock.popular[item])
        score += wish.blend.popularity * stock.popular[item] + wish.blend.new * stock.new[item]
        for rule in wish.rules:
            if rule.action != "exclude" and stock.shelf.meant(rule.items)[item]:
                score *= rule.factor
        scores.append(float(score))
    return scores


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(0, 30 * DAY)), max_size=12))
def test_popularity_counted_as_it_comes_is_popularity_counted_at_once(
    deeds: list[tuple[int, int, int]],
) -> None:
    weights, half_life = np.array([1.0, 5.0]), 3 * DAY
    counted = Popularity(np.zeros(1), weights, 10 * DAY, half_life)
    for item, sight, at in deeds:
        counted.hear(item, sight, at)
    plain = np.zeros(4)
    for item, sight, at in deeds:
        plain[item] += weights[sight] * 2.0 ** ((at - 20 * DAY) / half_life)
    whole = Popularity(plain, weights, 20 * DAY, half_life)
    np.testing.assert_allclose(counted.shares(4), whole.shares(4), atol=1e-5)
    assert counted.shares(4).max() == (1 if deeds else 0)


def test_an_event_of_a_far_future_breaks_nothing() -> None:
    counted = Popularity(np.zeros(2), np.array([1.0]), 0, 1)
    counted.hear(0, 0, 1 << 50)
    counted.hear(1, 0, 0)
    assert np.isfinite(counted.shares(2)).all()


def test_items_keep_their_places_and_are_bounded() -> None:
    known = Known()
    assert known.places(["a", "b", "a"], bound=2) == [0, 1, 0]
    assert known.place("c", bound=2) == NOWHERE
    assert known.place("b", bound=2) == 1
    assert known.place("c") == 2
    assert known.find("d") == NOWHERE

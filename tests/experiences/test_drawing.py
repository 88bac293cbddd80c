"""Lots fall as their weights say, the same way every time, and independently of each other."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.experiences.drawing import drawn, fraction, held_out

USERS = [f"user-{number}" for number in range(20_000)]
FOUR_DEVIATIONS = 4
Weights = dict[str, float]


def lot(user: str, weights: Weights, experience: str = "e") -> str:
    return drawn(list(weights), lambda name: (experience, name, user), weights.__getitem__)


def bound(share: float) -> float:
    """How far a share of so many coins may be off before something is wrong with them."""
    return FOUR_DEVIATIONS * math.sqrt(share * (1 - share) / len(USERS))


@pytest.mark.parametrize("weights", [{"a": 1, "b": 1}, {"a": 10, "b": 30, "c": 60}, {"a": 0.1, "b": 99.9}])
def test_shares_are_those_of_the_weights(weights: Weights) -> None:
    found = Counter(lot(user, weights) for user in USERS)
    for name, weight in weights.items():
        share = weight / sum(weights.values())
        assert abs(found[name] / len(USERS) - share) <= bound(share)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_the_holdout_is_as_large_as_it_says(share: float) -> None:
    found = sum(held_out("e", user, share) for user in USERS) / len(USERS)
    assert abs(found - share) <= bound(share)
    assert not any(held_out("e", user, 0) for user in USERS[:100])


def test_a_larger_holdout_holds_those_of_the_smaller_one() -> None:
    small = {user for user in USERS if held_out("e", user, 0.1)}
    assert small < {user for user in USERS if held_out("e", user, 0.2)}


def test_the_lots_of_two_experiences_and_of_their_holdouts_are_independent() -> None:
    weights: Weights = {"a": 1, "b": 1}
    both = Counter(
        (lot(user, weights, "one"), lot(user, weights, "two"), held_out("one", user, 0.5)) for user in USERS
    )
    assert len(both) == 8
    assert all(abs(count / len(USERS) - 1 / 8) <= bound(1 / 8) for count in both.values())


_weights = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=2), st.floats(0.01, 1e6), min_size=1, max_size=6
)


@given(_weights, st.text(max_size=5))
def test_the_lot_hangs_on_nothing_but_the_words(weights: Weights, user: str) -> None:
    backwards = dict(reversed(weights.items()))
    assert lot(user, weights) == lot(user, backwards)


@given(_weights, st.text(max_size=5), st.floats(0.01, 1e6))
def test_a_variant_that_comes_or_goes_moves_nobody_between_the_others(
    weights: Weights, user: str, weight: float
) -> None:
    before = lot(user, weights)
    after = lot(user, {**weights, "new": weight})
    assert after in {before, "new"}


@given(_weights, st.text(max_size=5), st.floats(1, 100))
def test_a_larger_weight_only_draws_users_to_it(weights: Weights, user: str, times: float) -> None:
    grown = next(iter(weights))
    before, after = lot(user, weights), lot(user, {**weights, grown: weights[grown] * times})
    assert after in {before, grown}


@given(st.lists(st.text(max_size=3), max_size=3), st.lists(st.text(max_size=3), max_size=3))
def test_different_words_are_different_lots(one: list[str], other: list[str]) -> None:
    assert 0 < fraction(*one) < 1
    assert (fraction(*one) == fraction(*other)) == (one == other)


def test_a_lot_is_the_same_for_ever() -> None:
    # Recorded: another hash would draw anew for every user of every experiment that runs.
    assert fraction("draw", "hero", "a", "ann") == 0.5113367092986397
    assert "".join(lot(user, {"a": 1, "b": 1}) for user in USERS[:8]) == "bbaaabbb"

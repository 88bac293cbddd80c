"""BG/NBD against what it stands for: simulated buyers, and integrals over all rates and chances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.stats import beta, gamma

from segue.learned.buying import Buyers, Buying, _negative, fit_buying
from tests.learned.tables import histories

CDNOW = Buying(0.243, 4.414, 0.793, 2.426)
"""The published parameters of the CDNOW sample, in weeks."""


def one(*numbers: float) -> list[np.ndarray]:
    return [np.array([number]) for number in numbers]


def simulated(truth: Buying, people: int, weeks: float, seed: int) -> Buyers:
    repeats, last = histories(truth, people, weeks, seed)
    return Buyers.of(repeats, last, np.full(people, weeks))


def expected_by_bayes(buying: Buying, horizon: float, repeats: int, last: float, age: float) -> float:
    """The same by Bayes' rule over a fine grid of equally likely rates and chances of stopping."""
    shares = (np.arange(1_500) + 0.5) / 1_500
    rate = gamma.ppf(shares, buying.r, scale=1 / buying.alpha)[:, None]
    chance = beta.ppf(shares, buying.a, buying.b)[None, :]
    active = (1 - chance) ** repeats * rate**repeats * np.exp(-rate * age)
    gone = chance * (1 - chance) ** (repeats - 1) * rate**repeats * np.exp(-rate * last) if repeats else 0
    bought = (1 - np.exp(-rate * chance * horizon)) / chance
    return float((active * bought).sum() / (active + gone).sum())


def test_the_published_example_expects_1_226_purchases() -> None:
    assert CDNOW.expected(39, *one(2, 30.43, 38.86))[0] == pytest.approx(1.226, abs=5e-4)


@pytest.mark.parametrize(("repeats", "last", "age"), [(0, 0.0, 30.0), (2, 30.43, 38.86), (7, 20.0, 39.0)])
def test_expected_purchases_are_those_of_bayes_rule(repeats: int, last: float, age: float) -> None:
    smooth = Buying(1.4, 5.0, 1.7, 2.6)
    found = smooth.expected(26, *one(repeats, last, age))[0]
    assert found == pytest.approx(expected_by_bayes(smooth, 26, repeats, last, age), rel=2e-3)


@pytest.mark.parametrize("a", [1.0, 1.0 + 1e-9, 1.0 - 1e-5, 1.0 + 1e-5])
def test_the_pole_of_the_formula_is_none_of_the_model(a: float) -> None:
    beside = Buying(0.5, 5.0, a, 2.0).expected(10, *one(3, 8, 10))[0]
    below = Buying(0.5, 5.0, 0.99, 2.0).expected(10, *one(3, 8, 10))[0]
    above = Buying(0.5, 5.0, 1.01, 2.0).expected(10, *one(3, 8, 10))[0]
    assert above < beside < below


@pytest.mark.parametrize("a", [0.3, 2.0, 60.0, 99.0])
@pytest.mark.parametrize("b", [0.5, 30.0, 10_000.0])
@pytest.mark.parametrize("repeats", [0, 3, 500])
def test_both_ways_to_expect_agree(a: float, b: float, repeats: int) -> None:
    buying, buyer = Buying(0.6, 30.0, a, b), one(repeats, 200.0)
    assert buying._closed(90, *buyer) == pytest.approx(buying._integrated(90, *buyer), rel=0.02)


def test_where_all_stop_with_one_chance_expectations_are_finite() -> None:
    alike, buyer = Buying(0.42, 37.7, 35_588, 162_755), one(6, 150, 270)
    # Each purchase is the last with one chance: in a long time there are as many as its inverse.
    most = alike.alive(*buyer)[0] * (35_588 + 162_755) / 35_588
    assert alike.expected(30_000, *buyer)[0] == pytest.approx(most, rel=0.01)


def test_where_all_buy_at_one_rate_expectations_are_finite() -> None:
    alike = Buying(162_751, 1_522_812, 0.76, 2.34)
    found = alike.expected(30, *one(3, 27, 295))[0]
    # At most what is bought at that rate by those who never stop.
    assert 0 < found < 30 * 162_751 / 1_522_812 * alike.alive(*one(3, 27, 295))[0]


def test_very_busy_buyers_have_finite_expectations() -> None:
    found = CDNOW.expected(52, *one(5_000, 99.9, 100.0))[0]
    assert 1_000 < found < 5_000


def test_parameters_come_back_from_buyers_made_of_them() -> None:
    truth = Buying(0.6, 6.0, 0.8, 2.5)
    found = fit_buying(simulated(truth, 20_000, 52, seed=3))
    assert (found.r, found.alpha) == pytest.approx((truth.r, truth.alpha), rel=0.08)
    stops = (found.a / (found.a + found.b), truth.a / (truth.a + truth.b))
    assert stops[0] == pytest.approx(stops[1], abs=0.03)


def test_the_unit_of_time_changes_alpha_and_nothing_else() -> None:
    weeks = simulated(CDNOW, 2_000, 39, seed=5)
    days = Buyers(weeks.repeats, weeks.last * 7, weeks.age * 7, weeks.number)
    one_week, one_day = fit_buying(weeks), fit_buying(days)
    assert (one_day.r, one_day.alpha / 7, one_day.a, one_day.b) == pytest.approx(
        (one_week.r, one_week.alpha, one_week.a, one_week.b), rel=2e-3
    )


def test_equal_buyers_are_counted_once() -> None:
    buyers = Buyers.of(np.array([1.0, 0, 1]), np.array([2.0, 0, 2]), np.array([9.0, 9, 9]))
    assert buyers.number.tolist() == [1, 2]
    apart = Buyers(np.array([1.0, 0, 1]), np.array([2.0, 0, 2]), np.array([9.0, 9, 9]), np.ones(3))
    assert CDNOW.log_likelihood(buyers) == pytest.approx(CDNOW.log_likelihood(apart))


def test_without_a_second_purchase_there_is_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="second time"):
        fit_buying(Buyers.of(np.zeros(5), np.zeros(5), np.full(5, 9.0)))


@given(st.lists(st.floats(-2, 2), min_size=4, max_size=4))
def test_the_gradient_is_that_of_the_likelihood(logs: list[float]) -> None:
    buyers = Buyers.of(np.array([0.0, 1, 4, 9]), np.array([0.0, 3, 8, 9]), np.array([9.0, 9, 12, 10]))
    error = check_grad(
        lambda at: _negative(at, buyers)[0], lambda at: _negative(at, buyers)[1], np.array(logs)
    )
    assert error < 1e-4


@given(st.integers(0, 50), st.floats(0, 1), st.floats(0.1, 500), st.floats(0.1, 500))
def test_chances_are_chances_and_more_time_means_more_purchases(
    repeats: int, share: float, age: float, horizon: float
) -> None:
    buyer = one(repeats, share * age if repeats else 0.0, age)
    alive, again = CDNOW.alive(*buyer)[0], CDNOW.again(horizon, *buyer)[0]
    assert 0 <= again <= alive <= 1
    few, many = CDNOW.expected(horizon, *buyer)[0], CDNOW.expected(2 * horizon, *buyer)[0]
    assert -1e-9 <= few <= many + 1e-9
    if not repeats:
        assert alive == 1

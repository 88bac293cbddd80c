"""Gamma-Gamma: parameters come back, and who is known little is expected to spend what all do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad

from segue.learned.spending import Alike, Spending, _negative, fit_spending

TRUTH = Spending(6.25, 3.74, 15.44)


def simulated(people: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    repeats = random.integers(1, 8, people).astype(np.float64)
    rates = random.gamma(TRUTH.q, 1 / TRUTH.v, people)
    return repeats, random.gamma(TRUTH.p * repeats, 1 / (rates * repeats))


def test_parameters_come_back_from_amounts_made_of_them() -> None:
    found = fit_spending(*simulated(30_000, seed=2))
    assert isinstance(found, Spending)
    assert (found.p, found.q, found.v) == pytest.approx((TRUTH.p, TRUTH.q, TRUTH.v), rel=0.1)
    everybody = found.expected(np.zeros(1), np.zeros(1))[0]
    assert everybody == pytest.approx(TRUTH.p * TRUTH.v / (TRUTH.q - 1), rel=0.01)


def test_the_published_formula() -> None:
    whole = TRUTH.p * (TRUTH.v + 3 * 40.0) / (TRUTH.p * 3 + TRUTH.q - 1)
    assert TRUTH.expected(np.array([3.0]), np.array([40.0]))[0] == pytest.approx(whole)


@given(st.floats(1, 10_000), st.integers(1, 1_000))
def test_the_expected_amount_lies_between_ones_own_and_everybodys(mean: float, repeats: int) -> None:
    everybody = TRUTH.expected(np.zeros(1), np.zeros(1))[0]
    found = TRUTH.expected(np.array([float(repeats)]), np.array([mean]))[0]
    # Own means weigh more the more purchases they stand for, and nearly alone in the end.
    assert min(mean, everybody) - 1e-9 <= found <= max(mean, everybody) + 1e-9


def test_buyers_who_did_not_repeat_or_paid_nothing_are_left_out() -> None:
    repeats, mean = simulated(500, seed=4)
    padded = fit_spending(np.append(repeats, [0, 3]), np.append(mean, [0, 0]))
    assert padded == fit_spending(repeats, mean)


def test_who_always_pays_the_same_is_expected_to() -> None:
    found = fit_spending(np.array([1.0, 5, 2]), np.array([9.99, 9.99, 9.99]))
    assert found == Alike(9.99)
    assert found.expected(np.zeros(2), np.zeros(2)).tolist() == [9.99, 9.99]


def test_without_amounts_there_is_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="second purchase"):
        fit_spending(np.zeros(3), np.zeros(3))


def test_amounts_without_a_mean_are_refused() -> None:
    random = np.random.default_rng(1)
    with pytest.raises(ValueError, match="no bound"):
        fit_spending(np.ones(2_000), np.exp(np.abs(random.standard_cauchy(2_000)).clip(0, 200)))


@given(st.lists(st.floats(-1, 3), min_size=3, max_size=3))
def test_the_gradient_is_that_of_the_likelihood(logs: list[float]) -> None:
    repeats, mean = np.array([1.0, 4, 9]), np.array([12.0, 30, 7])
    error = check_grad(
        lambda at: _negative(at, repeats, mean)[0], lambda at: _negative(at, repeats, mean)[1], np.array(logs)
    )
    assert error < 1e-3

"""The rules that a model has to beat are found, not made easy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.learned.baselines import Rule, better, one_feature, past_rate, rfm_sum
from segue.learned.metrics import Doubles, auc


def shop(count: int = 2_000) -> tuple[Doubles, Doubles]:
    """(recency, frequency, money), and who buys again: lately and often is likely."""
    random = np.random.default_rng(3)
    frequency = random.geometric(0.3, count).astype(np.float64)
    recency = random.uniform(0, 300, count)
    money = frequency * random.gamma(2, 20, count)
    odds = 0.5 * np.log(frequency) - 0.01 * recency + 0.5
    labels = (random.random(count) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    return np.column_stack((recency, frequency, money)), labels


def test_the_best_bound_of_the_best_feature_is_found() -> None:
    values, labels = (
        np.array([[1.0, 9.0], [2.0, 1.0], [3.0, 9.0], [4.0, 1.0]]),
        np.array([0.0, 0.0, 1.0, 1.0]),
    )
    found = one_feature(("good", "bad"), values, labels, values)
    assert found is not None
    assert found.name.startswith("good >= 3") or found.name.startswith("good >= 2")
    assert auc(labels, found.ranking) == 1


def test_a_bound_may_be_an_upper_one_and_missing_fails_it() -> None:
    values = np.array([[1.0], [2.0], [8.0], [np.nan]])
    labels = np.array([1.0, 1.0, 0.0, 0.0])
    found = one_feature(("recency",), values, labels, values)
    assert found is not None
    assert "<=" in found.name
    assert found.ranking.tolist() == [1.0, 1.0, 0.0, 0.0]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5) | st.none()), min_size=1, max_size=40))
def test_no_bound_is_better_than_the_one_that_is_found(case: list[tuple[bool, int | None]]) -> None:
    """Against all rules of the feature, tried one by one."""
    labels = np.array([each for each, _ in case], np.float64)
    values = np.array([[np.nan if each is None else each] for _, each in case], np.float64)
    found = one_feature(("x",), values, labels, values)
    seen = np.unique(values[np.isfinite(values)])
    rules = [np.nan_to_num(values[:, 0], nan=-1) >= bound for bound in seen]
    rules += [np.nan_to_num(values[:, 0], nan=99) <= bound for bound in seen]
    tried = [auc(labels, rule.astype(np.float64)) for rule in rules]
    if 0 < labels.sum() < len(labels) and tried:
        assert found is not None
        assert auc(labels, found.ranking) == pytest.approx(max(tried))
    else:
        assert found is None


def test_features_that_say_nothing_give_no_rule() -> None:
    nothing = np.full((4, 1), np.nan)
    assert one_feature(("x",), nothing, np.array([0.0, 1.0, 0.0, 1.0]), nothing) is None


def test_the_sum_of_recency_frequency_and_money_ranks_well() -> None:
    values, labels = shop()
    rule = rfm_sum(values, labels, values, "auc")
    assert set(np.unique(rule.ranking)) <= set(range(3, 16))
    assert auc(labels, rule.ranking) > 0.65


def test_of_those_who_leave_the_sum_ranks_the_lowest_first() -> None:
    values, labels = shop()
    rule = rfm_sum(values, 1 - labels, values, "auc")
    assert "the lowest first" in rule.name
    assert auc(1 - labels, rule.ranking) > 0.65


def test_who_lacks_a_part_gets_its_lowest_grade() -> None:
    values, labels = shop(200)
    values[0] = np.nan
    assert rfm_sum(values, labels, values, "auc").ranking[0] == 3


def test_the_rate_so_far_goes_on_for_the_horizon() -> None:
    rule = past_rate(np.array([[100.0, 50.0], [np.nan, 10.0], [5.0, 0.0], [5.0, np.nan]]), 90)
    assert rule.ranking.tolist() == [180.0, 0.0, 0.0, 0.0]


def test_the_model_has_to_beat_the_better_rule() -> None:
    labels = np.array([0.0, 1.0, 0.0, 1.0])
    good, bad, none = Rule("good", labels), Rule("bad", -labels), Rule("none", np.zeros(4))
    assert better([bad, good, none], labels, "auc") is good
    assert better([none], np.ones(4), "auc") is none


@pytest.mark.parametrize("labels", [np.zeros(5), np.ones(5)])
def test_labels_that_are_all_alike_break_nothing(labels: Doubles) -> None:
    values = np.arange(5.0).reshape(-1, 1)
    assert one_feature(("x",), values, labels, values) is None

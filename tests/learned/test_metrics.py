"""The measures against scikit-learn's, and the verdicts that rest on them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as known

from segue.learned.gate import _WEIGHED, judge
from segue.learned.metrics import (
    METRICS,
    Doubles,
    auc,
    average_precision,
    brier,
    calibration,
    calibration_error,
    captured_at,
    mean_absolute_error,
    precision_at,
    ranks,
    spearman,
)

cases = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=60)


def arrays(case: list[tuple[bool, int]]) -> tuple[Doubles, Doubles]:
    labels, scores = zip(*case, strict=True)
    return np.array(labels, np.float64), np.array(scores, np.float64) / 6


@given(cases)
def test_ranking_measures_are_those_that_people_know(case: list[tuple[bool, int]]) -> None:
    labels, scores = arrays(case)
    if 0 < labels.sum() < len(labels):
        assert auc(labels, scores) == pytest.approx(known.roc_auc_score(labels, scores))
        assert average_precision(labels, scores) == pytest.approx(
            known.average_precision_score(labels, scores)
        )
    else:
        assert math.isnan(auc(labels, scores))


@given(cases)
def test_brier_is_that_of_the_library(case: list[tuple[bool, int]]) -> None:
    labels, scores = arrays(case)
    assert brier(labels, scores) == pytest.approx(float(np.square(scores - labels).mean()))


def test_equal_values_share_a_rank() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]
    assert ranks(np.zeros(0)).tolist() == []


def test_the_order_of_amounts() -> None:
    amounts = np.array([0.0, 5.0, 10.0, 400.0])
    assert spearman(amounts, np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(1)
    assert spearman(amounts, -amounts) == pytest.approx(-1)
    assert math.isnan(spearman(amounts, np.ones(4)))
    assert mean_absolute_error(amounts, amounts + 2) == 2


def test_the_highest_ranked() -> None:
    labels = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    scores = np.linspace(1, 0, 10)
    assert precision_at(labels, scores, 0.3) == pytest.approx(2 / 3)
    assert captured_at(labels * 10, scores, 0.3) == pytest.approx(2 / 3)
    assert math.isnan(captured_at(labels * 0, scores))


def test_chances_that_are_right_are_calibrated() -> None:
    random = np.random.default_rng(1)
    chances = random.random(20_000)
    labels = (random.random(20_000) < chances).astype(np.float64)
    assert calibration_error(labels, chances) < 0.02
    assert calibration_error(labels, chances / 2) > 0.2
    assert sum(count for _, _, count in calibration(labels, chances)) == 20_000


# ---- the gate --------------------------------------------------------------------------------


def people(count: int = 3_000) -> tuple[Doubles, Doubles, Doubles]:
    """(labels, what they hang on, noise)."""
    random = np.random.default_rng(7)
    cause, noise = random.normal(size=count), random.normal(size=count)
    return (random.random(count) < 1 / (1 + np.exp(-cause))).astype(np.float64), cause, noise


def test_what_is_better_beyond_chance_passes() -> None:
    labels, cause, noise = people()
    verdict = judge(labels, cause + 0.2 * noise, cause + 1.5 * noise)
    assert verdict.passed
    assert verdict.low < verdict.difference < verdict.high
    assert verdict.difference == pytest.approx(verdict.model - verdict.rule)
    assert "passed: AUC" in verdict.sentence()


def test_a_gain_within_chance_is_refused() -> None:
    labels, cause, noise = people()
    other = np.random.default_rng(8).normal(size=len(labels))
    verdict = judge(labels, cause + 0.80 * other, cause + 0.82 * noise)
    assert verdict.difference > 0
    assert verdict.low <= 0
    assert not verdict.passed
    assert "refused" in verdict.sentence()


def test_the_same_arrays_give_the_same_verdict() -> None:
    labels, cause, noise = people(500)
    assert judge(labels, cause, noise) == judge(labels, cause, noise)


def test_without_a_difference_nothing_is_judged() -> None:
    _, cause, noise = people(100)
    verdict = judge(np.ones(100), cause, noise)
    assert not verdict.passed
    assert "everybody is alike" in verdict.sentence()
    assert not judge(np.zeros(0), np.zeros(0), np.zeros(0)).passed


def test_who_has_no_score_is_left_out_and_who_has_no_rule_stands_last() -> None:
    labels, cause, _ = people(400)
    missing = cause.copy()
    missing[:100] = np.nan
    assert judge(labels, missing, cause).users == 300
    assert judge(labels, cause, missing).rule < judge(labels, cause, cause).rule


@pytest.mark.parametrize("metric", METRICS)
def test_a_draw_of_everybody_once_is_the_metric_itself(metric: str) -> None:
    """The weighed form of each metric, with every weight one, is the plain one."""
    labels, cause, noise = people(300)
    amounts = labels * np.abs(noise) * 10
    assert _WEIGHED[metric](amounts, cause)(np.ones(300)) == pytest.approx(METRICS[metric](amounts, cause))


@given(cases)
def test_weights_count_as_copies(case: list[tuple[bool, int]]) -> None:
    """A person of weight 3 counts as three people."""
    labels, scores = arrays(case)
    weights = np.arange(len(labels)) % 3
    copied = np.repeat(np.arange(len(labels)), weights)
    plain, weighed = (
        auc(labels[copied], scores[copied]),
        _WEIGHED["auc"](labels, scores)(weights.astype(np.float64)),
    )
    assert (math.isnan(plain) and math.isnan(weighed)) or weighed == pytest.approx(plain)

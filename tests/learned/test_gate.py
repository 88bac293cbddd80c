"""The gate: what a model has to beat, and by how much."""

from __future__ import annotations

import numpy as np
import pytest

from segue.learned.gate import judge

USERS = 2_000
LOTS = np.random.default_rng(7)
DID = (LOTS.random(USERS) < 0.3).astype(np.float64)
AMOUNTS = np.where(LOTS.random(USERS) < 0.6, 0.0, LOTS.exponential(80.0, USERS))
NOISE = LOTS.random(USERS)


@pytest.mark.parametrize("metric", ["auc", "spearman"])
def test_random_numbers_do_not_pass_because_the_rule_is_worse_than_chance(metric: str) -> None:
    labels = DID if metric == "auc" else AMOUNTS
    backwards = -labels + LOTS.normal(0, 1, USERS)
    found = judge(labels, NOISE, backwards, metric, "a rule the wrong way round")
    assert not found.passed
    assert found.rule == (0.5 if metric == "auc" else 0.0)
    assert found.rule_name == "chance, which a rule the wrong way round does not come up to"


def test_a_small_number_for_everybody_does_not_pass_because_the_rule_is_far_off() -> None:
    found = judge(AMOUNTS, NOISE, AMOUNTS + 100.0, "mae", "what was brought so far")
    assert not found.passed
    assert found.rule_name == "one amount for everybody, which what was brought so far does not come up to"
    assert -found.rule == pytest.approx(np.abs(AMOUNTS - np.median(AMOUNTS)).mean())


@pytest.mark.parametrize(("metric", "labels"), [("auc", DID), ("spearman", AMOUNTS), ("mae", AMOUNTS)])
def test_who_knows_more_than_a_rule_that_knows_something_passes(metric: str, labels: np.ndarray) -> None:
    scale = labels.std()
    model, rule = (labels + LOTS.normal(0, part * scale, USERS) for part in (0.2, 0.5))
    found = judge(labels, model, rule, metric, "a fair rule")
    assert found.passed
    assert found.rule_name == "a fair rule"
    assert not judge(labels, rule, model, metric).passed

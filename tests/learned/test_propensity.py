"""Chances: a line that is put right on a later slice, boosted trees only where they are better."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from segue.domain.errors import SegueError
from segue.learned.boosting import Boosted
from segue.learned.metrics import auc, calibration_error
from segue.learned.model import Learned
from segue.learned.models import KINDS
from segue.learned.models.propensity import LogisticModel, enough_to_boost, slices
from segue.learned.spec import Guards, ModelSpec
from segue.learned.table import Table
from tests.learned.tables import spec_of, table_of

KIND = KINDS["propensity"]
SPEC = spec_of("propensity")
BUSY = 20_200
"""Users, half of them at each cut-off: enough to boost."""


def crossed(count: int = BUSY) -> Table:
    """Labels that hang on two features together, which no line can say."""
    table = table_of("propensity", count)
    random = np.random.default_rng(2)
    values = random.normal(size=table.values.shape)
    odds = 3.0 * np.sign(values[:, 0] * values[:, 1])
    labels = (random.random(count) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    return replace(table, values=values, labels=labels, events=np.full(count, 20))


@pytest.fixture(scope="module")
def boosted() -> Learned:
    return KIND.learn(SPEC, crossed(), None)


def test_the_latest_cut_off_stands_aside() -> None:
    table = table_of("propensity")
    earlier, later = slices(table)
    assert later.cut_offs == (table.cut_offs[-1],)
    assert earlier.cut_offs == table.cut_offs[:-1]
    assert len(earlier) + len(later) == len(table)


def test_of_one_cut_off_other_users_stand_aside() -> None:
    table = table_of("propensity").at(table_of("propensity").cut_offs[0])
    earlier, later = slices(table)
    assert not set(earlier.rows) & set(later.rows)
    assert 0.1 < len(later) / len(table) < 0.3


def test_chances_are_calibrated_and_rank_as_the_truth_does() -> None:
    table = table_of("propensity", 8_000)
    model = KIND.learn(SPEC, table, None).model
    assert isinstance(model, LogisticModel)
    other = table_of("propensity", 8_000, seed=9)
    said = model.predict(other.values, other.rows.astype(np.int64))
    assert auc(other.labels, said) > 0.78
    assert calibration_error(other.labels, said) < 0.03


def test_boosting_wins_where_a_line_cannot_say_it(boosted: Learned) -> None:
    learned = boosted
    assert isinstance(learned.model, Boosted)
    assert any("passed" in note for note in learned.notes)
    again = KIND.read(json.loads(json.dumps(learned.model.document())))
    table = table_of("propensity", 300, seed=4)
    rows = table.rows.astype(np.int64)
    np.testing.assert_array_equal(
        again.predict(table.values, rows), learned.model.predict(table.values, rows)
    )


def test_drivers_of_trees_sum_to_the_score_and_missing_is_missing(boosted: Learned) -> None:
    model = boosted.model
    table = table_of("propensity", 200, seed=4)
    values = np.nan_to_num(table.values)
    values[0, 0] = np.nan
    rows = table.rows.astype(np.int64)
    said, drivers = model.predict(values, rows), model.explain(values, rows)
    total = drivers.base + drivers.contributions.sum(axis=1)
    assert np.isnan(said[0])
    assert np.isnan(total[0])
    np.testing.assert_allclose(total[1:], np.log(said[1:] / (1 - said[1:])), atol=1e-6)


def test_boosting_is_not_tried_on_few_users_or_few_events() -> None:
    few, busy = table_of("propensity", 9_000), table_of("propensity", BUSY)
    assert not enough_to_boost(SPEC, few)
    assert enough_to_boost(SPEC, busy)
    assert not enough_to_boost(SPEC, replace(busy, events=np.full(len(busy), 9)))
    lowered = replace(SPEC, guards=Guards(100, reason="They are like ours.", boosting_min=8_000))
    assert enough_to_boost(lowered, few)


def test_a_line_stays_where_boosting_is_no_better() -> None:
    table = table_of("propensity", BUSY)
    odds = 1.5 * np.log1p(table.values[:, 0]) - 2
    drawn = np.random.default_rng(6).random(BUSY) < 1 / (1 + np.exp(-odds))
    learned = KIND.learn(SPEC, table.labelled(drawn.astype(np.float64)), None)
    assert isinstance(learned.model, LogisticModel)
    assert any("refused" in note for note in learned.notes)


@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_a_target_without_a_difference_is_refused(constant: float) -> None:
    table = table_of("propensity")
    with pytest.raises(SegueError, match="E863"):
        KIND.learn(SPEC, table.labelled(np.full(len(table), constant)), None)


def test_a_feature_that_nobody_has_says_nothing_and_stops_nothing() -> None:
    table = table_of("propensity")
    values = table.values.copy()
    values[:, 3] = np.nan
    model = KIND.learn(SPEC, replace(table, values=values), None).model
    said = model.predict(values, table.rows.astype(np.int64))
    assert np.isfinite(said).all()
    assert np.abs(model.explain(values, table.rows.astype(np.int64)).contributions[:, 3]).max() == 0


def test_text_that_is_no_tree_is_refused(boosted: Learned) -> None:
    document = boosted.model.document()
    broken = KIND.read({**document, "lightgbm": "tree\nversion=v4\n"})
    with pytest.raises(SegueError, match="E865"):
        broken.predict(np.zeros((1, 5)), np.zeros(1, np.int64))
    with pytest.raises(SegueError, match="E865"):
        KIND.read({**document, "lightgbm": "import os"})


def test_churn_is_a_propensity_of_its_own_name() -> None:
    kind = KINDS["churn"]
    spec: ModelSpec = replace(SPEC, kind="churn")
    assert type(kind.learn(spec, table_of("propensity"), None).model) is LogisticModel
    assert kind.word == "churn"

"""Likeness to examples: nobody is scored by what saw them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from segue.domain.errors import SegueError
from segue.learned.bagging import FOLDS, folds_of
from segue.learned.metrics import auc
from segue.learned.models.lookalike import Lookalike, LookalikeModel
from segue.learned.table import Table
from tests.learned.tables import spec_of, table_of

SPEC = spec_of("lookalike")


def learned(table: Table) -> LookalikeModel:
    model = Lookalike().learn(SPEC, table, None).model
    assert isinstance(model, LookalikeModel)
    return model


def test_folds_are_nearly_as_large_and_stay_when_profiles_come() -> None:
    few, many = folds_of(np.arange(1_000)), folds_of(np.arange(100_000))
    assert np.array_equal(few, many[:1_000])
    shares = np.bincount(many, minlength=FOLDS) / len(many)
    assert shares == pytest.approx(np.full(FOLDS, 1 / FOLDS), abs=0.01)


def test_what_a_profile_is_like_changes_nothing_about_the_line_that_scores_it() -> None:
    table = table_of("lookalike")
    own = int(folds_of(table.rows[:1].astype(np.int64))[0])
    turned = table.labels.copy()
    turned[0] = 1 - turned[0]
    before, after = learned(table), learned(replace(table, labels=turned))
    for fold in range(FOLDS):
        same = np.array_equal(before.lines.weights[fold], after.lines.weights[fold])
        assert same is (fold == own)


def test_hidden_examples_are_found_among_the_others() -> None:
    table = table_of("lookalike", 3_000)
    seen = table.labels * (np.random.default_rng(77).random(len(table)) < 0.3)
    found = Lookalike().learn(SPEC, replace(table, labels=seen), None)
    hidden = seen == 0
    said = found.model.predict(table.values, table.rows.astype(np.int64))
    assert auc(table.labels[hidden], said[hidden]) > 0.75


def test_what_it_is_judged_by_is_what_it_serves() -> None:
    table = table_of("lookalike")
    found = Lookalike().learn(SPEC, table, None)
    assert found.hold_out is not None
    served = found.model.predict(table.values, table.rows.astype(np.int64))
    assert np.array_equal(found.hold_out.predictions, served)
    assert np.array_equal(found.hold_out.labels, table.labels)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_without_examples_or_without_others_there_is_no_likeness(label: float) -> None:
    table = table_of("lookalike", 100)
    with pytest.raises(SegueError, match="E872"):
        learned(replace(table, labels=np.full(100, label)))


def test_people_without_a_point_do_not_teach() -> None:
    table = table_of("lookalike", 600)
    values = table.values.copy()
    values[:10, 0] = np.nan
    model = learned(replace(table, values=values))
    # Some lacked the feature: whoever does is marked, and still has a score.
    assert np.isfinite(model.predict(values, table.rows.astype(np.int64))).all()

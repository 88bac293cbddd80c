"""Signs of a leak are told, and habits are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from segue.learned.leaks import warnings
from segue.learned.table import Table
from tests.learned.tables import table_of


def with_feature(table: Table, column: np.ndarray) -> Table:
    values = table.values.copy()
    values[:, 3] = column
    return replace(table, values=values)


def test_habits_are_no_leak() -> None:
    table = table_of("propensity")
    assert warnings(table, table.values) == []


def test_a_feature_that_says_it_all_is_named() -> None:
    table = table_of("propensity")
    noise = np.random.default_rng(1).normal(0, 0.3, len(table))
    for sign in (1.0, -1.0):
        told = with_feature(table, sign * table.labels + noise)
        (warning,) = warnings(told, told.values)
        assert warning.startswith("age alone ranks with AUC 0.9")


def test_a_feature_that_comes_later_is_named() -> None:
    table = with_feature(table_of("propensity"), np.full(1_200, np.nan))
    now = table.values.copy()
    now[: len(now) // 3, 3] = 1.0
    (warning,) = warnings(table, now)
    assert "known of 0% at the cut-offs and of 33% of the same users now" in warning


def test_a_feature_that_stays_rare_is_none() -> None:
    rare = np.full(1_200, np.nan)
    rare[:40] = 1.0
    table = with_feature(table_of("propensity"), rare)
    assert warnings(table, table.values) == []


def test_nobody_is_no_reason_to_warn() -> None:
    table = table_of("propensity").taken(np.zeros(1_200, np.bool_))
    assert warnings(table, table.values) == []

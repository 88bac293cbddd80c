"""Scaled points: one spread for all, and nothing guessed about who lacks what nobody lacked."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segue.domain.errors import SegueError
from segue.learned.scaling import Scaling, signed_log, signed_power

numbers = st.floats(-1e9, 1e9) | st.just(np.nan)
VALUES = np.array([[1.0, 10.0, 5.0], [3.0, np.nan, 5.0], [8.0, 30.0, 5.0], [0.0, 90.0, 5.0]])


def test_columns_have_one_spread_and_those_that_are_alike_none() -> None:
    points = Scaling.of(VALUES).points(VALUES)
    assert points[:, 0].mean() == pytest.approx(0)
    assert points[:, 0].std() == pytest.approx(1)
    assert points[:, 2].tolist() == [0, 0, 0, 0]


def test_who_lacks_what_some_lacked_stands_in_the_middle_and_is_marked() -> None:
    points = Scaling.of(VALUES).points(VALUES)
    assert points[1, 1] == 0
    assert points[:, 3].tolist() == [-0.25, 0.75, -0.25, -0.25]


def test_who_lacks_what_nobody_lacked_has_no_point() -> None:
    points = Scaling.of(VALUES).points(np.array([[np.nan, 1, 1], [1.0, np.nan, 1], [1, 1, np.inf]]))
    assert np.isnan(points).all(axis=1).tolist() == [True, False, True]


def test_the_middle_of_a_group_is_that_of_those_who_have_the_feature() -> None:
    scaling = Scaling.of(VALUES)
    half = scaling.points(VALUES)[:2].mean(axis=0)
    assert scaling.values(half)[1] == pytest.approx(10)
    assert np.isnan(scaling.values(scaling.points(VALUES)[1]))[1]


def test_contributions_of_a_mark_are_those_of_its_feature() -> None:
    scaling = Scaling.of(VALUES)
    assert scaling.owners.tolist() == [0, 1, 2, 1]
    assert scaling.gathered(np.array([[1.0, 2, 3, 40]])).tolist() == [[1, 42, 3]]


@given(arrays(np.float64, (5, 3), elements=numbers))
def test_it_is_the_same_after_a_trip_through_json(values: np.ndarray) -> None:
    scaling = Scaling.of(values)
    again = Scaling.read(json.loads(json.dumps(scaling.document())), 3)
    assert np.array_equal(again.points(values), scaling.points(values), equal_nan=True)


@given(arrays(np.float64, (3, 2), elements=numbers))
def test_logarithms_can_be_taken_back(values: np.ndarray) -> None:
    back = signed_power(signed_log(values))
    assert back == pytest.approx(values, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("key", "value"),
    [("means", [1, 2]), ("spreads", [1, 0, 1]), ("absent", [0, 2, 0]), ("means", ["a", 1, 1])],
)
def test_a_damaged_document_is_refused(key: str, value: object) -> None:
    document = {**Scaling.of(VALUES).document(), key: value}
    with pytest.raises(SegueError, match="E865"):
        Scaling.read(document, 3)

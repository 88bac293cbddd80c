"""How far columns moved: laws of the stability index and of shares, and figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.learned.drift import MOVED, STABLE, WATCHED, Parts, level, shares, shift, stability

counts = st.lists(st.integers(0, 1_000), min_size=2, max_size=12)
numbers = st.lists(
    st.one_of(st.floats(-1e6, 1e6), st.just(math.nan), st.sampled_from((0.0, 1.0))), min_size=1, max_size=60
)


def test_by_hand() -> None:
    expected = (0.6 - 0.5) * math.log(0.6 / 0.5) + (0.4 - 0.5) * math.log(0.4 / 0.5)
    assert stability([50, 50], [600, 400]) == pytest.approx(expected)
    assert shift({"a": 0.5, "b": 0.5}, {"a": 0.6, "c": 0.4}) == pytest.approx(0.5)


@given(counts, st.integers(1, 9))
def test_what_did_not_move_has_no_index_at_any_size(then: list[int], times: int) -> None:
    assert stability(then, [each * times for each in then]) == pytest.approx(0.0, abs=1e-12)


@given(st.data())
def test_an_index_is_never_negative_and_has_no_side(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 10))
    one, other = (data.draw(st.lists(st.integers(0, 99), min_size=size, max_size=size)) for _ in range(2))
    assert stability(one, other) >= 0
    assert stability(one, other) == pytest.approx(stability(other, one))


@given(numbers)
def test_parts_hold_every_value_once(values: list[float]) -> None:
    column = np.array(values)
    parts = Parts.of(column)
    assert sum(parts.counts) == len(values)
    assert parts.counts[-1] == int(np.isnan(column).sum())
    assert len(parts.counts) == len(parts.edges) + 2
    assert parts.counted(column) == parts
    assert Parts.of_json(parts.to_json()) == parts


@given(numbers, numbers)
def test_other_values_fall_into_the_same_parts(then: list[float], now: list[float]) -> None:
    parts = Parts.of(np.array(then))
    again = parts.counted(np.array(now))
    assert again.edges == parts.edges
    assert sum(again.counts) == len(now)
    above = int((np.array(now) >= parts.edges[-1]).sum()) if parts.edges else None
    assert above is None or again.counts[-2] == above


def test_an_even_column_has_ten_even_parts() -> None:
    assert Parts.of(np.arange(1_000, dtype=np.float64)).counts == (*[100] * 10, 0)


def test_a_level_comes_down_later_than_it_went_up() -> None:
    assert [level(index) for index in (0.05, 0.15, 0.3)] == [STABLE, WATCHED, MOVED]
    assert level(0.22, MOVED) == MOVED
    assert level(0.15, MOVED) == WATCHED
    assert level(0.09, WATCHED) == WATCHED
    assert level(0.07, WATCHED) == STABLE
    assert level(0.09) == STABLE


def test_shares_of_nobody_are_none() -> None:
    assert shares({"a": 0, "b": 0}) == {"a": 0.0, "b": 0.0}
    assert stability([0, 0], [1, 1]) == 0.0

"""The interval of a lift is that of the literature, and it holds what it says."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.experiences.lift import Group, lift


def test_the_published_example() -> None:
    """Koopman's: 36 of 40 against 16 of 80 has a ratio of 4.5, from 2.94 to 7.15."""
    found = lift(Group(40, 36), Group(80, 16))
    assert found is not None
    assert found.high is not None
    assert found.value == pytest.approx(3.5)
    assert (round(found.low + 1, 2), round(found.high + 1, 2)) == (2.94, 7.15)


@pytest.mark.parametrize(
    ("treated", "control", "value", "low", "high"),
    [
        (Group(10, 0), Group(10, 0), None, -1.0, None),
        (Group(10, 0), Group(10, 5), -1.0, -1.0, -0.387),
        (Group(10, 5), Group(10, 0), None, 0.632, None),
        (Group(10, 10), Group(10, 10), 0.0, -0.278, 0.384),
    ],
)
def test_at_the_edges(
    treated: Group, control: Group, value: float | None, low: float, high: float | None
) -> None:
    found = lift(treated, control)
    assert found is not None
    assert (found.value, round(found.low, 3), found.high and round(found.high, 3)) == (value, low, high)


def test_nobody_is_not_compared() -> None:
    assert lift(Group(0, 0), Group(10, 5)) is None
    assert lift(Group(10, 5), Group(0, 0)) is None


@st.composite
def groups(draw: st.DrawFn) -> Group:
    users = draw(st.integers(1, 5_000))
    return Group(users, draw(st.integers(0, users)))


@given(groups(), groups())
def test_the_interval_holds_the_value_and_turns_with_the_sides(one: Group, other: Group) -> None:
    found, back = lift(one, other), lift(other, one)
    assert found is not None
    assert back is not None
    high = float("inf") if found.high is None else found.high
    assert -1 <= found.low <= high
    if found.value is not None:
        assert found.low <= found.value + 1e-9
        assert found.value <= high + 1e-9
    if one.converted and other.converted:
        assert back.high is not None
        assert (found.low + 1) * (back.high + 1) == pytest.approx(1, rel=1e-6)


@given(groups(), groups(), st.integers(2, 20))
def test_more_of_the_same_is_surer(one: Group, other: Group, times: int) -> None:
    few = lift(one, other)
    many = lift(
        Group(one.users * times, one.converted * times), Group(other.users * times, other.converted * times)
    )
    assert few is not None
    assert many is not None
    assert few.low <= many.low + 1e-9
    assert few.high is None or (many.high is not None and many.high <= few.high + 1e-9)


@pytest.mark.parametrize(("rate", "ratio"), [(0.02, 1.0), (0.1, 1.5), (0.3, 0.7)])
def test_it_holds_the_truth_in_95_of_100_experiments(rate: float, ratio: float) -> None:
    lots = random.Random(7)
    held = 0
    experiments = 400
    for _ in range(experiments):
        treated = Group(400, sum(lots.random() < rate * ratio for _ in range(400)))
        control = Group(200, sum(lots.random() < rate for _ in range(200)))
        found = lift(treated, control)
        assert found is not None
        held += found.low <= ratio - 1 and (found.high is None or ratio - 1 <= found.high)
    assert 0.92 <= held / experiments <= 0.985

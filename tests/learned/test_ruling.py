"""A rule of a group says what its tree says, in a condition that holds for the very same people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segue.domain.errors import SegueError
from segue.domain.event import Event
from segue.domain.time import DAY, format_instant
from segue.language.checker import check_condition, check_operand
from segue.language.formatter import format_condition
from segue.language.interpret import Person, Rules, holds
from segue.language.scope import Scope
from segue.learned.ruling import Rule, rule_of
from segue.learned.spec import FeatureSpec

NOW = 2_000 * DAY
TEXTS = ("trait.a", "since(trait.b)", "until(trait.c)", "trait.d / 2", "trait.e == true")
cells = st.sampled_from([np.nan, 0.0, 1.0, 2.5, 3.0, -7.25, 40.125, 1e6])
moments = st.sampled_from([np.nan, 0.25, 3.0, 14.0, 15.0, 400.0])


def feature(number: int, text: str) -> FeatureSpec:
    try:
        return FeatureSpec(f"f{number}", text, check_operand(text, Scope()))
    except SegueError:
        return FeatureSpec(f"f{number}", text, check_condition(text, Scope()))


FEATURES = [feature(number, text) for number, text in enumerate(TEXTS)]


def person(row: list[float]) -> Person:
    """Somebody whose traits give these values."""
    a, b, c, d, e = (None if np.isnan(value) else value for value in row)
    traits = {
        "a": a,
        "b": None if b is None else format_instant(NOW - round(b * DAY)),
        "c": None if c is None else format_instant(NOW + round(c * DAY)),
        "d": None if d is None else d * 2,
        "e": bool(e),
    }
    event = Event(1, 0, "identify", None, timestamp=0, received_at=0, traits=traits)
    return Person((event,))


def holding(rule: Rule, values: np.ndarray) -> list[bool]:
    condition = check_condition(rule.text, Scope())
    return [holds(condition, person(row), NOW, Rules()) for row in values.tolist()]


tables = st.integers(4, 30).flatmap(
    lambda count: st.tuples(
        arrays(np.float64, (count, 1), elements=cells),
        arrays(np.float64, (count, 1), elements=moments),
        arrays(np.float64, (count, 1), elements=moments | st.just(-3.5)),
        arrays(np.float64, (count, 1), elements=cells),
        arrays(np.float64, (count, 1), elements=st.sampled_from([0.0, 1.0])),
        arrays(np.bool_, count),
    )
)


@given(tables)
def test_the_rule_holds_for_as_many_as_it_says_and_as_well(table: tuple[np.ndarray, ...]) -> None:
    *columns, inside = table
    values = np.concatenate(columns, axis=1)
    if not inside.any():
        return
    rule = rule_of(FEATURES, values, inside)
    if rule is None:
        return
    held = np.array(holding(rule, values))
    assert int(held.sum()) == rule.members
    assert rule.precision == pytest.approx(inside[held].mean())
    assert rule.recall == pytest.approx(held[inside].mean())
    assert format_condition(rule.text) == rule.text


def rule_for(text: str, inside: list[float], outside: list[float]) -> str:
    values = np.array([*inside, *outside] * 30)[:, None]
    rule = rule_of([feature(0, text)], values, np.array(([True] * len(inside) + [False] * len(outside)) * 30))
    assert rule is not None
    assert (rule.precision, rule.recall) == (1, 1)
    return rule.text


def test_bounds_are_the_roundest_that_will_do() -> None:
    assert rule_for('count("Order")', [12, 40], [3, 11]) == 'count("Order") > 11'
    assert rule_for('sum("Order".revenue)', [803.1, 950], [3, 411.7]) == 'sum("Order".revenue) > 500'
    assert rule_for('sum("Order".revenue)', [0.000_002], [0.000_001]) == 'sum("Order".revenue) > 0.000001'
    assert rule_for('since(last("Order"))', [0.5, 3], [11, 29]) == 'since(last("Order")) <= 1w'
    assert rule_for('last("Order")', [31, 50], [2, 29.5]) == 'since(last("Order")) > 30d'
    assert rule_for("until(trait.end)", [-20, -9], [-3, 4]) == "since(trait.end) >= 1w"


def test_missing_is_said_as_missing() -> None:
    assert rule_for("trait.age", [np.nan], [3, 50]) == "trait.age is missing"
    assert rule_for('since(last("Order"))', [np.nan], [3, 50]) == 'last("Order") is missing'
    assert rule_for('since(last("Order"))', [3, 50], [np.nan]) == 'last("Order") is present'
    assert rule_for("trait.age", [np.nan, 3], [50]) == "not trait.age > 10"


def test_truths_are_said_as_they_are_or_denied() -> None:
    assert rule_for('segment("vip")', [1], [0]) == 'segment("vip")'
    assert rule_for('segment("vip") or trait.a == 1', [0], [1]) == 'not (segment("vip") or trait.a == 1)'


def test_what_nothing_tells_apart_has_no_rule() -> None:
    values = np.ones((40, 1))
    assert rule_of([feature(0, "trait.a")], values, np.arange(40) % 2 == 0) is None

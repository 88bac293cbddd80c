"""Targets written out for a moment mean what they say: the events after it, up to their horizon.

      moment            moment + D                        now
────────┼───────────────────┼──────────────────────────────┼──►
     a  b   c               d   e                    all is known
     out out in             in  out
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from segue.domain.event import Event
from segue.domain.number import MICRO
from segue.domain.time import DAY, HOUR
from segue.language import tree
from segue.language.ahead import condition_ahead, horizons, operand_ahead
from segue.language.interpret import Person, Rules, holds, value
from segue.language.scope import Scope
from segue.language.target import check_target

D = 2 * DAY
NOW = 1_000 * DAY
MOMENT = NOW - 20 * DAY


def order(seq: int, at: int, revenue: float = 1.0) -> Event:
    return Event(
        seq=seq, row=0, type="track", name="Order", timestamp=at, received_at=at, message_id=f"m{seq}",
        properties={"revenue": revenue},
    )  # fmt: skip


def person(*moments: int) -> Person:
    return Person(tuple(order(seq, at) for seq, at in enumerate(moments)))


def target(text: str) -> tree.Condition:
    found = check_target(text, Scope())
    assert isinstance(found, tree.Condition)
    return found


def true_of(text: str, *moments: int) -> bool:
    return holds(condition_ahead(target(text), MOMENT), person(*moments), NOW, Rules())


def test_both_ends_of_the_window() -> None:
    bought = 'count("Order", next 2d) > 0'
    assert not true_of(bought, MOMENT - 1)
    assert not true_of(bought, MOMENT)
    assert true_of(bought, MOMENT + 1)
    assert true_of(bought, MOMENT + D)
    assert not true_of(bought, MOMENT + D + 1)


def test_every_form_of_a_target_is_written_out() -> None:
    inside, before = MOMENT + HOUR, MOMENT - HOUR
    for text in (
        'not (count("Order", next 2d) == 0)',
        'count("Order", next 2d) in [1, 2]',
        'last("Order", next 2d) is present',
        'latest("Order".revenue, next 2d) is present',
        '2 * sum("Order".revenue, next 2d) >= 2',
        'days("Order", next 2d) == 1 or sessions(next 2d) > 7',
    ):
        assert true_of(text, inside), text
        assert not true_of(text, before), text
        assert horizons(target(text)) == {D}


def test_a_sequence_is_one_that_completes_ahead() -> None:
    text = 'sequence("Order" then "Order", within 1d, next 2d) > 0'
    assert true_of(text, MOMENT - HOUR, MOMENT + HOUR)
    assert not true_of(text, MOMENT - HOUR, MOMENT)
    assert not true_of(text, MOMENT + HOUR)


@given(st.lists(st.tuples(st.integers(-3 * DAY, 4 * DAY), st.integers(0, 50)), max_size=12))
def test_counts_and_sums_are_those_of_a_plain_loop(orders: list[tuple[int, int]]) -> None:
    events = tuple(order(seq, MOMENT + after, amount) for seq, (after, amount) in enumerate(orders))
    inside = [amount for after, amount in orders if 0 < after <= D]
    for text, expected in (
        ('count("Order", next 2d)', len(inside)),
        ('sum("Order".revenue, next 2d)', sum(inside)),
    ):
        found = check_target(text, Scope())
        assert not isinstance(found, tree.Condition)
        ahead = operand_ahead(found, MOMENT)
        assert value(ahead, Person(events), NOW, Rules()) == expected * MICRO

"""What is seen of two audiences is certain: nobody drawn by lot is where it says that nobody is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from segue.language import tree
from segue.language.checker import check_condition
from segue.language.interpret import Person, Rules, holds
from segue.language.interpret.changes import World
from segue.language.scope import Scope
from segue.segments.definitions import SegmentDefinition
from segue.segments.experiences.overlap import excludes, implies, settled
from tests.strategies.conditions import conditions
from tests.strategies.histories import History, histories
from tests.strategies.resolver import resolve


def segment(name: str, exclusive: str | None = None, status: str = "active") -> SegmentDefinition:
    return SegmentDefinition(name, "o", "d", "true", exclusive=exclusive, status=status)


KNOWN = {
    each.name: each
    for each in (segment("one", "group"), segment("two", "group"), segment("free"),
                 segment("gone", status="archived"), segment("other", "elsewhere"))
}  # fmt: skip
SCOPE = Scope(segments=KNOWN.keys(), lists={"press"}, request=True)


def read(text: str) -> tree.Condition:
    return settled(check_condition(text, SCOPE), KNOWN)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('segment("one")', 'segment("two")'),
        ('segment("one") and count("X") > 1', 'list("press") and segment("two")'),
        ('segment("gone")', "true"),
        ('segment("free")', 'not segment("free")'),
        ('segment("free") and list("press")', 'not (segment("free") and list("press"))'),
        ('segment("free") and list("press") and count("X") > 1', 'not (segment("free") and list("press"))'),
        ('count("X") > 5', 'count("X") <= 5'),
        ('count("X") > 5', '5 >= count("X")'),
        ('count("X") in [1, 2]', 'count("X") > 2'),
        ('count("X") in [1, 2]', 'count("X") in [3, 4]'),
        ('trait.plan == "pro"', 'trait.plan == "free"'),
        ('trait.plan == "pro"', 'trait.plan in ["free", "trial"]'),
        ('trait.plan == "pro"', 'trait.plan != "pro"'),
        ('trait.plan in ["a", "b"]', 'trait.plan not in ["b", "a"]'),
        ("trait.plan is missing", 'trait.plan == "pro"'),
        ("trait.plan is missing", "trait.plan is present"),
        ("trait.plan is missing", 'trait.plan contains "p"'),
        ('since(last("X")) > 14d', 'since(last("X")) <= 14d'),
        ("trait.vip == true", "trait.vip == false"),
        ('request.device == "a"', 'request.device == "b"'),
        ("trait.n < 1", "trait.n > 1 or trait.n == 1"),
        ('avg("X".n) > 1', 'avg("X".n) < 1'),
    ],
)
def test_seen_to_exclude_each_other(one: str, other: str) -> None:
    assert excludes(read(one), read(other), KNOWN)
    assert excludes(read(other), read(one), KNOWN)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('segment("one")', 'segment("one")'),
        ('segment("one")', 'segment("free")'),
        ('segment("one")', 'segment("other")'),
        ('count("X") > 5', 'count("X") >= 6'),
        ('count("X") > 5', 'count("X", last 7d) <= 5'),
        ('trait.plan == "5"', "trait.plan == 5"),
        ('trait.plan != "a"', 'trait.plan != "b"'),
        ("trait.plan is missing", 'trait.plan != "a"'),
        ("trait.plan is missing", 'trait.plan not in ["a"]'),
        ("trait.n >= 1", "trait.n <= 1"),
        ('avg("X".n) > 1', 'avg("X".n) < 1.000001'),
        ('trait.plan in ["a", 5]', 'trait.plan == "b"'),
        ("true", "true"),
    ],
)
def test_not_seen_to(one: str, other: str) -> None:
    assert not excludes(read(one), read(other), KNOWN)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('segment("free") and list("press")', 'segment("free")'),
        ('segment("free")', 'segment("free") or list("press")'),
        ('not (segment("free") or list("press"))', 'not segment("free")'),
        ("false", 'segment("one")'),
        ('segment("one")', "true"),
        ('list("press") and segment("free")', 'segment("free") and list("press")'),
    ],
)
def test_seen_to_imply(one: str, other: str) -> None:
    assert implies(read(one), read(other))
    assert not implies(read('count("X") > 0'), read(one)) or one == other


@given(st.data())
@settings(max_examples=300)
def test_what_is_seen_is_so(data: st.DataObject) -> None:
    rules = Rules()
    drawn = conditions(rules.zone, ("one", "two", "free"), leaves_max=3)
    first = data.draw(drawn)
    second = data.draw(
        st.one_of(drawn, st.sampled_from(_near(first)), drawn.map(lambda c: tree.And((first, c))))
    )
    one, other = settled(first, KNOWN), settled(second, KNOWN)
    found = (implies(one, other), excludes(one, other, KNOWN))
    event(f"implies, excludes: {found}")
    people, now = everyone(data.draw(histories(overrides=False)), rules)
    for person in people:
        held = data.draw(st.sampled_from((frozenset(), {"one"}, {"two"}, {"free"}, {"one", "free"})))
        someone = person.answering(held.__contains__)
        a, b = (holds(each, someone, now, rules) for each in (first, second))
        assert not (found[0] and a and not b)
        assert not (found[1] and a and b)


def everyone(history: History, rules: Rules) -> tuple[list[Person], int]:
    """All whom a history knows, with the moment at which it ends."""
    world = World((), rules)
    for step in resolve(history)[1]:
        world.take(step)
    return [world.person(row) for row in world.events], world.now


def _near(condition: tree.Condition) -> list[tree.Condition]:
    """Conditions that have something to do with one."""
    found: list[tree.Condition] = [tree.Not(condition), condition]
    match condition:
        case tree.Compare():
            found += [replace(condition, op=op) for op in ("==", "!=", "<", ">", "<=", ">=")]
        case tree.In():
            found.append(replace(condition, negated=not condition.negated))
        case tree.And() | tree.Or():
            found += [*condition.parts, tree.Not(condition.parts[0])]
    return found

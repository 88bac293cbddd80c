"""Explanations of one person, told as stories: what counted, what holds, when it turns, what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from segue.analysis.clauses import Clause
from segue.domain.change import Cause, Change
from segue.domain.limits import EXPLAINED_EVENTS_MAX
from segue.domain.time import DAY, MINUTE
from segue.language.interpret import Noted
from tests.analysis.timelines import Line, asked, at, segment, wanted


def shop() -> Line:
    """Day 0 to 5 of a customer."""
    return (
        Line()
        .told(0, plan="free", age="old", trial_started="2026-11-01", tags=["a", "b"])
        .did(0.5, "Product Viewed", category="shoes")
        .did(1, "Order Completed", revenue=300.5, currency="EUR")
        .did(3, "Order Completed", revenue="79", currency="EUR")
        .did(4, "Order Completed", revenue="much", currency="EUR")
        .joined(4.2, "acme", industry="Finance")
        .did(5, "Product Added", sku="a")
    )


def observed(clause: Clause) -> tuple[str, list[str]]:
    """The value of a leaf and the ids of the events that counted."""
    (seen,) = clause.observed
    return seen.value.text, [event.message_id for event in seen.events]


@pytest.mark.parametrize(
    ("when", "value", "counted"),
    [
        ('count("Order Completed", last 30d) >= 2', "3", ["m5", "m4", "m3"]),
        ('days("Order Completed", last 4d) >= 3', "2", ["m5", "m4"]),
        ('sum("Order Completed".revenue) > 500', "379.5", ["m5", "m4", "m3"]),
        ('avg("Order Completed".revenue) > 500', "189.75", ["m5", "m4", "m3"]),
        ('max("Order Completed".revenue) > 500', "300.5", ["m5", "m4", "m3"]),
        ('distinct("Product Viewed".category) >= 4', "1", ["m2"]),
        ('since(last("Order Completed")) > 14d', "2d", []),
        ('last("Order Completed") > 2026-11-10', "2026-11-05T00:00:00.000Z", ["m5"]),
        ('first("Order Completed") > 2026-11-10', "2026-11-02T00:00:00.000Z", ["m3"]),
        ('latest("Product Viewed".category) == "hats"', '"shoes"', ["m2"]),
        ('count("Product Added", since last("Order Completed")) == 0', "1", ["m7"]),
        ('sequence("Product Viewed" then "Product Added", within 5d) > 3', "1", ["m7"]),
        ("sessions(last 2d) >= 9", "2", ["m7", "m6"]),
        ('count("Product Added", this session) > 1', "0", []),
        ('trait.plan == "pro"', '"free"', ["m1"]),
        ("trait.age > 5", "missing", ["m1"]),
        ("trait.name is present", "missing", []),
        ('trait.tags contains "c"', '["a", "b"]', ["m1"]),
        ('group.industry in ["Tech"]', '"Finance"', ["m6"]),
        ("2 * count(\"Order Completed\") + 1 > 9", "7", []),
    ],
)  # fmt: skip
def test_what_was_observed_and_what_counted(when: str, value: str, counted: list[str]) -> None:
    assert observed(asked(shop(), 6, when).condition) == (value, counted)


@pytest.mark.parametrize(
    ("when", "missing"),
    [
        ('count("Order Completed", last 30d) >= 5', '2 more "Order Completed" within 30d'),
        ('count("Order Completed", last 30d) > 5', '3 more "Order Completed" within 30d'),
        ('sum("Order Completed".revenue, last 90d) >= 500',
         'revenue of 120.5 more from "Order Completed" within 90d'),
        ('since(last("Order Completed")) > 14d',
         'wait until 2026-11-19T00:00:00.001Z, with no "Order Completed" before'),
        ('since(last("Login")) > 14d', 'one "Login", and then 14d'),
        ('since(last("Order Completed")) <= 1d', 'one more "Order Completed"'),
        ('since(trait.trial_started) >= 14d', "wait until 2026-11-15T00:00:00.000Z"),
        ('not count("Order Completed", last 3d) > 0',
         'wait until 2026-11-08T00:00:00.000Z: then no "Order Completed" within 3d (there are 1 now)'),
        ('count("Order Completed") < 3', 'fewer than 3 "Order Completed" (there are 3 now)'),
        ('trait.plan in ["pro", "team"]', "trait plan must be one of pro, team (it is free)"),
        ('trait.plan != "free"', "trait plan must be other than free (it is free)"),
        ('group.industry == "Tech"', "account trait industry must be Tech (it is Finance)"),
        ('trait.plan starts with "pr"', "trait plan must start with pr (it is free)"),
        ("trait.name is present", "trait name must be present (it is missing)"),
        ('list("press")', "must be on list press"),
        ('not list("vip")', "must not be on list vip"),
        ('segment("x")', "must be in segment x"),
        ("days(any, last 30d) >= 9", "4 more days with event of any kind within 30d"),
        ('distinct("Product Viewed".category) >= 4',
         '3 more different values of category in "Product Viewed"'),
        ("sessions(last 30d) >= 9", "2 more sessions within 30d"),
        ('sequence("Product Added" then "Order Completed", within 1h) >= 1',
         '1 more of "Product Added" then "Order Completed" within 1h, completed'),
        ('count("Product Added", since last("Order Completed")) == 0',
         ('no "Product Added" after the last "Order Completed" (there are 1 now);'
          ' a new "Order Completed" starts the count again')),
        ('count("Order Completed", between 2026-11-27 and 2026-12-01) > 0',
         '1 more "Order Completed" from 2026-11-27 until before 2026-12-01'),
        ('last("Product Added") < last("Order Completed")',
         ('the last "Product Added" must be before the last "Order Completed" (2026-11-05T00:00:00.000Z)'
          " (it is 2026-11-06T00:00:00.000Z)")),
        ('count("Order Completed") == 2.5', 'count("Order Completed") is a whole number and never 2.5'),
        ("false", "the condition is written so that nobody is in"),
    ],
)  # fmt: skip
def test_what_one_who_is_out_lacks(when: str, missing: str) -> None:
    found = asked(shop(), 6, segment("x", "false"), segment("asked", when), lists=("vip",))
    assert wanted(found) == [missing]


def test_more_than_a_sum_is_over_it() -> None:
    found = asked(shop(), 6, 'sum("Order Completed".revenue) > 500')
    assert wanted(found) == ['revenue of over 120.5 more from "Order Completed"']


def test_all_failing_parts_are_needed_and_of_alternatives_the_nearest() -> None:
    """One step in by plan, two by orders and revenue: the plan is named alone."""
    either = 'trait.plan == "pro" or (count("Order Completed") >= 4 and max("Order Completed".revenue) > 999)'
    found = asked(shop(), 6, f'list("press") and ({either}) and count("Product Added") > 0')
    assert wanted(found) == ["must be on list press", "trait plan must be pro (it is free)"]


@pytest.mark.parametrize(
    ("when", "missing"),
    [
        ('not (list("vip") or trait.plan == "free")',
         ["must not be on list vip", "trait plan must be other than free (it is free)"]),
        ('not (list("vip") and trait.plan == "free")',
         ["must not be on list vip | trait plan must be other than free (it is free)"]),
        ('not (list("vip") or not list("press"))', ["must not be on list vip", "must be on list press"]),
        ('not sum("Order Completed".revenue) > 300',
         ['sum("Order Completed".revenue) must be at most 300 (it is 379.5)']),
        ('not count("Order Completed") <= 3', ['1 more "Order Completed"']),
        ('not trait.plan in ["free", "pro"]', ["trait plan must not be one of free, pro (it is free)"]),
        ('not trait.plan contains "re"', ["trait plan must not contain re (it is free)"]),
        ("not trait.plan is present", ["trait plan must be missing (it is free)"]),
        ("not true", ["the condition rules everybody out"]),
    ],
)  # fmt: skip
def test_behind_a_not_clauses_must_become_false(when: str, missing: list[str]) -> None:
    assert wanted(asked(shop(), 6, when, lists=("vip",))) == missing


def test_equally_near_alternatives_are_all_told() -> None:
    found = asked(shop(), 6, 'trait.plan == "pro" or list("press") or false')
    assert wanted(found) == ["trait plan must be pro (it is free) | must be on list press"]
    assert list(found.to_json()["missing"][0]) == ["any"]


def test_a_member_leaves_in_the_millisecond_the_window_lets_go() -> None:
    """Orders on day 1, 3 and 4; two within 7 days are there until that of day 3 is 7 days old."""
    for day in (4.5, 8, 9.999):
        found = asked(shop(), day, 'count("Order Completed", last 7d) >= 2')
        assert (found.member, found.leaves_when, found.enters_when) == (True, at(10), None)
    after = asked(shop(), 10, 'count("Order Completed", last 7d) >= 2')
    assert (after.member, after.leaves_when, after.enters_when) == (False, None, None)


def test_one_who_is_out_enters_a_millisecond_past_the_silence() -> None:
    found = asked(shop(), 6, 'since(last("Order Completed")) > 14d')
    assert (found.member, found.enters_when, found.leaves_when) == (False, at(18) + 1, None)


def test_a_session_ends_a_millisecond_past_the_gap() -> None:
    found = asked(shop(), 5.01, 'count("Product Added", this session) >= 1')
    assert found.leaves_when == at(5) + 30 * MINUTE + 1


def test_an_event_ahead_of_its_receipt_is_waited_for() -> None:
    line = Line().did(1, "Login")
    line.events[0] = replace(line.events[0], received_at=at(1) - MINUTE)
    found = asked(line, 1 - MINUTE / DAY, 'count("Login") >= 1')
    assert (found.member, found.enters_when) == (False, at(1))
    assert wanted(found) == ['1 more "Login", or wait until 2026-11-02T00:00:00.000Z']


def test_what_no_time_turns_stays() -> None:
    found = asked(shop(), 6, 'count("Order Completed") >= 2')
    assert (found.member, found.leaves_when) == (True, None)
    assert "stays in as long as nothing more happens" in found.render()


def test_a_dependent_segment_turns_with_the_one_it_asks_for() -> None:
    recent = segment("recent", 'count("Order Completed", last 7d) > 0')
    found = asked(shop(), 6, recent, segment("asked", 'segment("recent") and trait.plan == "free"'))
    assert found.leaves_when == at(11)
    inside, _ = found.condition.parts
    assert (inside.kind, inside.pointer, inside.parts[0].text) == (
        "segment",
        "recent",
        'count("Order Completed", last 7d) > 0',
    )


def test_segments_are_explained_one_level_deep() -> None:
    deep = segment("deep", "true")
    middle = segment("middle", 'segment("deep")')
    found = asked(shop(), 6, deep, middle, segment("asked", 'segment("middle")'))
    (below,) = found.condition.parts
    assert (below.pointer, below.parts) == ("deep", ())
    assert "explain deep for the reason" in found.render()


def test_an_override_decides_and_says_who_and_why_until_it_ends() -> None:
    out = Noted(False, at(8), "crm@shop.example", "complained")
    found = asked(shop(), 6, 'count("Order Completed") >= 2', overrides={"asked": out})
    assert (found.member, found.decided.by, found.missing) == (False, "override", ())
    assert found.decided.text == (
        "an override puts it out of asked until 2026-11-09T00:00:00.000Z, by crm@shop.example: complained"
    )
    assert (found.condition.holds, found.enters_when) == (True, at(8))


def test_an_override_in_beats_the_condition() -> None:
    found = asked(shop(), 6, "false", overrides={"asked": Noted(True)})
    assert (found.member, found.decided.text, found.missing) == (True, "an override puts it in asked", ())


def test_an_exclusive_sibling_of_larger_priority_decides() -> None:
    fresh = segment("fresh", 'count("Order Completed", last 7d) > 0', "stage", 20)
    buyer = segment("asked", 'count("Order Completed") > 0', "stage", 10)
    found = asked(shop(), 6, fresh, buyer)
    assert (found.member, found.decided.by, found.decided.sibling) == (False, "exclusive", "fresh")
    assert found.decided.text == (
        'it would be in, but of the exclusive group "stage" it is in fresh, which has priority 20 over 10'
    )
    assert (found.missing, found.enters_when) == ((), at(11))


def test_a_condition_that_does_not_hold_is_not_the_siblings_doing() -> None:
    fresh = segment("fresh", "true", "stage", 20)
    found = asked(shop(), 6, fresh, segment("asked", 'list("press")', "stage", 10))
    assert (found.decided.by, wanted(found)) == ("condition", ["must be on list press"])


def test_an_exclusive_sibling_with_an_override_decides() -> None:
    small = segment("small", "false", "stage", 1)
    found = asked(shop(), 6, small, segment("asked", "true", "stage", 10), overrides={"small": Noted(True)})
    assert found.decided.text.endswith("it is in small, because an override puts it in small")


def test_of_two_overrides_in_one_group_priority_decides() -> None:
    high, low = segment("high", "false", "stage", 10), segment("asked", "false", "stage", 1)
    found = asked(shop(), 6, high, low, overrides={"high": Noted(True), "asked": Noted(True)})
    assert found.decided.text.endswith("which has priority 10 over 1, both by override")


def test_no_one_is_in_a_segment_that_is_not_active() -> None:
    archived = segment("asked", "true", status="archived")
    found = asked(shop(), 6, archived)
    assert (found.member, found.decided.by, found.missing) == (False, "status", ())


def test_events_are_bounded_and_their_number_is_told() -> None:
    line = Line()
    for day in range(30):
        line.did(day, "Login")
    (seen,) = asked(line, 30, 'count("Login") > 3').condition.observed
    assert (len(seen.events), seen.events_total, seen.events[0].at) == (EXPLAINED_EVENTS_MAX, 30, at(29))


def test_what_is_no_number_is_told_to_be_passed_over() -> None:
    (seen,) = asked(shop(), 6, 'sum("Order Completed".revenue) > 0').condition.observed
    assert [event.passed_over for event in seen.events] == [True, False, False]


def test_a_trait_of_another_type_says_why_it_is_missing() -> None:
    (seen,) = asked(shop(), 6, "trait.age > 5").condition.observed
    assert seen.note == '"old" is no number'


def test_the_anchor_of_a_window_is_shown() -> None:
    (seen,) = asked(shop(), 6, 'count("Product Added", since last("Order Completed")) > 0').condition.observed
    assert seen.after is not None
    assert (seen.after.message_id, seen.after.at) == ("m5", at(4))


def test_rounding_never_hides_a_difference() -> None:
    """29 hours and a millisecond are not 29 hours, and a third of ten is not 3.333333."""
    early = Line().did(1 - 1 / DAY, "Login")
    (seen,) = asked(early, 1 + 29 / 24, 'since(last("Login")) <= 29h').condition.observed
    assert seen.value.text == "1d 5h 1ms"
    (seen,) = asked(early, 1 + 29 / 24, 'since(last("Login")) <= 30h').condition.observed
    assert seen.value.text == "1d 5h"
    thirds = Line().did(0, "Rated", stars=3).did(0, "Rated", stars=3).did(0, "Rated", stars=4)
    (seen,) = asked(thirds, 1, 'avg("Rated".stars) > 3.333333').condition.observed
    assert seen.value.text == "3.3333333333333335"


def test_the_change_that_brought_a_member_in_is_told_with_its_event() -> None:
    change = Change(7, "ann", "asked", True, at(3), Cause.EVENT, "m4")
    found = asked(shop(), 6, 'count("Order Completed") >= 2', last_change=change)
    assert found.since == at(3)
    told = found.to_json()["last_change"]
    assert (told["seq"], told["cause"]) == (7, {"type": "event", "message_id": "m4"})
    assert told["event"]["name"] == "Order Completed"
    assert 'entered at 2026-11-04T00:00:00.000Z by "Order Completed"' in found.render()


def test_one_who_left_has_no_since() -> None:
    change = Change(8, "ann", "asked", False, at(10), Cause.TIME)
    found = asked(shop(), 12, 'count("Order Completed", last 7d) >= 2', last_change=change)
    assert found.since is None
    assert "left at 2026-11-11T00:00:00.000Z by time passing" in found.render()


def test_an_unknown_segment_is_the_callers_mistake() -> None:
    with pytest.raises(KeyError):
        asked(shop(), 6, name="nowhere")


def test_the_json_has_its_keys_always() -> None:
    keys = ["user_id", "segment", "as_of", "member", "decided", "since", "last_change", "leaves_when",
            "enters_when", "condition", "missing"]  # fmt: skip
    assert list(asked(shop(), 6, "true").to_json()) == keys
    assert list(asked(shop(), 6, "false").to_json()) == keys


def test_lines_are_no_wider_than_asked() -> None:
    found = asked(shop(), 6, 'count("Order Completed") >= 9 and trait.plan in ["pro", "team", "company"]')
    assert max(map(len, found.render(50).splitlines())) <= 50

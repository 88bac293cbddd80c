"""The tracking plan: what breaks it, told plainly; and that the fast form misses none of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.domain.planned import PROPERTY_TYPES, Planned, PropertyPlan
from segue.ingest.planned.breaches import breaches, normal
from segue.ingest.planned.patterns import PatternError, compiled
from segue.ingest.planned.plan import TrackingPlan
from segue.ingest.planned.shapes import Shape

ORDER = Planned(
    "block",
    {
        "order_id": PropertyPlan(type="text", required=True, pattern="[A-Z]-[0-9]+"),
        "revenue": PropertyPlan(type="number", required=True),
        "currency": PropertyPlan(type="text", enum=("EUR", "GBP")),
        "email": PropertyPlan(type="text", pii=True, enum=("a@b.example",)),
        "at": PropertyPlan(type="time"),
        "size": PropertyPlan(enum=(1, 2.5, True)),
        "coupon": PropertyPlan(),
        "product.category": PropertyPlan(type="text"),
        "products": PropertyPlan(
            type="list",
            items=PropertyPlan(type="object", properties={"sku": PropertyPlan(type="text", required=True)}),
        ),
    },
)
SOUND: dict[str, Any] = {"order_id": "A-1", "revenue": 9.5}


def told(**more: Any) -> list[tuple[str, str]]:
    return [(each.code, each.path) for each in breaches({**SOUND, **more}, normal(ORDER))]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, []),
        ({"revenue": 9, "currency": "EUR", "coupon": [1], "at": "2026-11-22T10:00:00Z"}, []),
        ({"revenue": None}, [("E472", "revenue")]),
        ({"revenue": "9.5"}, [("E473", "revenue")]),
        ({"revenue": True}, [("E473", "revenue")]),
        ({"currency": "USD"}, [("E474", "currency")]),
        ({"currency": None}, []),
        ({"order_id": "A-1 "}, [("E475", "order_id")]),
        ({"order_id": "xA-1"}, [("E475", "order_id")]),
        ({"at": "yesterday"}, [("E473", "at")]),
        ({"at": 1_790_000_000}, [("E473", "at")]),
        ({"size": 1.0}, []),
        ({"size": 2}, [("E474", "size")]),
        ({"size": True}, []),
        ({"size": "1"}, [("E474", "size")]),
        ({"colour": "red"}, [("E471", "")]),
        ({"colour": None}, []),
        ({"product": {"category": "x", "brand": "y"}}, []),
        ({"product": {"category": 5}}, [("E473", "product.category")]),
        ({"product": "x"}, [("E473", "product")]),
        ({"products": [{"sku": "1"}, {"sku": 1}]}, [("E473", "products[].sku")]),
        ({"products": [{"sku": "1"}, None, {}]}, [("E472", "products[].sku")]),
        ({"products": [{"sku": "1", "note": 1}]}, [("E471", "products[]")]),
        ({"products": {}}, [("E473", "products")]),
    ],
)  # fmt: skip
def test_what_breaks_the_plan(more: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert told(**more) == expected


def test_personal_data_is_not_shown() -> None:
    (breach,) = breaches({**SOUND, "email": "eve@b.example"}, normal(ORDER))
    assert "eve" not in breach.message


def test_nothing_is_asked_of_an_event_without_properties_in_its_plan() -> None:
    assert breaches({"anything": 1}, normal(Planned("warn", {}))) == []


def test_additional_properties_may_be_let_in() -> None:
    planned = Planned("warn", {"a": PropertyPlan(type="text")}, additional=True)
    assert breaches({"b": 1}, normal(planned)) == []
    assert [each.code for each in breaches({"a": 1, "b": 1}, normal(planned))] == ["E473"]


def test_a_pattern_takes_time_that_grows_with_the_text_alone() -> None:
    """The control is ``re`` itself: 27 letters take it seconds, here are 100,000."""
    assert not compiled(r"(a+)+")("a" * 100_000 + "b")
    assert compiled(r"(a+)+")("a" * 100_000)


@pytest.mark.parametrize("pattern", ["(", r"(?=a)b", r"(a)\1", "[z-a]", "a{2000}"])
def test_patterns_that_re2_does_not_take(pattern: str) -> None:
    with pytest.raises(PatternError):
        compiled(pattern)


@pytest.mark.parametrize(
    ("mode", "own", "blocked"), [("warn", "block", True), ("block", "warn", False), ("off", "block", True)]
)
def test_an_event_may_have_a_mode_of_its_own(mode: str, own: str, blocked: bool) -> None:
    plan = TrackingPlan({"A": Planned(own, {"n": PropertyPlan(type="number")})}, mode)
    (found,) = plan.verdicts(["A", "A", None], [b'{"n":"x"}', b'{"n":1}', b'{"n":"x"}'])
    assert (found.at, found.name, found.blocked) == (0, "A", blocked)


@pytest.mark.parametrize(("mode", "expected"), [("off", []), ("warn", [False]), ("block", [True])])
def test_events_that_the_plan_does_not_know(mode: str, expected: list[bool]) -> None:
    plan = TrackingPlan({"A": Planned(mode, {})}, mode)
    assert [each.blocked for each in plan.verdicts(["B", "A"], [b"{}", b'{"x":1}'])] == expected


def test_without_a_plan_there_is_nothing_to_break() -> None:
    assert TrackingPlan({}, "block").rests
    assert not TrackingPlan({}, "block").blocks


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([1.0, 2.5, 1e300]),
    st.sampled_from(["", "a", "b", "1", "2026-11-22", "EUR"]),
)  # fmt: skip
NAMES = st.sampled_from(["a", "b", "c c", "ü"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
PLANS = st.recursive(
    st.builds(
        PropertyPlan,
        type=st.none() | st.sampled_from(PROPERTY_TYPES),
        required=st.booleans(),
        enum=st.lists(SCALARS.filter(lambda value: value is not None), max_size=3).map(tuple),
        pattern=st.none() | st.sampled_from(["a", "[ab]+", ""]),
    ),
    lambda inner: (
        st.builds(
            PropertyPlan,
            type=st.just("object"),
            required=st.booleans(),
            properties=st.dictionaries(NAMES, inner, min_size=1, max_size=3),
            additional=st.booleans(),
        )
        | st.builds(PropertyPlan, type=st.just("list"), items=inner)
    ),
    max_leaves=4,
)


@given(
    plans=st.dictionaries(NAMES, PLANS, min_size=1, max_size=3),
    additional=st.booleans(),
    events=st.lists(st.dictionaries(NAMES, VALUES, max_size=4), min_size=1, max_size=6),
)
def test_the_fast_form_misses_nothing(
    plans: dict[str, PropertyPlan], additional: bool, events: list[dict[str, Any]]
) -> None:
    planned = normal(Planned("warn", plans, additional))
    broken = [at for at, event in enumerate(events) if breaches(event, planned)]
    texts = [json.dumps(event).encode() for event in events]
    assert set(broken) <= set(Shape(planned).doubtful(texts))
    found = TrackingPlan({"A": Planned("warn", plans, additional)}, "warn").verdicts(
        ["A"] * len(texts), texts
    )
    assert [verdict.at for verdict in found] == broken


def test_what_is_sound_needs_no_second_look() -> None:
    shape = Shape(normal(Planned("warn", {"n": PropertyPlan(type="number", required=True), "d": PropertyPlan(type="time")})))  # fmt: skip # noqa: E501
    assert shape.doubtful([b'{"n":1,"d":"2026-11-22"}', b'{"n":1.5}', b'{"n":"1"}']) == [2]


def test_null_is_not_there_for_the_fast_form_either() -> None:
    """Found by the law above: an untyped property let null pass where it is required."""
    for plan in (PropertyPlan(required=True), PropertyPlan(required=True, enum=(1,))):
        planned = normal(Planned("warn", {"a": plan}))
        assert Shape(planned).doubtful([b'{"a":null}', b'{"a":1}']) == [0]

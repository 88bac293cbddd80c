"""Who is a member after status, overrides and exclusive groups, in both meanings; and when they flip."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

import pytest

from segue.domain.change import Cause
from segue.domain.event import Event
from segue.language.checker import check_condition
from segue.language.interpret import (
    Definition,
    Override,
    Person,
    Rules,
    Step,
    changes,
    due_moments,
    membership,
)
from segue.language.scope import Scope
from tests.language.meaning.twin import Twin

RULES = Rules()
HOUR = 3_600_000


def seen(seq: int, at: int, name: str = "Order", row: int = 0, received: int | None = None) -> Event:
    return Event(seq, row, "track", name, at, at if received is None else received, message_id=f"m{seq}")


def segment(
    name: str, text: str = "true", group: str | None = None, priority: int = 0, status: str = "active"
) -> Definition:
    return Definition(name, check_condition(text, Scope()), group, priority, status)


def members(definitions: list[Definition], overrides: Mapping[str, Override], now: int = 0) -> set[str]:
    """The names the person is in, after making sure that SQL says the same."""
    person = Person((seen(0, 0),), lists=frozenset(["press"]))
    plain = {
        name for name, inside in membership(definitions, overrides, person, now, RULES).items() if inside
    }
    with closing(Twin({0: person.events}, {0: person.lists}, {0: overrides})) as twin:
        told = {each.name for each in definitions if twin.members(each.name, definitions, RULES, now)}
    assert plain == told
    return plain


GROUP = [
    segment("low", "true", "life", 1),
    segment("mid", "true", "life", 2),
    segment("high", "false", "life", 3),
]


@pytest.mark.parametrize(
    ("overrides", "winner"),
    [
        ({}, {"mid"}),
        ({"mid": False}, {"low"}),
        ({"low": True}, {"low"}),
        ({"low": True, "high": True}, {"high"}),
        ({"low": False, "mid": False}, set()),
        ({"high": True, "mid": False}, {"high"}),
    ],
)
def test_of_a_group_the_largest_priority_wins_and_overrides_before_it(
    overrides: dict[str, bool], winner: set[str]
) -> None:
    assert members(GROUP, {name: Override(member) for name, member in overrides.items()}) == winner


def test_a_reference_means_membership_after_all_else() -> None:
    definitions = [*GROUP, segment("after", 'segment("mid") and not segment("low")')]
    assert members(definitions, {}) == {"mid", "after"}
    assert members(definitions, {"low": Override(True)}) == {"low"}


def test_drafts_and_archived_segments_have_no_members_and_claim_no_group() -> None:
    definitions = [
        segment("gone", "true", "life", 9, "archived"),
        segment("planned", "true", status="draft"),
        segment("left", "true", "life", 1),
        segment("other", 'not segment("gone") and not segment("planned") and list("press")'),
    ]
    assert members(definitions, {"gone": Override(True), "planned": Override(True)}) == {"left", "other"}


def test_an_override_ends_at_its_moment() -> None:
    definitions = [segment("vip", "false"), segment("all")]
    overrides = {"vip": Override(True, until=HOUR), "all": Override(False, until=HOUR)}
    assert members(definitions, overrides, HOUR - 1) == {"vip"}
    assert members(definitions, overrides, HOUR) == {"all"}


# ---- the list of changes ---------------------------------------------------------------------


def told(
    steps: list[Step], definitions: list[Definition], until: int
) -> list[tuple[int, int, str, bool, str]]:
    flips = changes(steps, definitions, RULES, until)
    return [(flip.at, flip.row, flip.segment, flip.entered, flip.cause.value) for flip in flips]


def test_dues_come_before_the_event_of_the_same_moment_and_at_their_exact_time() -> None:
    active = segment("active", 'count("Order", last 1h) > 0')
    steps = [Step(at, Cause.EVENT, seen(seq, at)) for seq, at in enumerate((0, HOUR))]
    assert told(steps, [active], 3 * HOUR) == [
        (0, 0, "active", True, "event"),
        (HOUR, 0, "active", False, "time"),
        (HOUR, 0, "active", True, "event"),
        (2 * HOUR, 0, "active", False, "time"),
    ]


def test_an_absorbed_profile_leaves_before_its_survivor_is_looked_at() -> None:
    buyer = segment("buyer", 'count("Order") > 0')
    idle = segment("idle", 'not segment("buyer")')
    login = seen(1, HOUR, "Login", row=1)
    steps = [Step(0, Cause.EVENT, seen(0, 0)), Step(HOUR, Cause.EVENT, login, merges=((0, 1),))]
    assert told(steps, [buyer, idle], HOUR)[1:] == [
        (HOUR, 0, "buyer", False, "merge"),
        (HOUR, 1, "buyer", True, "event"),
    ]


def test_a_timestamp_ahead_takes_effect_when_it_is_reached() -> None:
    ahead = Step(0, Cause.EVENT, seen(0, 5_000, received=0))
    assert told([ahead], [segment("buyer", 'count("Order") > 0')], HOUR) == [
        (5_000, 0, "buyer", True, "time")
    ]


def test_lists_and_overrides_flip_at_engine_time_and_end_on_time() -> None:
    press = segment("press", 'list("press")')
    steps = [
        Step(0, Cause.EVENT, seen(0, 0)),
        Step(0, Cause.LIST, lists=((0, "press", True),)),
        Step(HOUR, Cause.OVERRIDE, overrides=((0, "press", Override(False, 2 * HOUR)),)),
    ]
    assert told(steps, [press], 3 * HOUR) == [
        (0, 0, "press", True, "list"),
        (HOUR, 0, "press", False, "override"),
        (2 * HOUR, 0, "press", True, "time"),
    ]


def test_due_moments_name_every_turn() -> None:
    condition = check_condition(
        'count("Order", last 1h) > 0 and since(last("Order")) > 2h and count(any, this session) == 0', Scope()
    )
    gap = RULES.session_gap_ms
    assert due_moments(condition, Person((seen(0, 7),)), RULES) == sorted(
        [7 + HOUR, 7 + 2 * HOUR, 8 + 2 * HOUR, 8 + gap]
    )

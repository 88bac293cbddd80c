"""Each rule of a trigger alone: what it says of one firing for one destination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from segue.deliver.policy import Case, Contact, Facts, Finding, findings, in_holdout, quiet_until, ruling
from segue.domain.time import DAY, HOUR, MINUTE, format_instant, parse_instant
from segue.segments.restraint import Cap
from segue.segments.triggers.definition import Policy, Quiet, TriggerDefinition

UTC, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")


def moment(text: str) -> int:
    found = parse_instant(text)
    assert found is not None
    return found


NOON = moment("2026-11-22T12:00:00Z")
TRIGGER = TriggerDefinition("welcome", "a@b", "Of a test.", 'segment("vip") entered', ("crm", "mail"))


PLAIN = Policy()


def case(
    policy: Policy = PLAIN, *, trigger: TriggerDefinition = TRIGGER, now: int = NOON, at: int = NOON
) -> Case:
    return Case("chg_9", replace(trigger, policy=policy), "crm", "ada", now, at, UTC)


def facts(
    contacts: Sequence[Contact] = (),
    segments: Sequence[str] = (),
    zone: ZoneInfo = UTC,
    suppressed: bool = False,
) -> Facts:
    return Facts(
        suppressed=lambda: suppressed,
        segments=lambda: segments,
        zone=lambda _trait: zone,
        contacts=lambda after: [each for each in contacts if each.moment > after],
    )


def contact(number: int, ago: int, trigger: str = "welcome", channel: str = "crm") -> Contact:
    return Contact(f"chg_{number}", trigger, channel, NOON - ago)


def rule_of(found: Finding | None) -> str | None:
    return None if found is None else found.rule


def test_nothing_holds_back_a_trigger_without_rules() -> None:
    assert ruling(case(), facts()) is None
    assert [each.rule for each in findings(case(), facts())] == ["status"]


@pytest.mark.parametrize(
    ("trigger", "says"),
    [
        (replace(TRIGGER, status="draft"), "the trigger is draft"),
        (replace(TRIGGER, to=("mail",)), "the trigger does not tell crm any more"),
    ],
)
def test_what_is_not_in_force_sends_nothing(trigger: TriggerDefinition, says: str) -> None:
    found = ruling(case(trigger=trigger), facts())
    assert found is not None
    assert (found.rule, found.says, found.holds) == ("status", says, True)


def test_suppressed_users_get_nothing() -> None:
    assert rule_of(ruling(case(), facts(suppressed=True))) == "suppressed"


@pytest.mark.parametrize(
    ("starts", "ends", "rule"),
    [
        ("2026-11-22T12:00:00Z", None, None),
        ("2026-11-22T12:00:01Z", None, "starts"),
        (None, "2026-11-22T12:00:00Z", "ends"),
        (None, "2026-11-22T12:00:00.001Z", None),
        ("2026-11-22", "2026-11-23", None),
    ],
)
def test_dates_hold_the_first_moment_and_not_the_last(
    starts: str | None, ends: str | None, rule: str | None
) -> None:
    assert rule_of(ruling(case(Policy(starts=starts, ends=ends)), facts())) == rule


def test_a_bare_date_is_midnight_where_the_workspace_is() -> None:
    late = moment("2026-11-22T23:30:00Z")
    policy = Policy(starts="2026-11-23")
    assert rule_of(ruling(case(policy, now=late, at=late), facts())) == "starts"
    there = replace(case(policy, now=late, at=late), zone=BERLIN)
    assert ruling(there, facts()) is None


def test_a_holdout_is_the_same_share_of_users_each_time() -> None:
    users = [f"u{number}" for number in range(20_000)]
    held = {user for user in users if in_holdout("welcome", user, 0.1)}
    assert held == {user for user in users if in_holdout("welcome", user, 0.1)}
    assert 0.09 < len(held) / len(users) < 0.11
    assert held <= {user for user in users if in_holdout("welcome", user, 0.2)}
    other = {user for user in users if in_holdout("goodbye", user, 0.1)}
    assert 0.005 < len(held & other) / len(users) < 0.02
    assert not any(in_holdout("welcome", user, 0.0) for user in users)
    policy = Policy(holdout=0.1)
    assert rule_of(ruling(replace(case(policy), user_id=min(held)), facts())) == "holdout"
    assert ruling(replace(case(policy), user_id=min(set(users) - held)), facts()) is None


def test_a_delay_waits_until_its_moment() -> None:
    later = case(Policy(delay_ms=HOUR), at=NOON + HOUR)
    found = ruling(later, facts())
    assert found is not None
    assert (found.rule, found.until, found.holds) == ("delay", NOON + HOUR, False)
    assert ruling(replace(later, now=NOON + HOUR), facts()) is None


def test_what_comes_too_late_is_not_sent() -> None:
    assert ruling(case(now=NOON + DAY), facts()) is None
    assert rule_of(ruling(case(now=NOON + DAY + 1), facts())) == "expires"
    assert ruling(case(Policy(expires_ms=2 * DAY), now=NOON + DAY + 1), facts()) is None


def test_members_of_some_segments_get_nothing() -> None:
    policy = Policy(unless=("unsubscribed", "complained"))
    assert ruling(case(policy), facts(segments=["vip"])) is None
    found = ruling(case(policy), facts(segments=["vip", "complained"]))
    assert found is not None
    assert (found.rule, found.says) == ("unless", "the user is in complained")


@pytest.mark.parametrize(
    ("quiet", "zone", "now", "until"),
    [
        ((22, 8), UTC, "2026-11-22T21:59:59.999Z", None),
        ((22, 8), UTC, "2026-11-22T22:00:00Z", "2026-11-23T08:00:00Z"),
        ((22, 8), UTC, "2026-11-23T07:59:59.999Z", "2026-11-23T08:00:00Z"),
        ((22, 8), UTC, "2026-11-23T08:00:00Z", None),
        ((12, 14), UTC, "2026-11-22T13:00:00Z", "2026-11-22T14:00:00Z"),
        ((12, 14), UTC, "2026-11-22T14:00:00Z", None),
        ((22, 8), BERLIN, "2026-11-22T21:30:00Z", "2026-11-23T07:00:00Z"),
        ((22, 8), BERLIN, "2026-11-22T20:30:00Z", None),
        ((22, 8), BERLIN, "2026-03-28T23:00:00Z", "2026-03-29T06:00:00Z"),
        ((22, 8), BERLIN, "2026-10-24T22:00:00Z", "2026-10-25T07:00:00Z"),
        ((1, 2), BERLIN, "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"),
    ],
)
def test_quiet_hours_are_those_of_the_clock_on_the_wall(
    quiet: tuple[int, int], zone: ZoneInfo, now: str, until: str | None
) -> None:
    found = quiet_until(Quiet(quiet[0] * 60, quiet[1] * 60), moment(now), zone)
    assert (None if found is None else format_instant(found)) == (
        None if until is None else until.replace("00Z", "00.000Z")
    )


def test_quiet_hours_end_though_the_clock_jumps_over_their_end() -> None:
    """At 2 o'clock it is 3: whoever is quiet until half past two is waited for, and not for ever."""
    now = moment("2026-03-29T00:59:00Z")
    found = quiet_until(Quiet(60, 150), now, BERLIN)
    assert found is not None
    assert now < found <= now + DAY + HOUR
    assert quiet_until(Quiet(60, 150), found, BERLIN) is None


def test_quiet_hours_are_judged_where_the_user_is_and_by_the_later_of_now_and_the_moment() -> None:
    policy = Policy(quiet=Quiet(12 * 60 + 30, 13 * 60 + 30))
    assert ruling(case(policy), facts()) is None
    assert rule_of(ruling(case(policy), facts(zone=BERLIN))) == "quiet"
    assert rule_of(ruling(case(policy, now=NOON + 30 * MINUTE), facts())) == "quiet"


def test_a_cooldown_asks_for_the_last_message_of_this_trigger() -> None:
    policy = Policy(cooldown_ms=DAY)
    assert ruling(case(policy), facts([contact(1, DAY)])) is None
    assert rule_of(ruling(case(policy), facts([contact(1, DAY - 1)]))) == "cooldown"
    assert ruling(case(policy), facts([contact(1, HOUR, trigger="other")])) is None
    assert ruling(case(policy), facts([contact(9, 0, channel="mail")])) is None, "the same firing, elsewhere"


def test_a_cap_counts_what_came_over_the_channel_from_any_trigger() -> None:
    policy = Policy(caps=(Cap(2, DAY),))
    two = [contact(1, HOUR, trigger="other"), contact(2, 2 * HOUR)]
    assert ruling(case(policy), facts(two[:1])) is None
    assert rule_of(ruling(case(policy), facts(two))) == "cap"
    assert ruling(case(policy), facts([two[0], contact(2, DAY)])) is None
    assert ruling(case(policy), facts([two[0], contact(2, HOUR, channel="mail")])) is None


def test_a_channel_of_ones_own_counts_together() -> None:
    policy = Policy(caps=(Cap(1, DAY), Cap(3, 7 * DAY)), channel="email")
    one = [contact(1, 2 * DAY, channel="email")]
    assert ruling(case(policy), facts(one)) is None
    assert rule_of(ruling(case(policy), facts([contact(1, HOUR, channel="email")]))) == "cap"
    many = [contact(number, number * DAY, channel="email") for number in (2, 3, 4)]
    assert rule_of(ruling(case(policy), facts(many))) == "cap"
    twice = [contact(2, 2 * DAY, channel="email")] * 3
    assert ruling(case(policy), facts(twice)) is None, "one firing that went to three destinations"


def test_all_rules_are_told_until_one_says_no() -> None:
    policy = Policy(
        holdout=1e-9, unless=("gone",), quiet=Quiet(60, 120), cooldown_ms=DAY, caps=(Cap(1, DAY),)
    )
    told = [each.rule for each in findings(case(policy), facts([contact(1, HOUR, trigger="other")]))]
    assert told == ["status", "holdout", "unless", "quiet", "cooldown", "cap"]

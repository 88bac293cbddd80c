"""What holds a message back: the rules of a trigger, asked one by one until one says no, or not yet."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from segue.domain.time import DAY, format_duration, format_instant, parse_instant, to_ms
from segue.segments.restraint import Cap
from segue.segments.triggers.definition import MINUTES_AN_HOUR, Quiet, TriggerDefinition

_SHARES = 2**64


@dataclass(frozen=True, slots=True)
class Contact:
    """A message that was not held back; ``moment`` (ms) is when it had its effect."""

    id: str
    trigger: str
    channel: str
    moment: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules ask about the user, each only when a rule needs it."""

    suppressed: Callable[[], bool]
    segments: Callable[[], Collection[str]]
    zone: Callable[[str], ZoneInfo]
    """The user's time zone, by the path of the trait that holds it."""
    contacts: Callable[[int], Sequence[Contact]]
    """The user's, with a moment past the given one (ms)."""


@dataclass(frozen=True, slots=True)
class Case:
    """One firing for one destination. ``now`` and ``moment`` are in ms of the workspace's clock.

    ``moment`` is when it is to have its effect; ``zone`` is the workspace's.
    """

    id: str
    trigger: TriggerDefinition
    destination: str
    user_id: str
    now: int
    moment: int
    zone: ZoneInfo

    @property
    def channel(self) -> str:
        """What counts together with it."""
        return self.trigger.policy.channel or self.destination


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says. ``holds`` keeps the message back for good, ``until`` (ms) for now."""

    rule: str
    says: str
    holds: bool = False
    until: int | None = None

    @property
    def goes_on(self) -> bool:
        """Whether the next rule is asked."""
        return not self.holds and self.until is None


Rule = Callable[[Case, Facts], Finding | None]
"""None from a rule that the trigger does not have."""


def findings(case: Case, facts: Facts) -> Iterator[Finding]:
    """What the rules of a trigger say, in order, up to the first that holds the message back."""
    for rule in RULES:
        found = rule(case, facts)
        if found is not None:
            yield found
            if not found.goes_on:
                return


def ruling(case: Case, facts: Facts) -> Finding | None:
    """The rule that holds a message back; None when it is to be sent."""
    return next((found for found in findings(case, facts) if not found.goes_on), None)


# ---- the rules -----------------------------------------------------------------------------


def _status(case: Case, _facts: Facts) -> Finding | None:
    live = case.trigger.live and case.destination in case.trigger.to
    says = "the trigger is in force" if live else f"the trigger is {case.trigger.status}"
    if case.trigger.live and not live:
        says = f"the trigger does not tell {case.destination} any more"
    return Finding("status", says, holds=not live)


def _dates(case: Case, _facts: Facts) -> Finding | None:
    policy = case.trigger.policy
    starts, ends = (
        None if each is None else parse_instant(each, case.zone) for each in (policy.starts, policy.ends)
    )
    if starts is not None and case.moment < starts:
        return Finding("starts", f"it sends from {policy.starts} on", holds=True)
    if ends is not None and case.moment >= ends:
        return Finding("ends", f"it sent until {policy.ends}", holds=True)
    return None if starts is None and ends is None else Finding("dates", "the moment lies within its dates")


def _suppressed(_case: Case, facts: Facts) -> Finding | None:
    return Finding("suppressed", "the user is suppressed", holds=True) if facts.suppressed() else None


def _holdout(case: Case, _facts: Facts) -> Finding | None:
    share = case.trigger.policy.holdout
    if not share:
        return None
    held = in_holdout(case.trigger.name, case.user_id, share)
    return Finding(
        "holdout", f"the user is {'' if held else 'not '}of the {share:g} who get nothing", holds=held
    )


def _delay(case: Case, _facts: Facts) -> Finding | None:
    if case.now < case.moment:
        return Finding("delay", f"it waits until {format_instant(case.moment)}", until=case.moment)
    return None


def _expires(case: Case, _facts: Facts) -> Finding | None:
    most = case.trigger.policy.expires_ms
    late = case.now - case.moment
    if late <= most:
        return None
    says = f"its moment was more than {format_duration(most)} ago"
    return Finding("expires", says, holds=True)


def _unless(case: Case, facts: Facts) -> Finding | None:
    asked = case.trigger.policy.unless
    if not asked:
        return None
    held = [name for name in asked if name in facts.segments()]
    says = f"the user is in {', '.join(held)}" if held else f"the user is not in {', '.join(asked)}"
    return Finding("unless", says, holds=bool(held))


def _quiet(case: Case, facts: Facts) -> Finding | None:
    quiet = case.trigger.policy.quiet
    if quiet is None:
        return None
    zone = facts.zone(case.trigger.policy.zone_trait)
    until = quiet_until(quiet, max(case.now, case.moment), zone)
    if until is None:
        return Finding("quiet", f"it is not between {quiet} in {zone.key}")
    says = f"it is between {quiet} in {zone.key}: it waits until {format_instant(until)}"
    return Finding("quiet", says, until=until)


def _cooldown(case: Case, facts: Facts) -> Finding | None:
    cooldown = case.trigger.policy.cooldown_ms
    if cooldown is None:
        return None
    for each in facts.contacts(case.moment - cooldown):
        if each.trigger == case.trigger.name and each.id != case.id:
            says = f"the user got one at {format_instant(each.moment)}, within {format_duration(cooldown)}"
            return Finding("cooldown", says, holds=True)
    return Finding("cooldown", f"the user got none within {format_duration(cooldown)}")


def _caps(case: Case, facts: Facts) -> Finding | None:
    caps = case.trigger.policy.caps
    for cap in caps:
        count = _counted(case, facts, cap)
        if count >= cap.times:
            says = f"the user got {count} over {case.channel} within {format_duration(cap.per_ms)}"
            return Finding("cap", says, holds=True)
    if not caps:
        return None
    said = ", ".join(map(str, caps))
    return Finding("cap", f"the user got fewer than {said} over {case.channel}")


def _counted(case: Case, facts: Facts, cap: Cap) -> int:
    """How many firings reached the user over the channel; one that went to two destinations is one."""
    return len(
        {
            (each.id, each.trigger)
            for each in facts.contacts(case.moment - cap.per_ms)
            if each.channel == case.channel and (each.id, each.trigger) != (case.id, case.trigger.name)
        }
    )


RULES: tuple[Rule, ...] = (
    _status, _dates, _suppressed, _holdout, _delay, _expires, _unless, _quiet, _cooldown, _caps,
)  # fmt: skip
"""In the order in which they are asked; what makes wait stands before what counts messages."""


# ---- what they mean --------------------------------------------------------------------------


def in_holdout(trigger: str, user_id: str, share: float) -> bool:
    """Whether a user is of those who get nothing from a trigger: the same ones every time and everywhere."""
    digest = hashlib.blake2b(f"{trigger}\0{user_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * _SHARES


def quiet_until(quiet: Quiet, now: int, zone: ZoneInfo) -> int | None:
    """When the quiet hours end in which a moment (ms) lies; None when it lies in none."""
    local = datetime.fromtimestamp(now / 1000, zone)
    minute = local.hour * MINUTES_AN_HOUR + local.minute
    over_midnight = quiet.begins > quiet.ends
    after, before = minute >= quiet.begins, minute < quiet.ends
    if not (after or before if over_midnight else after and before):
        return None
    day = local.date() + timedelta(days=1 if over_midnight and after else 0)
    hour, rest = divmod(quiet.ends, MINUTES_AN_HOUR)
    until = to_ms(datetime.combine(day, time(hour, rest), zone))
    # Where a clock is put forward over the end, the end is past already: an hour that does not exist.
    return until if until > now else until + DAY

"""What a trigger would send to a user if it fired now, and why or why not; nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from segue.deliver.deciding import Decider
from segue.deliver.outbox import Outbox
from segue.deliver.payload import body
from segue.deliver.policy import Case, Finding, findings
from segue.deliver.subject import Subject
from segue.domain.change import Cause
from segue.domain.errors import refusal
from segue.domain.event import Event, Json
from segue.domain.time import format_duration, format_instant
from segue.language.findings import suggestion
from segue.language.interpret import pattern_predicate
from segue.log.firings import Firing
from segue.segments.triggers.definition import TriggerDefinition
from segue.segments.triggers.on import OnCondition, OnEvent, OnItem, OnSegment
from segue.service.firing.wanted import pattern_of
from segue.service.service import Service

NO_TRIGGER = "E810"
_EXAMPLE = {"id": "an item", "field": "price", "before": 100, "after": 80}


@dataclass(frozen=True, slots=True)
class Place:
    """What would become of a firing at one destination."""

    destination: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> str:
        """In one line."""
        last = self.findings[-1]
        if last.goes_on:
            return "it would be sent"
        if last.until is not None:
            return f"it would wait until {format_instant(last.until)}, and be looked at again"
        return f"it would be held back by {last.rule}"

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        steps = [
            {"rule": each.rule, "says": each.says, "passes": not each.holds, "until": _moment(each.until)}
            for each in self.findings
        ]
        return {"destination": self.destination, "verdict": self.verdict, "rules": steps}


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All of it. ``waits`` says how things stand with what the trigger waits for; ``payload`` is decoded.

    ``idle`` says why it would not fire as things stand; None when that hangs on what comes alone.
    """

    trigger: str
    user_id: str
    on: str
    waits: str
    idle: str | None
    payload: Json
    places: tuple[Place, ...]

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        return {
            "trigger": self.trigger,
            "user_id": self.user_id,
            "on": self.on,
            "now": self.waits,
            "would_not_fire": self.idle,
            "payload": self.payload,
            "destinations": [each.to_json() for each in self.places],
        }

    def render(self) -> str:
        """As people read it."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.trigger} waits for   {' '.join(self.on.split())}"
        yield f"now   {self.waits}"
        if self.idle is not None:
            yield f"it would not fire now: {self.idle}; if it did:"
        for place in self.places:
            yield ""
            yield f"{place.destination}: {place.verdict}"
            for each in place.findings:
                mark = "no  " if each.holds else "ok  " if each.until is None else "wait"
                yield f"  {mark}  {each.rule:<10}  {each.says}"
        yield ""
        yield f"the message, if it fired {'all the same' if self.idle else 'now'}:"
        yield json.dumps(self.payload, indent=2, ensure_ascii=False)


def rehearse(service: Service, outbox: Outbox, name: str, user_id: str) -> Rehearsal:
    """What would become of a trigger for a user; E810 for no such trigger, E702 for nobody known."""
    trigger = service.workspace.triggers.get(name)
    if trigger is None:
        hint = suggestion(name, service.workspace.triggers, "`segue triggers` lists those there are")
        raise refusal(NO_TRIGGER, f"there is no trigger {name!r}", hint)
    row = service.row_of(user_id)
    if row is None:
        raise refusal("E702", f"nothing was ever received of {user_id!r}", "look at the spelling of the id")
    subject, decider = Subject(service, outbox, row), Decider(service, outbox)
    now = decider.clock()
    event = _last_event(service, trigger, subject)
    firing = _firing(trigger, subject.row, now, event)
    known = decider.known(firing, trigger, subject, lambda: event)
    payload = json.loads(body(replace(known, id="given when it fires")))
    zone = service.workspace.settings.timezone
    moment = now + (trigger.policy.delay_ms or 0)
    return Rehearsal(
        trigger=name,
        user_id=subject.user_id,
        on=trigger.on,
        waits=_stands(service, trigger, subject, event),
        idle=_idle(service, trigger, subject),
        payload=payload,
        places=tuple(
            Place(to, tuple(_asked(Case("", trigger, to, subject.user_id, now, moment, zone), subject)))
            for to in trigger.to
        ),
    )


def _asked(case: Case, subject: Subject) -> Iterator[Finding]:
    """What the rules say; a delay is told, and the others are asked as if its time had come."""
    delay = case.trigger.policy.delay_ms
    if delay is not None:
        says = f"it waits {format_duration(delay)}; the rest is as of now"
        yield Finding("delay", says)
    yield from findings(replace(case, now=case.moment), subject.facts)


def _firing(trigger: TriggerDefinition, row: int, now: int, event: Event | None) -> Firing:
    form = trigger.form
    if isinstance(form, OnSegment):
        action = "entered" if form.entered else "left"
    elif isinstance(form, OnEvent):
        action = "seen"
    else:
        action = "changed" if isinstance(form, OnItem) else "began"
    return Firing(
        number=0,
        trigger=trigger.name,
        row=row,
        action=action,
        at=now,
        cause=Cause.EVENT,
        event_seq=None if event is None else event.seq,
        change=None,
        detail=_EXAMPLE if isinstance(form, OnItem) else None,
    )


def _last_event(service: Service, trigger: TriggerDefinition, subject: Subject) -> Event | None:
    """The last event of the user that the trigger waits for; of another trigger their last one."""
    form = trigger.form
    events = service.events(subject.user_id)
    if not isinstance(form, OnEvent):
        return events[0] if events else None
    meets = pattern_predicate(pattern_of(form, service.workspace), service.rules.zone)
    return next((event for event in events if meets(event)), None)


def _stands(service: Service, trigger: TriggerDefinition, subject: Subject, event: Event | None) -> str:
    """How things stand with what a trigger waits for."""
    form = trigger.form
    with service.core.turn:
        held = dict(service.engine.held(subject.row))
    if isinstance(form, OnSegment):
        since = held.get(form.segment)
        return f"the user is {_since(since, f'in {form.segment}', f'not in {form.segment}')}"
    if isinstance(form, OnItem):
        return "it fires when an item changes that matters to the user then; the one below is an example"
    if isinstance(form, OnCondition):
        return f"the condition {_since(held.get(trigger.holds), 'holds', 'does not hold')}"
    seen = (
        "no such event was seen"
        if event is None
        else f"the last was seen at {format_instant(event.timestamp)}"
    )
    if form.condition is None:
        return seen
    return f"{seen}; the condition {_since(held.get(trigger.holds), 'holds', 'does not hold')}"


def _idle(service: Service, trigger: TriggerDefinition, subject: Subject) -> str | None:
    """Why a trigger would not fire for a user as they are; what came last is taken for what comes next."""
    form = trigger.form
    if not trigger.live:
        return f"the trigger is {trigger.status}"
    with service.core.turn:
        held = dict(service.engine.held(subject.row))
    if isinstance(form, OnSegment) and not (form.entered and form.left):
        inside = form.segment in held
        if inside != form.entered:
            return f"the user is {'still' if inside else 'not'} in {form.segment}"
    if isinstance(form, OnEvent) and form.condition is not None and trigger.holds not in held:
        return "the condition does not hold"
    holds = trigger.holds in held
    if (
        isinstance(form, OnCondition)
        and trigger.crossing != "both"
        and holds == (trigger.crossing == "falling")
    ):
        return f"the condition {'still holds' if holds else 'does not hold'}"
    return None


def _since(at: int | None, yes: str, no: str) -> str:
    return no if at is None else f"{yes} (since {format_instant(at)})"


def _moment(at: int | None) -> str | None:
    return None if at is None else format_instant(at)

"""From a firing to deliveries: for each destination the rules are asked, then what is sent is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace

import msgspec

from segue.deliver.outbox import Delivery, Outbox, State, message_id, wall_ms
from segue.deliver.payload import Known, body
from segue.deliver.policy import Case, Finding, ruling
from segue.deliver.subject import Subject
from segue.domain.change import Cause
from segue.domain.event import Event, Json
from segue.domain.limits import DELIVERY_BYTES_MAX
from segue.log.firings import Firing
from segue.observe import metrics
from segue.segments.triggers.definition import STREAM, TriggerDefinition
from segue.segments.triggers.on import OnSegment
from segue.segments.triggers.payload import names_in
from segue.service.service import Service

_FEATURE = "features."
NO_TRIGGER = "the trigger is not there any more"


class Decider:
    """Decides by the workspace in force; keeps nothing."""

    def __init__(self, service: Service, outbox: Outbox) -> None:
        self._service = service
        self._outbox = outbox

    def clock(self) -> int:
        """The time of the workspace, in ms."""
        return self._service.engine.now if self._service.core.clock == "log" else wall_ms()

    def _now(self, at: int) -> int:
        """The time by which something of a moment (ms) may be late: by the log's clock nothing ever is."""
        return at if self._service.core.clock == "log" else self.clock()

    def fired(self, firing: Firing, event: Event | None, fresh: Sequence[Delivery]) -> Iterator[Delivery]:
        """What becomes of a firing at first; nothing for one of somebody who was forgotten."""
        if firing.row is None:
            return
        subject = Subject(self._service, self._outbox, firing.row, fresh)
        trigger = self._service.workspace.triggers.get(firing.trigger)
        if trigger is None:
            yield _passed(firing.id, firing, subject, "", firing.at, NO_TRIGGER)
            return
        moment = firing.at + (trigger.policy.delay_ms or 0)
        for destination in trigger.to:
            case = self._case(firing, trigger, destination, subject, self._now(firing.at), moment)
            yield self._decided(self._named(firing, case, fresh), firing, case, subject, event)

    def waited(self, delivery: Delivery, event: Event | None, fresh: Sequence[Delivery]) -> Delivery:
        """What becomes of a delivery that has waited until it was due."""
        firing = firing_of(delivery)
        subject = Subject(self._service, self._outbox, delivery.row, fresh)
        trigger = self._service.workspace.triggers.get(firing.trigger)
        if trigger is None:
            return _passed(delivery.id, firing, subject, delivery.destination, delivery.due, NO_TRIGGER)
        now = self._now(delivery.due)
        case = self._case(firing, trigger, delivery.destination, subject, now, delivery.due)
        return self._decided(delivery.id, firing, case, subject, event)

    def _named(self, firing: Firing, case: Case, fresh: Sequence[Delivery]) -> str:
        """The id of a message, settled once: that of its firing, unless another trigger's message to the same
        destination has it. Only changes are what several triggers fire for under one id.
        """
        if firing.change is None or not self._has_company(case):
            return firing.id
        carriers = self._outbox.carriers(firing.id, case.destination) | {
            each.trigger
            for each in fresh
            if (each.id, each.destination) == (firing.id, case.destination) and each.state is not State.PASSED
        }
        return message_id(firing.id, firing.trigger) if carriers - {firing.trigger} else firing.id

    def _has_company(self, case: Case) -> bool:
        """Whether another trigger, whatever its status, tells the destination of the same segment."""
        triggers = self._service.workspace.triggers.values()
        return any(
            each.name != case.trigger.name
            and case.destination in each.to
            and isinstance(each.form, OnSegment)
            and isinstance(case.trigger.form, OnSegment)
            and each.form.segment == case.trigger.form.segment
            for each in triggers
        )

    def _case(
        self,
        firing: Firing,
        trigger: TriggerDefinition,
        destination: str,
        subject: Subject,
        now: int,
        moment: int,
    ) -> Case:
        zone = self._service.workspace.settings.timezone
        return Case(firing.id, trigger, destination, subject.user_id, now, moment, zone)

    def _decided(
        self, identifier: str, firing: Firing, case: Case, subject: Subject, event: Event | None
    ) -> Delivery:
        found = ruling(case, subject.facts)
        decision = _word(found, case.destination)
        metrics.TRIGGERED.labels(case.trigger.name, decision.value).inc()
        reason = "" if found is None else f"{found.rule}: {found.says}"
        passed = _passed(identifier, firing, subject, case.destination, case.moment, reason)
        if found is None:
            known = self.known(firing, case.trigger, subject, lambda: event)
            text = body(replace(known, id=identifier))
            return _bounded(replace(passed, state=decision, channel=case.channel, body=text))
        if found.until is None:
            return passed
        return replace(passed, state=decision, body=_encode(_said(firing)), due=found.until)

    def known(
        self, firing: Firing, trigger: TriggerDefinition, subject: Subject, event: Callable[[], Event | None]
    ) -> Known:
        """What the payload of a firing can be made of."""
        features = [
            name.removeprefix(_FEATURE) for name in names_in(trigger.payload) if name.startswith(_FEATURE)
        ]
        return Known(
            id=firing.id,
            firing=firing,
            trigger=trigger,
            user_id=subject.user_id,
            user=lambda: subject.view_with(features),
            account=lambda: subject.account,
            event=event,
        )


def _word(found: Finding | None, destination: str) -> State:
    if found is None:
        return State.SENT if destination == STREAM else State.PENDING
    return State.PASSED if found.holds else State.WAITING


def _bounded(delivery: Delivery) -> Delivery:
    size = len(delivery.body)
    if size <= DELIVERY_BYTES_MAX:
        return delivery
    why = f"its body has {size:,} bytes, {DELIVERY_BYTES_MAX:,} are allowed"
    return replace(delivery, state=State.DEAD, reason=why, body=b"")


def _passed(
    identifier: str, firing: Firing, subject: Subject, destination: str, moment: int, reason: str
) -> Delivery:
    return Delivery(
        id=identifier,
        trigger=firing.trigger,
        destination=destination,
        row=subject.row,
        user_id=subject.user_id,
        at=firing.at,
        moment=moment,
        state=State.PASSED,
        reason=reason,
    )


_encode = msgspec.json.Encoder().encode


def _said(firing: Firing) -> dict[str, Json]:
    return {**asdict(firing), "cause": firing.cause.value}


def firing_of(delivery: Delivery) -> Firing:
    """The firing that a waiting delivery comes from."""
    said = msgspec.json.decode(delivery.body)
    return Firing(**{**said, "cause": Cause(said["cause"])})

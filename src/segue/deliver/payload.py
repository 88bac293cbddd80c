"""Writes what is sent: the template of a trigger with the values of the moment in it, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from segue.domain.event import Event, Json
from segue.domain.time import format_instant
from segue.log.firings import Firing
from segue.segments.nodes import Plain
from segue.segments.triggers.definition import TriggerDefinition
from segue.segments.triggers.on import OnSegment
from segue.segments.triggers.payload import PLACEHOLDER
from segue.service.views import UserView

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Known:
    """What a payload can be made of; what is a function is asked only when the payload needs it.

    ``id`` is that of the message.
    """

    id: str
    firing: Firing
    trigger: TriggerDefinition
    user_id: str
    user: Callable[[], UserView]
    account: Callable[[], Mapping[str, Json]]
    event: Callable[[], Event | None]

    @property
    def segment(self) -> str | None:
        """The segment that was entered or left."""
        form = self.trigger.form
        return form.segment if isinstance(form, OnSegment) else None


def body(known: Known) -> bytes:
    """What is sent, as JSON."""
    template = known.trigger.payload
    return _encode(happened(known) if template is None else filled(template, known))


def happened(known: Known) -> dict[str, Json]:
    """What happened and to whom: a change as it is written everywhere, or what comes nearest to one."""
    firing = known.firing
    found: dict[str, Json] = {} if firing.change is None else {"seq": firing.change}
    found |= {"id": known.id, "trigger": known.trigger.name, "user_id": known.user_id}
    if known.segment is not None:
        found["segment"] = known.segment
    found |= {"action": firing.action, "at": format_instant(firing.at), "cause": cause(known)}
    event = known.event()
    if firing.action == "seen" and event is not None:
        found["event"] = {
            name: _of_event(event, name) for name in ("name", "type", "timestamp", "properties")
        }
    if firing.detail is not None:
        found["item"] = firing.detail
    return found


def cause(known: Known) -> dict[str, Json]:
    """What made it fire, as changes say it."""
    found: dict[str, Json] = {"type": known.firing.cause.value}
    event = known.event()
    if event is not None:
        found["message_id"] = event.message_id
    return found


def filled(template: Plain, known: Known) -> Json:
    """A template with its placeholders replaced."""
    if isinstance(template, dict):
        return {key: filled(value, known) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, known) for value in template]
    if not isinstance(template, str):
        return template
    whole = PLACEHOLDER.fullmatch(template.strip())
    if whole is not None:
        return value_of(whole[1], known)
    return PLACEHOLDER.sub(lambda found: _spelled(value_of(found[1], known)), template)


def value_of(name: str, known: Known) -> Json:
    """What a placeholder stands for; None for what is missing."""
    root, *path = name.split(".")
    if root == "user":
        return _of_user(path, known)
    if root == "event":
        event = known.event()
        return None if event is None else _walked(_of_event(event, path[0]), path[1:])
    if root == "item":
        return _walked(known.firing.detail, path)
    if root in ("features", "scores"):
        view = known.user()
        return (view.features if root == "features" else view.scores).get(path[0])
    firing = known.firing
    return {
        "id": known.id,
        "trigger": known.trigger.name,
        "at": format_instant(firing.at),
        "action": firing.action,
        "cause": firing.cause.value,
        "segment": known.segment,
    }[root]


def _of_user(path: list[str], known: Known) -> Json:
    if path[0] == "id":
        return known.user_id
    if path[0] == "segments":
        return [each.name for each in known.user().segments]
    return _walked(known.user().traits if path[0] == "traits" else known.account(), path[1:])


def _of_event(event: Event, part: str) -> Json:
    if part == "timestamp":
        return format_instant(event.timestamp)
    if part == "properties":
        return event.traits if event.type in ("identify", "group") else event.properties
    return getattr(event, part)


def _walked(value: Json, path: list[str]) -> Json:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _spelled(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _encode(value).decode()

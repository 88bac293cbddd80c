"""What an operand gives at a moment, and the events that made it so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from segue.analysis.scores import Reasons, Witness
from segue.analysis.values import MISSING, Shown, shown, shown_json
from segue.domain.event import Event, Json
from segue.domain.limits import EXPLAINED_EVENTS_MAX
from segue.domain.number import micro_of
from segue.domain.time import format_instant
from segue.language.interpret import Replacement, seen_by_where
from segue.language.interpret.evaluate import counted_in, value_in
from segue.language.interpret.scene import Scene
from segue.language.reading import is_literal, is_raw, kind_of, present, walk
from segue.language.speller import spell
from segue.language.tree import (
    Aggregate,
    AllTime,
    Arithmetic,
    Elapsed,
    EventPattern,
    Kind,
    Operand,
    Sequence,
    SinceEvent,
    Trait,
)

_NUMERIC = ("sum", "avg", "min", "max")
_READ = {Kind.NUMBER: "number", Kind.TEXT: "text", Kind.TRUTH: "truth value", Kind.TIME: "time"}


@dataclass(frozen=True, slots=True)
class CountedEvent:
    """An event that counted: when, which, and the value of the property or trait that was asked for.

    ``passed_over`` says that a number was asked for and it has none, so that it adds nothing.
    """

    at: int
    type: str
    name: str | None
    message_id: str
    value: Shown | None = None
    passed_over: bool = False

    @property
    def title(self) -> str:
        """The event as conditions name it."""
        return f'"{self.name}"' if self.name is not None else self.type

    def to_json(self) -> dict[str, Json]:
        """The event as a JSON object; ``value`` is there when a property was asked for."""
        found: dict[str, Json] = {
            "timestamp": format_instant(self.at),
            "type": self.type,
            "name": self.name,
            "message_id": self.message_id,
        }
        if self.value is not None:
            found["value"] = self.value.value
        if self.passed_over:
            found["passed_over"] = True
        return found


@dataclass(frozen=True, slots=True)
class Observed:
    """An operand with its value. ``events`` are those that counted, newest first, of ``events_total``.

    ``after`` is the event from which a window of the kind ``since last(…)`` counts; ``note`` says why a value
    that was sent is missing here; ``made_of`` are the operands inside. Of what a model says, ``reasons`` tell
    why it says so, and ``replaced`` is what a person says in its place.
    """

    text: str
    value: Shown
    events: tuple[CountedEvent, ...] = ()
    events_total: int = 0
    after: CountedEvent | None = None
    note: str | None = None
    made_of: tuple[Observed, ...] = ()
    reasons: Reasons | None = None
    replaced: Replacement | None = None

    @property
    def is_of_a_model(self) -> bool:
        """Whether a model's word is in it: that is written anew without anything happening."""
        said = self.reasons is not None or self.replaced is not None
        return said or any(each.is_of_a_model for each in self.made_of)

    def to_json(self) -> dict[str, Json]:
        """The operand as a JSON object."""
        found: dict[str, Json] = {
            "text": self.text,
            "value": self.value.to_json(),
            "events": [event.to_json() for event in self.events],
            "events_total": self.events_total,
        }
        if self.after is not None:
            found["after"] = self.after.to_json()
        if self.note is not None:
            found["note"] = self.note
        if self.made_of:
            found["made_of"] = [part.to_json() for part in self.made_of]
        if self.replaced is not None:
            found["override"] = _word(self.replaced)
        if self.reasons is not None:
            found["reasons"] = self.reasons.to_json()
        return found


def observe(operand: Operand, kind: Kind, scene: Scene, against: Json = None) -> Observed:
    """An operand read under a kind; rounding keeps it apart from ``against``, which it is compared with."""
    value = shown(value_in(operand, kind, scene), kind, against)
    text = spell(operand)
    match operand:
        case Arithmetic():
            made_of = tuple(observe(each, Kind.NUMBER, scene) for each in dict.fromkeys(_measured(operand)))
            return Observed(text, value, made_of=made_of)
        case Elapsed():
            inner = () if is_literal(operand.time) else (observe(operand.time, Kind.TIME, scene),)
            return Observed(text, value, made_of=inner)
        case Trait():
            return _trait(operand, kind, value, scene)
        case Aggregate() | Sequence():
            return _aggregate(operand, kind, value, scene)
    return Observed(text, value)


def _measured(operand: Operand) -> Iterator[Operand]:
    """What arithmetic reckons with, numbers that are spelled out apart."""
    if isinstance(operand, Arithmetic):
        yield from _measured(operand.left)
        yield from _measured(operand.right)
    elif not is_literal(operand):
        yield operand


def _aggregate(operand: Aggregate | Sequence, kind: Kind, value: Shown, scene: Scene) -> Observed:
    counted = counted_in(operand, scene)[::-1]
    path = operand.path if isinstance(operand, Aggregate) else ()
    deciding = _deciding(operand, counted)[:EXPLAINED_EVENTS_MAX]
    after = None
    if isinstance(operand.window, SinceEvent):
        anchors = scene.matching(operand.window.event, operand.window.window)
        if anchors:
            after = _counted(anchors[-1 if operand.window.which == "last" else 0], ())
    note = None
    if is_raw(operand) and deciding:
        note = _unread(walk(seen_by_where(deciding[0]), path), kind, value)
    events = tuple(_counted(event, path) for event in deciding)
    if isinstance(operand, Aggregate) and operand.name in _NUMERIC:
        events = tuple(replace(each, passed_over=_is_no_number(each)) for each in events)
    return Observed(spell(operand), value, events, len(counted), after, note)


def _is_no_number(event: CountedEvent) -> bool:
    return event.value is None or micro_of(event.value.value) is None


def _deciding(operand: Aggregate | Sequence, counted: list[Event]) -> list[Event]:
    """The events that the value comes from, newest first: one alone for the ends of time."""
    if isinstance(operand, Aggregate) and operand.name in ("last", "latest"):
        return counted[:1]
    if isinstance(operand, Aggregate) and operand.name in ("first", "earliest"):
        return counted[-1:]
    return counted


def _word(word: Replacement) -> Json:
    until = None if word.until is None else format_instant(word.until)
    found = {"value": word.value, "until": until, "by": word.by, "why": word.why}
    return {key: said for key, said in found.items() if said is not None}


def _said(operand: Trait, value: Shown, scene: Scene) -> Observed:
    """What a model says, or a person in its place; no event tells it."""
    text, name = spell(operand), operand.path[0]
    if not isinstance(scene, Witness):
        return Observed(text, value)
    return Observed(text, value, reasons=scene.why(name), replaced=scene.word((operand.owner, name)))


def _trait(operand: Trait, kind: Kind, value: Shown, scene: Scene) -> Observed:
    if operand.owner in ("score", "cluster"):
        return _said(operand, value, scene)
    setting = [event for event in _trait_events(operand, scene) if operand.path[0] in event.traits]
    newest = setting[-1:]
    raw = scene.trait(operand.path, operand.owner)
    events = tuple(_counted(event, operand.path) for event in newest)
    return Observed(spell(operand), value, events, len(setting), note=_unread(raw, kind, value))


def _trait_events(operand: Trait, scene: Scene) -> list[Event]:
    """The visible events that write the trait's owner, in order."""
    if operand.owner == "user":
        return scene.matching(EventPattern("identify"), AllTime())
    calls = scene.matching(EventPattern("group"), AllTime())
    if not calls or calls[-1].group_id is None:
        return []
    events = scene.person.account_events.get(calls[-1].group_id, ())
    visible = [each for each in events if each.received_at <= scene.now and each.timestamp <= scene.now]
    return sorted(visible, key=lambda each: each.order)


def _unread(raw: Json, kind: Kind, value: Shown) -> str | None:
    if value is not MISSING or not present(raw):
        return None
    return f"{shown_json(raw).text} is no {_READ.get(kind, 'value that can be compared here')}"


def _counted(event: Event, path: tuple[str, ...]) -> CountedEvent:
    value = shown_json(walk(seen_by_where(event), path)) if path else None
    return CountedEvent(event.timestamp, event.type, event.name, event.message_id, value)


def counted_event(event: Event) -> CountedEvent:
    """An event as explanations show it."""
    return _counted(event, ())


def own_kind(operand: Any) -> Kind:
    """The kind under which an operand by itself is shown; raw values as they were sent."""
    return Kind.UNKNOWN if is_raw(operand) else kind_of(operand)

"""Holds triggers against what they name, and has the engine follow what they wait for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace

from segue.domain.errors import SegueError
from segue.domain.number import MICRO
from segue.domain.time import parse_instant
from segue.language import tree
from segue.language.checker import check_condition, features_in
from segue.language.findings import suggestion
from segue.segments.check import Checking
from segue.segments.origin import Origin
from segue.segments.triggers.definition import STREAM, TriggerDefinition
from segue.segments.triggers.on import (
    On,
    OnCondition,
    OnEvent,
    OnItem,
    OnSegment,
    item_conditions,
    pattern_condition,
    read_on,
)
from segue.segments.triggers.payload import UNKNOWN, Names, fault_of, names_in

NO_DESTINATION = "E483"
NO_SEGMENT = "E484"
CROSSING = "E485"
NEVER = "E486"
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def check_triggers(
    checking: Checking, triggers: Mapping[str, TriggerDefinition], destinations: Collection[str]
) -> None:
    """Notes what is wrong with triggers; what the engine is to follow for live ones goes to the watches."""
    check = _Check(checking, destinations)
    for trigger in triggers.values():
        check.trigger(trigger)


class _Check:
    def __init__(self, checking: Checking, destinations: Collection[str]) -> None:
        self._checking = checking
        self._destinations = (*sorted(destinations), STREAM)
        self._segments = checking.scope.segments or frozenset()

    def trigger(self, trigger: TriggerDefinition) -> None:
        form = self._form(trigger)
        self._features(trigger, form)
        if form is not None:
            watches = self._watches(trigger, form)
            if trigger.live:
                self._checking.watches.update(watches)
            self._payload(trigger, form)
        self._names(trigger)
        self._dates(trigger)

    def _form(self, trigger: TriggerDefinition) -> On | None:
        try:
            return read_on(trigger.on)
        except SegueError as refused:
            self._checking.note(refused, trigger.origins.get("on"), f"trigger {trigger.name}")
            return None

    def _watches(self, trigger: TriggerDefinition, form: On) -> dict[str, tree.Condition]:
        if isinstance(form, OnCondition):
            return self._crossing(trigger, form)
        self._not_crossing(trigger)
        if isinstance(form, OnSegment):
            self._segment(form.segment, trigger.origins.get("on"))
        elif isinstance(form, OnEvent):
            self._condition(trigger, pattern_condition(form.pattern))
            if form.condition is not None:
                found = self._condition(trigger, form.condition)
                return {} if found is None else {trigger.holds: found}
        else:
            self._item(trigger, form)
        return {}

    def _item(self, trigger: TriggerDefinition, form: OnItem) -> None:
        """Takes any reading of the item's values; what is told is of the first, where they are texts."""
        texts = [*item_conditions(form.condition)]
        for text in texts:
            with suppress(SegueError):
                check_condition(text, self._checking.scope)
                return
        self._condition(trigger, texts[0])

    def _features(self, trigger: TriggerDefinition, form: On | None) -> None:
        """Takes note of the features that are in use."""
        named = {name.removeprefix("features.") for name in names_in(trigger.payload)}
        for text in conditions_of(form):
            with suppress(SegueError):  # its check reports it
                named |= features_in(text)
        self._checking.used_features[f"trigger {trigger.name}"] = frozenset(named)

    def _condition(self, trigger: TriggerDefinition, text: str) -> tree.Condition | None:
        return self._checking.condition(text, trigger.origins.get("on"), f"trigger {trigger.name}")

    def _not_crossing(self, trigger: TriggerDefinition) -> None:
        for key in ("crossing", "hysteresis"):
            if getattr(trigger, key):
                hint = f"take {key} out; of a segment, `entered or left` says what is waited for"
                message = f"{key} is for triggers that wait for a condition"
                self._checking.refuse(CROSSING, message, hint, trigger.origins.get(key))

    def _crossing(self, trigger: TriggerDefinition, form: OnCondition) -> dict[str, tree.Condition]:
        holds = self._condition(trigger, form.when)
        if holds is None:
            return {}
        rests = back(holds, trigger.hysteresis) if trigger.hysteresis else None
        if (trigger.hysteresis or trigger.crossing) and threshold(holds) is None:
            key = "hysteresis" if trigger.hysteresis else "crossing"
            message = f"{key} needs a number that is compared with a threshold"
            hint = 'write the condition like `feature("engagement") > 80`, or take the key out'
            self._checking.refuse(CROSSING, message, hint, trigger.origins.get(key))
            return {}
        return {trigger.holds: holds} if rests is None else {trigger.holds: holds, trigger.rests: rests}

    def _segment(self, name: str, origin: Origin | None) -> None:
        if name not in self._segments:
            hint = suggestion(name, self._segments, "define it, or write the name of one there is")
            self._checking.refuse(NO_SEGMENT, f'there is no segment "{name}"', hint, origin)

    def _names(self, trigger: TriggerDefinition) -> None:
        for name in trigger.policy.unless:
            self._segment(name, trigger.place_of("unless", name))
        for name in trigger.to:
            if name not in self._destinations:
                hint = suggestion(name, self._destinations, "there are " + ", ".join(self._destinations))
                message = f'there is no destination "{name}"'
                self._checking.refuse(NO_DESTINATION, message, hint, trigger.place_of("to", name))

    def _payload(self, trigger: TriggerDefinition, form: On) -> None:
        scope = self._checking.scope
        names = Names(
            scope.features.keys(), scope.models, isinstance(form, OnSegment), isinstance(form, OnItem)
        )
        for name in names_in(trigger.payload):
            fault = fault_of(name, names)
            if fault is not None:
                message = f"{{{{{name}}}}}: {fault[0]}"
                self._checking.refuse(UNKNOWN, message, fault[1], trigger.place_of("payload", name))

    def _dates(self, trigger: TriggerDefinition) -> None:
        zone = self._checking.scope.zone
        starts, ends = (
            None if each is None else parse_instant(each, zone)
            for each in (trigger.policy.starts, trigger.policy.ends)
        )
        if starts is not None and ends is not None and ends <= starts:
            message = f"trigger {trigger.name} ends before it starts"
            self._checking.refuse(NEVER, message, "exchange the dates", trigger.origins.get("ends"))


def conditions_of(form: On | None) -> tuple[str, ...]:
    """The texts of the condition language in what a trigger waits for."""
    if isinstance(form, OnCondition):
        return (form.when,)
    if isinstance(form, OnEvent):
        pattern = pattern_condition(form.pattern)
        return (pattern,) if form.condition is None else (pattern, form.condition)
    return (next(item_conditions(form.condition)),) if isinstance(form, OnItem) else ()


def threshold(holds: tree.Condition) -> tuple[str, int] | None:
    """How a value is compared with a number, the value on the left, and that number in millionths."""
    if not isinstance(holds, tree.Compare) or holds.op not in _MIRRORED:
        return None
    if isinstance(holds.right, tree.Number):
        return holds.op, holds.right.micro
    if isinstance(holds.left, tree.Number):
        return _MIRRORED[holds.op], holds.left.micro
    return None


def rises(holds: tree.Condition) -> bool:
    """Whether a condition begins to hold when its value rises; so do all without a threshold."""
    found = threshold(holds)
    return found is None or found[0] in (">", ">=")


def back(holds: tree.Condition, hysteresis: float) -> tree.Condition | None:
    """Holds when the value has gone back behind the threshold by that much; None where there is none."""
    found = threshold(holds)
    if found is None or not isinstance(holds, tree.Compare):
        return None
    op, micro = found
    moved = tree.Number(micro - round(hysteresis * MICRO) * (1 if op in (">", ">=") else -1))
    right = isinstance(holds.right, tree.Number)
    return tree.Not(replace(holds, right=moved) if right else replace(holds, left=moved))

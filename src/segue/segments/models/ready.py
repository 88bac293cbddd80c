"""What a short form stands for: the target, the population and the features of ready-made models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from segue.domain.planned import PropertyPlan
from segue.domain.time import DAY, format_duration
from segue.language import tree
from segue.language.printer import key, quoted
from segue.language.types import NUMERIC
from segue.language.walk import walk
from segue.learned.models.value import CHANCES, MEASURES, features_of
from segue.segments.definitions import EventPlan
from segue.segments.models.definition import ModelDefinition

READY_KINDS: Mapping[str, str] = {
    "churn": "churn",
    "likely_to_buy": "propensity",
    "likely_to_upgrade": "propensity",
    "lifetime_value": "value",
    "habits": "clusters",
    "lookalike": "lookalike",
}
"""The kind of each ready-made model."""
_EVENTS: Mapping[str, str] = {
    "churn": "Order Completed",
    "likely_to_buy": "Order Completed",
    "likely_to_upgrade": "Plan Upgraded",
    "lifetime_value": "Order Completed",
}
"""What they are about unless the definition says otherwise."""
_POPULATIONS: Mapping[str, str] = {
    "churn": "count({0}, last 1y) > 0",
    "likely_to_buy": "count(any, last 1y) > 0",
    "likely_to_upgrade": "count(any, last 1y) > 0 and count({0}, last {1}) == 0",
    "lifetime_value": "count({0}) > 0",
}
_OF_KIND: Mapping[str, str] = {"churn": "churn", "value": "lifetime_value"}
HORIZON_MS = 90 * DAY
AUTO_EVENTS_MAX = 12
AUTO_PROPERTIES_MAX = 2
"""Of events in a set of features by itself, and of numbers of each: more say little that is new."""
_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Measured:
    """An event that features are made of by themselves, with the paths of its numbers."""

    name: str
    paths: tuple[tuple[str, ...], ...] = ()


def filled(model: ModelDefinition, measured: Iterable[Measured]) -> ModelDefinition:
    """The definition with everything written out that its short form leaves unsaid.

    ``measured`` are the events that `features: auto` is made of. What cannot be known stays None.
    """
    ready = model.ready or _OF_KIND.get(model.kind)
    event = model.event or (_EVENTS.get(model.ready) if model.ready else None)
    horizon = model.horizon_ms or (HORIZON_MS if model.target is None else None)
    found = replace(model, event=event)
    if model.target is None and event is not None and horizon is not None:
        found = replace(found, target=_target(found, event, horizon), horizon_ms=horizon)
    if model.population is None and ready is not None and ready in _POPULATIONS and event is not None:
        spelled = _POPULATIONS[ready].format(quoted(event), format_duration(horizon or HORIZON_MS))
        found = replace(found, population=spelled)
    if model.features is None and model.kind != "upload":
        found = replace(found, features=dict(_features(found, measured, horizon or HORIZON_MS)))
    return found


def _target(model: ModelDefinition, event: str, horizon: int) -> str | None:
    name, ahead = quoted(event), f"next {format_duration(horizon)}"
    if model.kind == "churn":
        return f"count({name}, {ahead}) == 0"
    if model.kind == "value":
        return _valued(model, name, ahead)
    return f"count({name}, {ahead}) > 0" if model.kind in ("propensity", "upload", "remote") else None


def _valued(model: ModelDefinition, name: str, ahead: str) -> str:
    """What a value is held against: an amount, a number of purchases, or whether there is any."""
    measure = model.options.get("measure")
    if measure in CHANCES:
        return f"count({name}, {ahead}) > 0"
    if measure in (None, MEASURES[0]) and model.amount is not None:
        return f"sum({name}.{model.amount}, {ahead})"
    return f"count({name}, {ahead})"


def _features(
    model: ModelDefinition, measured: Iterable[Measured], horizon: int
) -> Iterator[tuple[str, str]]:
    if model.kind == "value" and model.event is not None:
        path = None if model.amount is None else tuple(model.amount.split("."))
        yield from features_of(quoted(model.event), path).items()
        return
    events = {each.name: each for each in measured}
    if model.event is not None:
        given = () if model.amount is None else (tuple(model.amount.split(".")),)
        known = events.pop(model.event, Measured(model.event))
        events = {model.event: replace(known, paths=(*given, *known.paths)), **events}
    for each in [*events.values()][:AUTO_EVENTS_MAX]:
        yield from _of_event(each, horizon)


def _of_event(event: Measured, horizon: int) -> Iterator[tuple[str, str]]:
    """Recency, frequency, rhythm and money of one event, for all time and within the last horizon."""
    name, word = quoted(event.name), _word(event.name)
    lately, recently = format_duration(max(horizon // 3, 1)), format_duration(horizon)
    yield f"{word}_count", f"count({name})"
    yield f"{word}_count_recently", f"count({name}, last {recently})"
    yield f"{word}_count_lately", f"count({name}, last {lately})"
    yield f"{word}_days", f"days({name})"
    yield f"{word}_since_last", f"since(last({name}))"
    yield f"{word}_since_first", f"since(first({name}))"
    for path in dict.fromkeys(event.paths[:AUTO_PROPERTIES_MAX]):
        spelled, part = ".".join(map(key, path)), _word("_".join(path))
        yield f"{word}_{part}_sum", f"sum({name}.{spelled})"
        yield f"{word}_{part}_sum_recently", f"sum({name}.{spelled}, last {recently})"
        yield f"{word}_{part}_avg", f"avg({name}.{spelled})"


def _word(text: str) -> str:
    """A text as part of a name."""
    found = _WORD.sub("_", text.lower()).strip("_")
    return found if found and found[0].isalpha() else f"x_{found}".rstrip("_")


def planned(plan: Mapping[str, EventPlan]) -> list[Measured]:
    """The events of a tracking plan with the numbers it names; nothing that is personal data."""
    return [Measured(name, tuple(_numbers(event.properties))) for name, event in plan.items()]


def _numbers(properties: Mapping[str, PropertyPlan]) -> Iterator[tuple[str, ...]]:
    for name, plan in properties.items():
        if plan.type in ("number", "integer") and not plan.pii:
            yield (name,)


def seen(trees: Iterable[tree.Condition | tree.Operand]) -> list[Measured]:
    """The track events that conditions name, with the numbers that they ask of them."""
    found: dict[str, dict[tuple[str, ...], None]] = {}
    for root in trees:
        for node in walk(root):
            if isinstance(node, tree.EventPattern) and node.name is not None:
                found.setdefault(node.name, {})
            elif isinstance(node, tree.Aggregate) and node.event.name is not None and node.name in NUMERIC:
                found.setdefault(node.event.name, {})[node.path] = None
    return [Measured(name, tuple(paths)) for name, paths in sorted(found.items())]

"""``segue compare``: a rule and a model of the workspace, held against each other on its own data."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.engine.program.compile import compile_definitions
from segue.language import tree
from segue.language.checker import check_condition
from segue.learned.comparing import Truths, accuracy, chosen, gains, overlap, verdict
from segue.learned.dataset import labelled, table_at
from segue.learned.features import shown_values
from segue.learned.metrics import Doubles
from segue.learned.model import Model
from segue.learned.models.upload import Upload
from segue.learned.registry import Registry
from segue.learned.ruling import rule_of
from segue.learned.spec import ModelSpec
from segue.learned.table import Table
from segue.learned.version import Version, hold
from segue.segments.fields import is_name
from segue.segments.freshness import read_by
from segue.service import asking
from segue.service.learning.training import history, read_model, spec_of
from segue.service.program import definitions_of

if TYPE_CHECKING:
    from segue.service.service import Service

_TRUTHS = ("true", "false")
_TIMED = 10_000
"""Profiles that a model is timed on."""


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """A rule and a model. ``threshold`` None takes as many people as the rule does."""

    service: Service
    rule: str
    condition: tree.Condition
    spec: ModelSpec
    version: Version
    model: Model
    threshold: float | None


def compare(
    service: Service, rule: str, name: str, number: int | None = None, threshold: float | None = None
) -> dict[str, Json]:
    """Accuracy on the latest cut-off with labels, members now, how each keeps up, and what explains them.

    ``rule`` is the name of a segment or a condition. The version is the one in force, else the latest. E860
    and E868 for what there is not, E882 for a rule that reads scores; the findings of a condition that
    cannot be read.
    """
    spec = spec_of(service, name)
    version = _version(Registry(service.data), name, number)
    if version.gives != "score":
        hint = "`segue models` shows its groups, each said as a rule"
        raise refusal("E869", f"{name} gives groups, which no rule is held against", hint)
    hold(version, spec)
    model = read_model(version)
    missing = [each for each in model.features if each not in spec.feature_names]
    if missing:
        raise refusal("E864", f"{name} reads {missing[0]}, which is not defined any more", "train it again")
    condition = _condition(service, rule)
    limit = spec.threshold if threshold is None else threshold
    sides = Sides(service, rule, condition, spec, version, model, limit)
    now = _at_now(sides)
    return {
        "rule": {"text": _text(service, rule), **now["rule"]},
        "model": {"name": name, "version": version.number, "status": version.status, **now["model"]},
        "members": now["members"],
        "accuracy": _judged(sides),
        "update": now["update"],
        "explanation": {
            "rule": _text(service, rule),
            "model": _drivers(version),
            "model_as_rule": now["as_rule"],
        },
    }


def _condition(service: Service, rule: str) -> tree.Condition:
    """A segment by its name, else a condition; a name that no segment has is E701.

    What reads a score is refused (E882): it is no rule, and at the cut-off nobody had been scored yet.
    """
    if is_name(rule) and rule not in _TRUTHS:
        condition: tree.Condition = tree.SegmentRef(service.segment(rule).name)
    else:
        condition = check_condition(rule, service.workspace.scope)
    asked = sorted(read_by(service.workspace, condition))
    if asked:
        hint = "name a segment of rules alone, or write a condition on what people did"
        raise refusal("E882", f"{rule} reads the scores of {', '.join(asked)}", hint)
    return condition


def _at_now(sides: Sides) -> dict[str, Json]:
    """Whom each takes now, and what it costs to keep up."""
    past = history(sides.service)
    started = time.perf_counter()
    table = table_at(sides.spec, past, past.engine.now)
    read = time.perf_counter()
    held = _held(sides, table, None)
    ruled = time.perf_counter()
    scores = _scores(sides, table, past.engine.now)
    taken, bound = chosen(scores, sides.threshold, int(held.sum()))
    events = max(int(table.events.sum()), 1)
    divided = bool(sides.spec.features) and taken.any() and not taken.all()
    found = rule_of(sides.spec.features, table.values, taken) if divided else None
    return {
        "rule": {"members": int(held.sum())},
        "model": {"members": int(taken.sum()), "threshold": bound, "users": len(table)},
        "members": overlap(held, taken).to_json(),
        "update": {
            "rule": {
                "when": "with each event, and to the millisecond",
                "us_per_event": (ruled - read) / events * 1e6,
            },
            "model": {
                "when": "within a second of an event, everybody on its schedule",
                "us_per_event": (read - started) / events * 1e6,
                "us_per_user": _us_per_user(sides, table),
            },
        },
        "as_rule": None if found is None else found.document(),
    }


def _judged(sides: Sides) -> Json:
    """Both on the latest cut-off whose labels are known; None of a model that foretells nothing yet."""
    spec, past = sides.spec, history(sides.service)
    if spec.target is None or spec.horizon_ms is None:
        return None
    moment = past.span(spec.rules)[1] - spec.horizon_ms
    (table,) = labelled(spec, past, [moment])
    if not len(table):
        return None
    held, scores = _held(sides, table, moment), _scores(sides, table, moment)
    taken, bound = chosen(scores, sides.threshold, int(held.sum()))
    return {
        "cut_off": format_instant(moment),
        "horizon_ms": spec.horizon_ms,
        "users": len(table),
        "base_rate": float((table.labels > 0).mean()),
        "rule": accuracy(table.labels, held),
        "model": {**accuracy(table.labels, taken), "threshold": bound},
        "verdict": verdict(table.labels, scores, held, f"the rule {sides.rule}"),
        "gains": gains(table.labels, scores),
    }


def _held(sides: Sides, table: Table, moment: int | None) -> Truths:
    """For whom of a table's profiles the rule holds, at its moment or now."""
    service = sides.service
    _, rows = asking.previewed_by_replay(
        service.engine, definitions_of(service.workspace), service.rules, sides.condition, moment
    )
    return np.isin(table.rows, rows)


def _scores(sides: Sides, table: Table, moment: int) -> Doubles:
    """What the model says of a table's profiles; where scores are handed in, what it had said by then."""
    if sides.spec.kind == Upload.word:
        return _handed_in(sides, table, moment)
    columns = [table.features.index(name) for name in sides.model.features]
    return sides.model.predict(table.values[:, columns], table.rows.astype(np.int64))


def _handed_in(sides: Sides, table: Table, moment: int) -> Doubles:
    said = tree.Trait((sides.spec.name,), sides.spec.gives, tree.Kind.NUMBER)
    value = tree.Arithmetic("+", said, tree.Number(0))
    program = compile_definitions((), sides.spec.rules, {sides.spec.name: value})
    engine = history(sides.service).as_of(program, moment)
    return shown_values(engine, program.shown[sides.spec.name], table.rows)


def _us_per_user(sides: Sides, table: Table) -> float | None:
    if sides.spec.kind == Upload.word:
        return None
    some = table.taken(np.arange(min(len(table), _TIMED)))
    if not len(some):
        return None
    started = time.perf_counter()
    _scores(sides, some, 0)
    return (time.perf_counter() - started) / len(some) * 1e6


def _drivers(version: Version) -> list[Json]:
    """The features by how much they matter, the heaviest first."""
    features = [each for each in version.card["features"] if each["importance"] is not None]
    ordered = sorted(features, key=lambda each: -each["importance"])
    return [{key: each[key] for key in ("name", "text", "importance")} for each in ordered]


def _text(service: Service, rule: str) -> str:
    segment = service.workspace.segments.get(rule)
    return rule if segment is None else segment.when.strip()


def _version(registry: Registry, name: str, number: int | None) -> Version:
    if number is not None:
        return registry.version(name, number)
    found = registry.champion(name)
    if found is None:
        versions = registry.versions(name)
        if not versions:
            raise refusal("E868", f"{name} was never trained", f"`segue train {name}` does that")
        found = versions[-1]
    return found

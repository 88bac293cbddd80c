"""One training: what is learned from, the model, and its verdict on people and times it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from segue.domain.errors import refusal
from segue.language import tree
from segue.language.walk import walk
from segue.learned.baselines import Rule, better, one_feature, past_rate, rfm_sum
from segue.learned.dataset import CutOffs, History, cut_offs, labelled, table_at
from segue.learned.gate import Verdict, judge
from segue.learned.guards import hold, too_short
from segue.learned.leaks import warnings
from segue.learned.metrics import Doubles
from segue.learned.model import HoldOut, Learned, Model, ModelKind
from segue.learned.spec import EVERYBODY, ModelSpec
from segue.learned.table import Table, stacked

GIVEN = "the rule of the definition"
_RFM = slice(1, 4)
"""Columns of a table's rules."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What there is to learn from, and the later cut-off that stands aside, if there is one to judge by."""

    training: Table
    test: Table | None
    cut_offs: CutOffs | None


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What a training came to. ``verdict`` is None where nothing is foretold that could be judged.

    ``against`` is the verdict against the model in force, on the same people.
    """

    lesson: Lesson
    learned: Learned
    hold_out: HoldOut | None
    verdict: Verdict | None
    against: Verdict | None
    warnings: Sequence[str]


def lesson(spec: ModelSpec, kind: ModelKind, history: History) -> Lesson:
    """The data set of a kind; E861 when the history is too short for a test that is later than all labels."""
    if spec.target is None or spec.horizon_ms is None or kind.learns_from == "seed":
        return Lesson(table_at(spec, history, history.engine.now), None, None)
    first, last = history.span(spec.rules)
    moments = cut_offs(first, last, spec.horizon_ms)
    if kind.learns_from == "target":
        if moments is None:
            raise too_short(spec, kind, first, last)
        *earlier, test = labelled(spec, history, [*moments.training, moments.test])
        return Lesson(stacked(earlier), test, moments)
    moment = last - spec.horizon_ms
    if moment <= first:
        raise too_short(spec, kind, first, last)
    (test,) = labelled(spec, history, [moment])
    alone = CutOffs((moment,), moment, spec.horizon_ms)
    return Lesson(test.labelled(np.full(len(test), np.nan)), test, alone)


def tried(spec: ModelSpec, kind: ModelKind, history: History, before: Model | None) -> Trial:
    """Learn a model and judge it. SegueError E861 to E864 where there is too little to learn from."""
    found = lesson(spec, kind, history)
    training, test = found.training, found.test
    hold(spec, kind, training if kind.learns_from != "features" or test is None else test)
    if test is not None:
        _differs(spec, test)
    learned = kind.learn(spec, training, before)
    held = learned.hold_out if test is None else _held_out(learned.model, test)
    suspicious = [] if test is None else warnings(training, _now(spec, history, training))
    if not kind.metric or held is None:
        return Trial(found, learned, held, None, None, suspicious)
    judged, metric = training if test is None else test, metric_of(spec, kind)
    rule, verdict = rule_to_beat(spec, training, judged, metric), None
    if rule is not None:
        verdict = judge(held.labels, held.predictions, rule.ranking, metric, rule.name)
    against = None if test is None else against_champion(before, held, test, metric)
    return Trial(found, learned, held, verdict, against, suspicious)


def metric_of(spec: ModelSpec, kind: ModelKind) -> str:
    """By what a model is judged: chances by their ranking, amounts by what their kind says."""
    return kind.metric if isinstance(spec.target, tree.Operand) else "auc"


def rule_to_beat(spec: ModelSpec, training: Table, judged: Table, metric: str) -> Rule | None:
    """The rule that was given, else the best of those that are found.

    Rankings are held against one feature with a bound and against recency, frequency and money, amounts
    against what everybody brought so far, at the same rate.
    """
    if spec.baseline is not None:
        return Rule(GIVEN, judged.rules[:, 0])
    if metric == "mae":
        return _rate(spec, judged)
    labels = training.labels
    if not np.isfinite(labels).any():
        training, labels = judged, judged.labels
    rules = [one_feature(training.features, training.values, labels, judged.values)]
    there = np.isfinite(training.rules[:, _RFM]).any(axis=0)
    if there.any():
        columns = np.flatnonzero(there) + 1
        rules.append(rfm_sum(training.rules[:, columns], labels, judged.rules[:, columns], metric))
    found = [rule for rule in rules if rule is not None]
    return better(found, judged.labels, metric) if found else None


def _rate(spec: ModelSpec, judged: Table) -> Rule | None:
    """What everybody brought so far, in the unit of the target: money, or how often."""
    if spec.target is None or spec.horizon_days is None:
        return None
    asked = {node.name for node in walk(spec.target) if isinstance(node, tree.Aggregate)}
    amounts = judged.rules[:, 3 if "sum" in asked else 2]
    if not np.isfinite(amounts).any():
        return None
    return past_rate(np.column_stack((amounts, judged.rules[:, 4])), spec.horizon_days)


def against_champion(before: Model | None, held: HoldOut, test: Table, metric: str) -> Verdict | None:
    """How the new model stands against the one in force; None when that cannot be asked of these features."""
    if before is None or not set(before.features) <= set(test.features) or not before.features:
        return None
    columns = [test.features.index(name) for name in before.features]
    said = before.predict(test.values[:, columns], test.rows.astype(np.int64))
    return judge(held.labels, held.predictions, said, metric, "the model in force")


def _held_out(model: Model, test: Table) -> HoldOut:
    return HoldOut(test.labels, model.predict(test.values, test.rows.astype(np.int64)), test.values)


def _now(spec: ModelSpec, history: History, training: Table) -> Doubles:
    """The features, at the end of the log, of those who were learned from; missing for who is gone."""
    ahead = replace(spec, population=EVERYBODY)
    table = table_at(ahead, history, history.engine.now)
    places = {row: place for place, row in enumerate(table.rows.tolist())}
    found = np.full(training.values.shape, np.nan)
    there = np.array([places.get(row, -1) for row in training.rows.tolist()], np.int64)
    found[there >= 0] = table.values[there[there >= 0]]
    return found


def _differs(spec: ModelSpec, test: Table) -> None:
    """Refuse a later cut-off at which everybody is labelled alike: nothing could be judged by it."""
    if not len(test) or np.ptp(test.labels) == 0:
        hint = "let the target or the population tell people apart, or give it a longer history"
        message = f"at the later cut-off the target of {spec.name} is the same for all {len(test):,} users"
        raise refusal("E863", message, hint)

"""What is measured of models on every set."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from benchmarks.figures import Figure
from benchmarks.ml.sets import Doubles, Shown, folds
from segue.learned.baselines import rfm_sum
from segue.learned.gate import Verdict, judge
from segue.learned.grouping import centroids_of, moved, nearest
from segue.learned.metrics import auc, calibration_error, precision_at
from segue.learned.model import Model, ModelKind
from segue.learned.models import KINDS
from segue.learned.registry import Registry
from segue.learned.scaling import Scaling
from segue.learned.spec import ModelSpec
from segue.learned.table import Table
from segue.service.learning.training import train

_SEEDS = range(2, 12)


def learned(spec: ModelSpec, table: Table, before: Model | None = None) -> Model:
    """The model that its kind makes of a table."""
    return KINDS[spec.kind].learn(spec, table, before).model


def cross_validated(kind: ModelKind, spec: ModelSpec, table: Table, parts: int = 5) -> Doubles:
    """What models say of rows that they did not see."""
    part = folds(len(table), parts)
    said = np.empty(len(table))
    for number in range(parts):
        model = kind.learn(spec, table.taken(part != number), None).model
        hidden = table.taken(part == number)
        said[part == number] = model.predict(hidden.values, hidden.rows.astype(np.int64))
    return said


def quality(
    what: str,
    labels: Doubles,
    said: Doubles,
    auc_min: float | None = None,
    top_min: float | None = None,
    ece_max: float | None = None,
) -> Iterator[Figure]:
    """Ranking, the top tenth, and how far chances are from shares."""
    yield Figure(f"{what}: AUC", auc(labels, said), "", auc_min, True)
    yield Figure(f"{what}: precision of the top tenth", precision_at(labels, said), "", top_min, True)
    if ece_max is not None:
        yield Figure(f"{what}: calibration error", calibration_error(labels, said), "", ece_max)


def off(what: str, by: float, within: float) -> Figure:
    """How far something is from what it is to be."""
    return Figure(what, abs(by), "", within)


def deviations(what: str, found: Mapping[str, float], published: Mapping[str, float]) -> Iterator[Figure]:
    """Parameters against the published ones: within one in a hundred."""
    for name, value in published.items():
        by = abs(found[name] / value - 1)
        yield Figure(f"{what}: {name} {found[name]:.4g}, off {value:g} by", by, "", 0.01)


def steadiness_of_seeds(table: Table, spec: ModelSpec, moved_max: float, what: str) -> Iterator[Figure]:
    """How many change their group with the seed alone; with the same seed nobody does."""
    points = Scaling.of(table.values).points(table.values)
    groups = int(spec.options["groups"])
    first = nearest(points, centroids_of(points, groups, 1))
    again = nearest(points, centroids_of(points, groups, 1))
    yield off(f"k-means, {what}: moved by the same seed", float(np.mean(first != again)), 0)
    shares = [moved(first, nearest(points, centroids_of(points, groups, seed)), groups) for seed in _SEEDS]
    mean = float(np.mean(shares))
    yield Figure(f"k-means, {what}: moved by another seed, mean of {len(shares)}", mean, "", moved_max)
    yield Figure(f"k-means, {what}: moved by another seed, most", max(shares), "", moved_max)


def served(what: str, model: Model, table: Table) -> Iterator[Figure]:
    """One row's time, and how far drivers are from the score."""
    values, rows = table.values, table.rows.astype(np.int64)
    times = []
    for place in range(200):
        at = place % len(rows)
        began = time.perf_counter()
        model.predict(values[at : at + 1], rows[at : at + 1])
        times.append(time.perf_counter() - began)
    yield Figure(f"{what}: one row", float(np.median(times)) * 1e3, "ms", 1.0)
    if not model.labels:
        drivers = model.explain(values, rows)
        raw = linked(model.predict(values, rows), drivers.link)
        apart = np.abs(drivers.base + drivers.contributions.sum(axis=1) - raw)
        yield Figure(f"{what}: drivers off the score, most", float(np.nanmax(apart)), "", 1e-6)


def linked(said: Doubles, link: str) -> Doubles:
    """Predictions before their link."""
    if link == "logit":
        return np.log(said / (1 - said))
    return np.log(said) if link == "log" else said


def rfm(table: Table) -> Doubles:
    """The sum of grades for recency, frequency and money."""
    values = table.rules[:, 1:4]
    return rfm_sum(values, table.labels, values, "auc").ranking


def against(what: str, labels: Doubles, said: Doubles, rule: Doubles, passes: bool) -> Iterator[Figure]:
    """The gate's verdict on a model and a rule, which has to be the one that is expected."""
    yield from verdict(what, judge(labels, said, rule, rule_name="the sum of R, F and M"), passes)


def verdict(what: str, found: Verdict, passes: bool) -> Iterator[Figure]:
    """A verdict as figures: the interval, and whether the gate does what it is to do."""
    yield Figure(f"gate, {what}: gain over {found.rule_name}", found.difference, found.metric)
    yield Figure(f"gate, {what}: lower bound", found.low, found.metric, 0.0 if not passes else None)
    word = "passed" if passes else "refused"
    yield Figure(f"gate, {what}: {word}, as it is to be", float(found.passed is passes), "", 1, True)


def relabelled(table: Table, examples: npt.NDArray[np.bool_]) -> Table:
    """The same people with other examples among them."""
    return replace(table, labels=examples.astype(np.float64))


def hidden_quality(
    kind: ModelKind, spec: ModelSpec, table: Table, draws: int = 3, share: float = 0.2
) -> tuple[float, float]:
    """(AUC, lift of the top tenth) of finding hidden examples from a share of them, mean of some draws."""
    positive = np.flatnonzero(table.labels > 0)
    found = []
    for draw in range(draws):
        seeds = np.zeros(len(table), np.bool_)
        count = round(share * len(positive))
        seeds[np.random.default_rng(draw).choice(positive, count, replace=False)] = True
        model = kind.learn(spec, relabelled(table, seeds), None).model
        said = model.predict(table.values, table.rows.astype(np.int64))[~seeds]
        labels = table.labels[~seeds]
        found.append((auc(labels, said), precision_at(labels, said) / (labels > 0).mean()))
    areas, lifts = zip(*found, strict=True)
    return float(np.mean(areas)), float(np.mean(lifts))


def gate(shop: Shown, name: str, what: str, passes: bool) -> Iterator[Figure]:
    """The verdict of `segue train` on a later cut-off: in force when it passes, else a candidate."""
    trained = train(shop.service, name)
    found = trained.trial.verdict
    assert found is not None
    yield from verdict(what, found, passes)
    in_force = Registry(shop.service.data).champion(name) is not None
    yield Figure(f"gate, {what}: in force", float(in_force), "", float(passes), passes)

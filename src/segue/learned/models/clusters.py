"""Groups of people with like habits, found by k-means; each named, measured and said as a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.learned.documents import broken, doubles, part, texts
from segue.learned.grouping import (
    Labels,
    Steadiness,
    centroids_of,
    matched,
    moved,
    nearest,
    squared_distances,
    steadiness,
)
from segue.learned.model import Document, Doubles, Drivers, Learned, Model, ModelKind
from segue.learned.naming import suggested
from segue.learned.ruling import rule_of
from segue.learned.scaling import Scaling
from segue.learned.spec import Guards, ModelSpec
from segue.learned.table import Table

GROUPS_MIN = 2
GROUPS_MAX = 20
_GROUPS = 5
_SEED = 20_261_122
_ROUNDS = 10
_STEADY_ROWS_MAX = 20_000
"""Of which refits are made; what is steady on them is steady on more."""
_CENTRE_DECIMALS = 9
"""Of a centre: back from its logarithm, what is nothing is some billionth of a billionth."""
_UNSTEADY = 0.75
"""Mean agreement of refits below which groups are as much chance as habit."""


@dataclass(frozen=True, slots=True)
class ClusterModel(Model):
    """Centres among scaled points; ``groups`` describes each in words, in the order of ``labels``."""

    features: tuple[str, ...]
    scaling: Scaling
    centroids: Doubles
    groups: tuple[dict[str, Json], ...]
    labels: tuple[str, ...] = ()

    def predict(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Doubles:
        """The place of the nearest centre's label; NaN for a profile that lacks what nobody lacked."""
        points = self.scaling.points(values)
        found = nearest(np.nan_to_num(points), self.centroids).astype(np.float64)
        found[np.isnan(points[:, 0])] = np.nan
        return found

    def explain(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Drivers:
        """Why this group and not the next: by how much nearer its centre is, in squared spreads."""
        points = self.scaling.points(values)
        order = np.argsort(squared_distances(points, self.centroids), axis=1, kind="stable")
        own, next_one = self.centroids[order[:, 0]], self.centroids[order[:, 1]]
        nearer = np.square(points - next_one) - np.square(points - own)
        return Drivers(0.0, self.scaling.gathered(nearer), "identity", np.full(len(self.features), np.nan))

    def document(self) -> dict[str, Json]:
        """Centres, scale and descriptions."""
        return {
            "features": [*self.features],
            "labels": [*self.labels],
            "scaling": self.scaling.document(),
            "centroids": self.centroids.tolist(),
            "groups": [*self.groups],
        }


class Clusters(ModelKind):
    """k-means with ten starts and a fixed seed on scaled signed logarithms."""

    word = "clusters"
    gives = "cluster"
    learns_from = "features"
    guards = Guards(users_min=10_000, events_min=10)
    metric = ""
    instead = "segments by rules, or groups by quantiles of recency, frequency and money"

    def learn(self, spec: ModelSpec, table: Table, before: Model | None) -> Learned:
        """The groups; those that continue a group of ``before`` keep its label. E871 for too few profiles."""
        count, table = _wanted(spec), table.at(table.cut_offs[-1])
        scaling = Scaling.of(table.values)
        points = scaling.points(table.values)
        try:
            centroids = centroids_of(points, count, _SEED)
        except ValueError as fault:
            hint = "ask for fewer groups, or give features in which people differ"
            raise refusal("E871", f"no {count} groups can be found: {fault}", hint) from fault
        places = nearest(points, centroids)
        names = suggested(spec.features, centroids[:, : len(spec.features)])
        labels, kept = _labels(before, table, places, names)
        described = _described(spec, table, places, scaling, centroids, names)
        model = ClusterModel(table.features, scaling, centroids, tuple(described), tuple(labels))
        steady = steadiness(_some(points), centroids, _ROUNDS, _SEED)
        groups = [{"label": label, **each} for label, each in zip(labels, described, strict=True)]
        return Learned(model, _metrics(steady, kept), _notes(steady), groups=groups)

    def read(self, document: Document) -> Model:
        """E865 for what is no document of clusters."""
        features, labels = texts(document, "features"), texts(document, "labels")
        scaling = Scaling.read(part(document, "scaling"), len(features))
        centroids = doubles(document, "centroids", (len(labels), len(scaling.owners)))
        groups = document.get("groups")
        if len(labels) < GROUPS_MIN or not isinstance(groups, list) or len(groups) != len(labels):
            raise broken("groups and labels are not as many, or fewer than two")
        if not all(isinstance(each, dict) for each in groups):
            raise broken("a group is not described")
        return ClusterModel(features, scaling, centroids, tuple(groups), labels)


def _wanted(spec: ModelSpec) -> int:
    wanted = spec.options.get("groups", _GROUPS)
    assert isinstance(wanted, int)
    return wanted


def _labels(
    before: Model | None, table: Table, places: Labels, names: Sequence[str]
) -> tuple[list[str], dict[str, float]]:
    """The groups' labels; and what share of people moved from one to another by learning again alone."""
    if not isinstance(before, ClusterModel) or not set(before.features) <= set(table.features):
        return [*names], {}
    columns = [table.features.index(name) for name in before.features]
    said = before.predict(table.values[:, columns], table.rows.astype(np.int64))
    known = np.isfinite(said)
    then, now = said[known].astype(np.intp), places[known]
    continued = matched(then, now, len(before.labels), len(names))
    labels: list[str] = [before.labels[old] if old is not None else "" for old in continued]
    for place, name in enumerate(names):
        if not labels[place]:
            labels[place] = _free(name, {*labels, *before.labels})
    same = {"moved_by_retraining": moved(then, now, len(names))} if len(names) == len(before.labels) else {}
    return labels, same


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(f"{name}_{number}" for number in range(2, len(taken) + 3) if f"{name}_{number}" not in taken)


def _described(
    spec: ModelSpec, table: Table, places: Labels, scaling: Scaling, centroids: Doubles, names: Sequence[str]
) -> list[dict[str, Json]]:
    """Each group by its suggested name, its size, its centre in the features' units, and its rule."""
    described = []
    for place, name in enumerate(names):
        inside = places == place
        centre = scaling.values(centroids[place])
        rule = rule_of(spec.features, table.values, inside)
        described.append({
            "suggestion": name,
            "size": int(inside.sum()),
            "share": float(inside.mean()),
            "centre": {
                feature: None if np.isnan(at) else round(float(at), _CENTRE_DECIMALS)
                for feature, at in zip(table.features, centre, strict=True)
            },
            "rule": None if rule is None else rule.document(),
        })  # fmt: skip
    return described


def _some(points: Doubles) -> Doubles:
    if len(points) <= _STEADY_ROWS_MAX:
        return points
    return points[np.random.default_rng(_SEED).choice(len(points), _STEADY_ROWS_MAX, replace=False)]


def _metrics(steady: Steadiness, kept: dict[str, float]) -> dict[str, float]:
    return {
        "agreement_of_refits": steady.agreement,
        "agreement_of_refits_min": steady.agreement_min,
        "moved_by_resampling": steady.moved,
        "moved_by_resampling_max": steady.moved_max,
        **kept,
    }


def _notes(steady: Steadiness) -> tuple[str, ...]:
    if steady.agreement >= _UNSTEADY:
        return ()
    finding = f"refits on resampled people agree by {steady.agreement:.2f} only"
    return (f"not steady: {finding}, and {steady.moved:.0%} change their group; ask for fewer groups",)

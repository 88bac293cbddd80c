"""The chance that somebody will: logistic regression on signed logarithms, and boosting where it is better.

The line is fitted on the earlier training cut-offs, and its chances are put right on the latest one: there
what was said is held against what happened. Boosting is tried where there are enough users, and taken only
where it ranks that latest cut-off better beyond chance; small data rarely lets it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.learned.boosting import Boosted, fit_boosted
from segue.learned.calibration import Calibration, fit_calibration
from segue.learned.documents import broken, double, doubles, part, texts
from segue.learned.extras import need, there
from segue.learned.gate import judge
from segue.learned.model import Document, Doubles, Drivers, Learned, Model, ModelKind
from segue.learned.scaling import Scaling
from segue.learned.spec import Guards, ModelSpec
from segue.learned.table import Table

BOOSTING = Guards(users_min=10_000, events_min=10)
"""What boosting asks for: below it, a line ranks better."""
_LATER_SHARE = 5
"""One user in so many stands aside where there is one cut-off only."""
_STRENGTH = 1.0
_STEPS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class LogisticModel(Model):
    """Weights of scaled points, and what puts their log odds right."""

    features: tuple[str, ...]
    scaling: Scaling
    weights: Doubles
    intercept: float
    calibration: Calibration
    labels: tuple[str, ...] = ()

    def predict(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Doubles:
        """Chances; NaN for a profile that lacks what nobody lacked."""
        return self.calibration.chances(self.scaling.points(values) @ self.weights + self.intercept)

    def explain(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Drivers:
        """What each feature adds to the log odds, counted from the mean of those it learned from."""
        parts = self.scaling.gathered(self.scaling.points(values) * self.weights)
        base = self.calibration.of(self.intercept)
        return Drivers(base, self.calibration.slope * parts, "logit", self.scaling.typical)

    def with_calibration(self, calibration: Calibration) -> LogisticModel:
        """The same line, put right otherwise."""
        return replace(self, calibration=calibration)

    def document(self) -> dict[str, Json]:
        """All numbers."""
        return {
            "form": "logistic",
            "features": [*self.features],
            "scaling": self.scaling.document(),
            "weights": self.weights.tolist(),
            "intercept": self.intercept,
            "calibration": self.calibration.document(),
        }


class Propensity(ModelKind):
    """The chance of the target within its horizon."""

    word = "propensity"
    gives = "score"
    learns_from = "target"
    guards = Guards(users_min=1_000, positives_min=100)
    instead = "a rule on the recency and frequency of events, or `kind: value` for those who buy"

    def learn(self, spec: ModelSpec, table: Table, before: Model | None) -> Learned:
        """E863 when the target holds for everybody or for nobody in one of the slices."""
        need("sklearn", "scipy")
        earlier, later = slices(table)
        _both(spec, earlier)
        _both(spec, later)
        line = _line(earlier)
        rows = later.rows.astype(np.int64)
        chances = line.predict(later.values, rows)
        notes, model = [], calibrated(line, later)
        if enough_to_boost(spec, earlier):
            boosted = fit_boosted(earlier) if there("lightgbm") else None
            if boosted is None:
                notes.append("boosting was not tried: lightgbm is not installed")
            else:
                verdict = judge(
                    later.labels, boosted.predict(later.values, rows), chances, rule_name="the line"
                )
                notes.append(
                    f"boosting against the line on the latest training cut-off: {verdict.sentence()}"
                )
                model = calibrated(boosted, later) if verdict.passed else model
        return Learned(model, _measured(model), notes)

    def read(self, document: Document) -> Model:
        """A line, or a boosted model."""
        if document.get("form") == "boosted":
            return Boosted.read(document)
        names = texts(document, "features")
        scaling = Scaling.read(part(document, "scaling"), len(names))
        weights = doubles(document, "weights", (len(scaling.owners),))
        if document.get("form") != "logistic":
            raise broken("it is neither a line nor a boosted model")
        calibration = Calibration.read(part(document, "calibration"))
        return LogisticModel(names, scaling, weights, double(document, "intercept"), calibration)


def slices(table: Table) -> tuple[Table, Table]:
    """What is fitted on, and the later slice; of one cut-off alone, other users stand aside."""
    moments = table.cut_offs
    if len(moments) > 1:
        return table.taken(table.moments < moments[-1]), table.at(moments[-1])
    aside = (
        table.rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(33)
    ) % _LATER_SHARE == 0
    return table.taken(~aside), table.taken(aside)


def enough_to_boost(spec: ModelSpec, table: Table) -> bool:
    """Whether boosting may be tried: 10,000 users of 10 events each, unless the definition says otherwise."""
    asked = None if spec.guards is None else spec.guards.boosting_min
    busy = table.taken(table.events >= BOOSTING.events_min)
    return busy.users >= (BOOSTING.users_min if asked is None else asked)


def calibrated(model: LogisticModel | Boosted, later: Table) -> LogisticModel | Boosted:
    """The model with its log odds put right by a later slice; its ranking stays."""
    raw = model.explain(later.values, later.rows.astype(np.int64))
    found = fit_calibration(raw.base + raw.contributions.sum(axis=1), later.labels)
    return model.with_calibration(found)


def _line(table: Table) -> LogisticModel:
    from sklearn.linear_model import LogisticRegression

    scaling = Scaling.of(table.values)
    points = scaling.points(table.values)
    known = np.isfinite(points).all(axis=1)
    fitted = LogisticRegression(C=_STRENGTH, max_iter=_STEPS_MAX).fit(points[known], table.labels[known] > 0)
    weights, intercept = fitted.coef_[0].astype(np.float64), float(fitted.intercept_[0])
    return LogisticModel(table.features, scaling, weights, intercept, Calibration())


def _both(spec: ModelSpec, table: Table) -> None:
    """Refuse a slice without a difference to learn."""
    positives = int((table.labels > 0).sum())
    if positives in (0, len(table)):
        what = "for everybody" if positives else "for nobody"
        hint = "let the target or the population tell people apart, or give it a longer history"
        raise refusal(
            "E863",
            f"the target of {spec.name} holds {what}: among {len(table):,} there is no difference",
            hint,
        )


def _measured(model: LogisticModel | Boosted) -> dict[str, float]:
    return {"calibration_slope": model.calibration.slope, "calibration_shift": model.calibration.shift}

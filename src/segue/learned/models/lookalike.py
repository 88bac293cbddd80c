"""Who is like those on a list or in a segment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.learned.bagging import FOLDS, Linear, fit_likeness, folds_of
from segue.learned.documents import double, doubles, part, texts
from segue.learned.model import Document, Doubles, Drivers, HoldOut, Learned, Model, ModelKind
from segue.learned.scaling import Scaling
from segue.learned.spec import Guards, ModelSpec
from segue.learned.table import Table

_SEED = 20_261_122
"""Of the random draws: the same data gives the same model."""


@dataclass(frozen=True, slots=True)
class LookalikeModel(Model):
    """A line for each fold of the profiles, learned from all the others."""

    features: tuple[str, ...]
    scaling: Scaling
    lines: Linear
    labels: tuple[str, ...] = ()

    def predict(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Doubles:
        """From 0 to 1; .5 for whoever is as much like the examples as like the others. It is no chance."""
        log_odds = self.lines.log_odds(self.scaling.points(values), folds_of(rows))
        return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -700.0, 700.0)))

    def explain(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Drivers:
        """What each feature adds to the log odds, counted from the mean of all profiles."""
        points = self.scaling.points(values)
        contributions = self.scaling.gathered(points * self.lines.weights[folds_of(rows)])
        return Drivers(self.lines.offset, contributions, "logit", self.scaling.typical)

    def document(self) -> dict[str, Json]:
        """The lines and what they are scaled by."""
        return {
            "features": [*self.features],
            "scaling": self.scaling.document(),
            "weights": self.lines.weights.tolist(),
            "offset": self.lines.offset,
        }


class Lookalike(ModelKind):
    """Logistic regression in bags of examples and others; nobody is scored by a line that saw them."""

    word = "lookalike"
    gives = "score"
    learns_from = "seed"
    guards = Guards(users_min=1_000, events_min=0, positives_min=50)
    instead = "a rule that says what the examples have in common"

    def learn(self, spec: ModelSpec, table: Table, before: Model | None) -> Learned:
        """E872 when a fold is left without examples, or without anybody else."""
        scaling = Scaling.of(table.values)
        points, folds = scaling.points(table.values), folds_of(table.rows.astype(np.int64))
        examples = table.labels > 0
        try:
            lines = fit_likeness(points, examples, folds, _SEED)
        except ValueError as fault:
            hint = "put more people on the seed list, and let the population be wider than it"
            message = f"{int(examples.sum()):,} of {len(table):,} are examples; too few, or all"
            raise refusal("E872", message, hint) from fault
        model = LookalikeModel(table.features, scaling, lines)
        predictions = model.predict(table.values, table.rows.astype(np.int64))
        hold_out = HoldOut(table.labels, predictions, table.values)
        metrics = {"examples": float(examples.sum()), "folds": float(FOLDS)}
        return Learned(model, metrics, hold_out=hold_out)

    def read(self, document: Document) -> Model:
        """E865 for what is no document of a lookalike."""
        features = texts(document, "features")
        scaling = Scaling.read(part(document, "scaling"), len(features))
        weights = doubles(document, "weights", (FOLDS, len(scaling.owners)))
        return LookalikeModel(features, scaling, Linear(weights, double(document, "offset")))

"""Boosted trees by LightGBM: kept as its own text, with exact contributions of the features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from segue.domain.event import Json
from segue.learned.calibration import Calibration
from segue.learned.documents import broken, doubles, part, texts
from segue.learned.extras import need
from segue.learned.metrics import Doubles
from segue.learned.model import Drivers, Model

if TYPE_CHECKING:
    from segue.learned.table import Table

PARAMETERS: Mapping[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.02,
    "num_leaves": 7,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "num_threads": 2,
    "seed": 20_261_122,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}
"""Small trees and small steps: what did best on the public sets of tens of thousands of users."""
ROUNDS = 300


@dataclass(frozen=True)
class Boosted(Model):
    """LightGBM's text, and what puts its log odds right; ``lacked`` is which features anybody lacked."""

    features: tuple[str, ...]
    text: str = field(repr=False)
    lacked: Doubles
    calibration: Calibration
    labels: tuple[str, ...] = ()

    @cached_property
    def _booster(self) -> Any:
        need("lightgbm")
        import lightgbm

        try:
            booster = lightgbm.Booster(model_str=self.text)
        except lightgbm.basic.LightGBMError as fault:
            raise broken(f"LightGBM does not read its trees: {fault}") from fault
        if booster.num_feature() != len(self.features):
            raise broken("its trees ask for other features than it names")
        return booster

    def with_calibration(self, calibration: Calibration) -> Boosted:
        """The same trees, put right otherwise."""
        return replace(self, calibration=calibration)

    def predict(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Doubles:
        """Chances; NaN for a profile that lacks what nobody lacked."""
        if not len(values):
            return np.zeros(0)
        raw = self._booster.predict(values, raw_score=True, num_threads=PARAMETERS["num_threads"])
        return self._known(values, self.calibration.chances(np.asarray(raw, np.float64)))

    def explain(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Drivers:
        """Shapley values of the trees, exact; the base is what they say of nobody in particular."""
        typical = np.full(len(self.features), np.nan)
        if not len(values):
            return Drivers(self.calibration.shift, np.zeros(values.shape), "logit", typical)
        told = np.asarray(self._booster.predict(values, pred_contrib=True), np.float64)
        parts = self.calibration.slope * told[:, :-1]
        parts[np.isnan(self._known(values, np.zeros(len(values))))] = np.nan
        return Drivers(self.calibration.of(float(told[0, -1])), parts, "logit", typical)

    def document(self) -> dict[str, Json]:
        """The text with all around it."""
        return {
            "form": "boosted",
            "features": [*self.features],
            "lightgbm": self.text,
            "lacked": self.lacked.tolist(),
            "calibration": self.calibration.document(),
        }

    @classmethod
    def read(cls, document: Mapping[str, Json]) -> Boosted:
        """What :meth:`document` wrote; E865 when it is none."""
        text, names = document.get("lightgbm"), texts(document, "features")
        if not isinstance(text, str) or not text.startswith("tree"):
            raise broken("it holds no text of LightGBM")
        lacked = doubles(document, "lacked", (len(names),))
        return cls(names, text, lacked, Calibration.read(part(document, "calibration")))

    def _known(self, values: Doubles, said: Doubles) -> Doubles:
        return np.where((~np.isfinite(values) & (self.lacked == 0)).any(axis=1), np.nan, said)


def fit_boosted(table: Table) -> Boosted:
    """Trees on the features as they are; LightGBM takes what is missing as such."""
    import lightgbm

    data = lightgbm.Dataset(table.values, label=(table.labels > 0).astype(np.int8), free_raw_data=True)
    booster = lightgbm.train(dict(PARAMETERS), data, num_boost_round=ROUNDS)
    lacked = (~np.isfinite(table.values)).mean(axis=0)
    return Boosted(table.features, booster.model_to_string(), lacked, Calibration())

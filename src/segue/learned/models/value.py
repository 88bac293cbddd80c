"""What a customer will bring: BG/NBD for how often they buy again, Gamma-Gamma for how much each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np
import numpy.typing as npt

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.language.printer import key
from segue.learned.buying import Buyers, Buying, fit_buying
from segue.learned.documents import broken, double, doubles, part
from segue.learned.model import Document, Doubles, Drivers, Learned, Model, ModelKind
from segue.learned.spec import Guards, ModelSpec
from segue.learned.spending import Alike, Spending, fit_spending
from segue.learned.table import Table

FEATURES = ("purchases", "since_first", "since_last", "spent_again")
"""Days with a purchase; days since the first and since the last; what was spent after the first."""
MEASURES = ("amount", "purchases", "again", "alive")
"""What a score says: the amount or the number of purchases expected within the horizon, the chance of any
purchase within it, or that the customer is one still."""
CHANCES = frozenset(("again", "alive"))
"""Those that are chances."""


def features_of(event: str, path: tuple[str, ...] | None) -> dict[str, str]:
    """How the features are written for purchases that are an event, and an amount that is a path in it.

    Purchases of one day count as one; where only their number matters there is no path.
    """
    amount = f"0 * count({event})"
    if path is not None:
        amount = f"sum({event}.{'.'.join(map(key, path))}, since first({event}))"
    texts = (f"days({event})", f"since(first({event}))", f"since(last({event}))", amount)
    return dict(zip(FEATURES, texts, strict=True))


@dataclass(frozen=True, slots=True)
class ValueModel(Model):
    """Both models' parameters, in days; ``typical`` is the customer that drivers compare with."""

    measure: str
    horizon_days: float
    buying: Buying
    spending: Spending | Alike | None
    typical: Doubles
    features: tuple[str, ...] = FEATURES
    labels: tuple[str, ...] = ()

    def predict(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Doubles:
        """NaN for whoever never bought."""
        return self._said(values)

    def explain(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Drivers:
        """Shapley values against the typical customer: exact, as there are sixteen mixtures of the two."""
        return Drivers(*_shares(self._said, values, self.typical), "identity", self.typical)

    def document(self) -> dict[str, Json]:
        """The parameters by their usual names."""
        buying = self.buying
        return {
            "measure": self.measure,
            "horizon_days": self.horizon_days,
            "buying": {"r": buying.r, "alpha": buying.alpha, "a": buying.a, "b": buying.b},
            "spending": None if self.spending is None else self.spending.document(),
            "typical": self.typical.tolist(),
        }

    def _said(self, values: Doubles) -> Doubles:
        purchases, since_first, since_last, spent = values.T
        bought = (purchases >= 1) & np.isfinite(values).all(axis=1)
        repeats = np.where(bought, purchases - 1.0, 0.0)
        age = np.where(bought, since_first, 0.0)
        last = np.clip(age - np.where(bought, since_last, 0.0), 0.0, age)
        if self.measure == "alive":
            found = self.buying.alive(repeats, last, age)
        elif self.measure == "again":
            found = self.buying.again(self.horizon_days, repeats, last, age)
        else:
            found = self.buying.expected(self.horizon_days, repeats, last, age)
        if self.measure == "amount":
            assert self.spending is not None
            mean = np.where(repeats > 0, spent / np.maximum(repeats, 1.0), 0.0)
            found = found * self.spending.expected(repeats, mean)
        return np.where(bought, found, np.nan)


class Value(ModelKind):
    """Customer lifetime value that needs no labels: it learns from when people bought, not from what came."""

    word = "value"
    gives = "score"
    learns_from = "features"
    guards = Guards(users_min=500, events_min=0, positives_min=100)
    metric = "mae"
    instead = "a rule on what was spent so far"

    def learn(self, spec: ModelSpec, table: Table, before: Model | None) -> Learned:
        """Both models by maximum likelihood over all who bought; E870 where there is no highest point."""
        latest = table.at(table.cut_offs[-1])
        values = latest.values[:, [latest.features.index(name) for name in FEATURES]]
        values = values[np.isfinite(values).all(axis=1) & (values[:, 0] >= 1)]
        repeats, age, spent = values[:, 0] - 1.0, values[:, 1], values[:, 3]
        last = np.clip(age - values[:, 2], 0.0, age)
        measure = _measured(spec)
        try:
            buying = fit_buying(Buyers.of(repeats, last, age))
            spending = (
                fit_spending(repeats, spent / np.maximum(repeats, 1.0)) if measure == "amount" else None
            )
        except ValueError as fault:
            hint = "give it a longer history, or use a rule on what was bought so far"
            raise refusal("E870", f"the value of customers cannot be learned: {fault}", hint) from fault
        horizon = spec.horizon_days
        if horizon is None:
            hint = 'give the target a horizon, for example: target: sum("Order Completed".revenue, next 90d)'
            raise refusal("E870", f"the model {spec.name} has no horizon", hint)
        model = ValueModel(measure, horizon, buying, spending, np.median(values, axis=0))
        metrics = {"r": buying.r, "alpha": buying.alpha, "a": buying.a, "b": buying.b}
        return Learned(
            model, {**metrics, "buyers": float(len(values)), "repeaters": float((repeats > 0).sum())}
        )

    def read(self, document: Document) -> Model:
        """E865 for what is no document of a value model."""
        measure = document.get("measure")
        if measure not in MEASURES:
            raise broken("measure says nothing known")
        buying = part(document, "buying")
        spending = None if document.get("spending") is None else _spending(part(document, "spending"))
        if measure == "amount" and spending is None:
            raise broken("spending is missing")
        parameters = Buying(*(_positive(buying, name) for name in ("r", "alpha", "a", "b")))
        typical = doubles(document, "typical", (len(FEATURES),))
        return ValueModel(str(measure), _positive(document, "horizon_days"), parameters, spending, typical)


def _measured(spec: ModelSpec) -> str:
    """What is asked for: unless said the amount, where there is one, else the number of purchases."""
    given = "amount" in spec.options
    found = str(spec.options.get("measure", MEASURES[0] if given else MEASURES[1]))
    if found == MEASURES[0] and not given:
        hint = "write `amount: revenue`, the property that holds it, or `measure: purchases`"
        raise refusal("E870", f"the model {spec.name} does not say what a purchase comes to", hint)
    return found


def _spending(document: Mapping[str, Json]) -> Spending | Alike:
    if "each" in document:
        return Alike(_positive(document, "each"))
    found = Spending(*(_positive(document, name) for name in ("p", "q", "v")))
    if found.q <= 1.0:
        raise broken("q is not above 1")
    return found


def _positive(document: Mapping[str, Json], name: str) -> float:
    found = double(document, name)
    if found <= 0:
        raise broken(f"{name} is not above 0")
    return found


def _shares(said: Callable[[Doubles], Doubles], values: Doubles, typical: Doubles) -> tuple[float, Doubles]:
    """(what is said of the typical row, the Shapley values of each feature): they sum to what is said."""
    count = values.shape[1]
    told: dict[frozenset[int], Doubles] = {}
    for size in range(count + 1):
        for kept in combinations(range(count), size):
            mixed = np.broadcast_to(typical, values.shape).copy()
            mixed[:, kept] = values[:, kept]
            told[frozenset(kept)] = said(mixed)
    shares = np.zeros_like(values)
    for known, before in told.items():
        for feature in set(range(count)) - known:
            orders = factorial(len(known)) * factorial(count - len(known) - 1)
            shares[:, feature] += orders / factorial(count) * (told[known | {feature}] - before)
    base = float(said(typical[None, :])[0])
    return base, np.where(np.isnan(told[frozenset(range(count))])[:, None], np.nan, shares)

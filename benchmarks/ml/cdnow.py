"""CDNOW: value by the published tables, propensity against a simple rule, groups, and counts of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.figures import Figure
from benchmarks.ml.measures import (
    against,
    cross_validated,
    deviations,
    gate,
    learned,
    off,
    quality,
    rfm,
    served,
    steadiness_of_seeds,
)
from benchmarks.ml.sets import Shown, cdnow, shown
from segue.learned.buying import Buyers, Buying
from segue.learned.metrics import captured_at, mean_absolute_error
from segue.learned.models import KINDS
from segue.learned.models.value import ValueModel
from segue.learned.spending import Spending

ORDER = '"Order Completed"'
WEEK_DAYS = 7
HALF = "1997-09-30"
"""The last day of the first 39 weeks, which are learned from; the other 39 are foretold."""
AHEAD = "next 273d"

VALUE = {
    "kind": "value",
    "event": "Order Completed",
    "amount": "revenue",
    "target": f"sum({ORDER}.revenue, {AHEAD})",
    "population": f"count({ORDER}) > 0",
}
BUYS = {
    "kind": "propensity",
    "event": "Order Completed",
    "amount": "revenue",
    "target": f"count({ORDER}, {AHEAD}) > 0",
    "population": f"count({ORDER}) > 0",
}
BUYS_SOON = {**BUYS, "target": f"count({ORDER}, next 91d) > 0"}
HABITS = {
    "kind": "clusters",
    "population": f"count({ORDER}) > 0",
    "groups": 5,
    "features": {
        "since_last": f"since(last({ORDER}))",
        "orders": f"count({ORDER})",
        "spent": f"sum({ORDER}.revenue)",
    },
    "guards": {"events": 1, "reason": "three orders each in all"},
}
COUNTS = {
    f"count({ORDER}) >= 1": 23_570,
    f"since(last({ORDER})) < 30d": 1_739,
    f"since(last({ORDER})) > 180d": 16_321,
    f"sum({ORDER}.revenue) >= 200": 1_691,
    f"sum({ORDER}.revenue, last 90d) >= 100": 759,
    f"sum({ORDER}.revenue) >= 100 and count({ORDER}, last 90d) == 0": 1_976,
}
"""Members as of 1997-10-01, counted with pandas."""


def run() -> Iterator[Figure]:
    """The sample of the published tables, then everybody."""
    with shown(cdnow(sample=True), {"worth": VALUE}) as sample:
        yield from published(sample, SAMPLE)
    with shown(cdnow(), {"worth": VALUE, "buys": BUYS, "soon": BUYS_SOON, "habits": HABITS}) as everybody:
        yield from published(everybody, FULL)
        yield from worth(everybody)
        yield from buys(everybody)
        yield from gate(everybody, "soon", "CDNOW, segue train, 91 d ahead", passes=True)
        people = everybody.table("habits", HALF)
        yield from served("clusters", learned(everybody.spec("habits"), people), people)
        yield from steadiness_of_seeds(people, everybody.spec("habits"), 0.03, "CDNOW")
        yield from counted(everybody)


@dataclass(frozen=True)
class Published:
    """What a table says; ``within`` is how near the log-likelihood has to come."""

    what: str
    parameters: Mapping[str, float]
    amounts: Mapping[str, float]
    likelihood: float
    within: float


SAMPLE = Published(
    "sample",
    {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426},
    {"p": 6.25, "q": 3.74, "v": 15.44},
    -9_582.4,
    0.1,
)
FULL = Published(
    "full",
    {"r": 0.252, "alpha": 4.79, "a": 0.723, "b": 2.16},
    {"p": 6.28, "q": 3.62, "v": 14.98},
    -95_368.4,
    1.0,
)


def published(shop: Shown, table_of: Published) -> Iterator[Figure]:
    """BG/NBD and Gamma-Gamma against the published tables, which count in weeks."""
    what = table_of.what
    (table,) = shop.labelled("worth", HALF)
    model = learned(shop.spec("worth"), table)
    assert isinstance(model, ValueModel)
    assert isinstance(model.spending, Spending)
    fitted = model.buying
    weeks = Buying(fitted.r, fitted.alpha / WEEK_DAYS, fitted.a, fitted.b)
    yield from deviations(f"BG/NBD, {what}", asdict(weeks), table_of.parameters)
    purchases, first, last, _ = table.values.T
    buyers = Buyers.of(purchases - 1, (first - last) / WEEK_DAYS, first / WEEK_DAYS)
    found = weeks.log_likelihood(buyers)
    apart = found - table_of.likelihood
    yield off(f"BG/NBD, {what}: log-likelihood, off {table_of.likelihood} by", apart, table_of.within)
    yield from deviations(f"Gamma-Gamma, {what}", asdict(model.spending), table_of.amounts)
    if what == "sample":
        one = weeks.expected(39, np.array([2.0]), np.array([30.43]), np.array([38.86]))[0]
        yield off("E[Y(39)] of x 2, t 30.43, T 38.86: off 1.226 by", float(one) - 1.226, 0.001)


def worth(shop: Shown) -> Iterator[Figure]:
    """Spending of the second 39 weeks."""
    (table,) = shop.labelled("worth", HALF)
    model = learned(shop.spec("worth"), table)
    said = model.predict(table.values, table.rows.astype(np.int64))
    yield Figure("CLV, CDNOW: MAE", mean_absolute_error(table.labels, said), "USD", 36)
    yield Figure("CLV, CDNOW: revenue of the top tenth", captured_at(table.labels, said), "", 0.51, True)
    ratio = float(said.sum() / table.labels.sum())
    yield Figure("CLV, CDNOW: total foretold / actual", ratio, "", 0.75, True)
    yield Figure("CLV, CDNOW: total foretold / actual", ratio, "", 1.1)
    yield from served("value", model, table)
    yield from gate(shop, "worth", "CLV, CDNOW, 273 d ahead", passes=True)


def buys(shop: Shown) -> Iterator[Figure]:
    """Who orders within the second 39 weeks, each fifth foretold by the other four."""
    (table,) = shop.labelled("buys", HALF)
    said = cross_validated(KINDS["propensity"], shop.spec("buys"), table)
    yield from quality("propensity, CDNOW 39/39, features: auto", table.labels, said, 0.767, 0.785, 0.02)
    rule = rfm(table)
    yield from quality("    beside it, the sum of R, F and M", table.labels, rule)
    yield from against("CDNOW 39/39", table.labels, said, rule, passes=True)
    yield from served("propensity", learned(shop.spec("buys"), table), table)


def counted(shop: Shown) -> Iterator[Figure]:
    """Members of simple rules, exactly."""
    for condition, expected in COUNTS.items():
        found = shop.count(condition, "1997-09-30T23:59:59.999Z")
        yield off(f"{condition}: {found:,} members, off by", found - expected, 0)

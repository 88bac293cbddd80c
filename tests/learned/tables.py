"""Made-up people to learn from: what they do hangs on who they are, with noise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from segue.domain.event import Json
from segue.domain.time import DAY
from segue.language.checker import check_condition, check_operand
from segue.language.scope import Scope
from segue.learned.buying import Buying
from segue.learned.models.value import features_of
from segue.learned.spec import FeatureSpec, ModelSpec
from segue.learned.table import Table

TEXTS = {
    "orders": 'count("Order")',
    "spent": 'sum("Order".revenue)',
    "since_last": 'since(last("Order"))',
    "age": "trait.age",
    "vip": "trait.vip == true",
}
VALUE_TEXTS = features_of('"Order"', ("revenue",))


def spec_of(kind: str, gives: str = "score", options: Mapping[str, Json] | None = None) -> ModelSpec:
    """A model of some kind on these people."""
    texts = VALUE_TEXTS if kind == "value" else TEXTS
    features = tuple(
        FeatureSpec(name, text, (check_condition if name == "vip" else check_operand)(text, Scope()))
        for name, text in texts.items()
    )
    return ModelSpec(
        "m", kind, gives, features, horizon_ms=90 * DAY, options={"amount": "revenue", **(options or {})}
    )


def histories(truth: Buying, people: int, age: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(purchases after the first, time from the first to the last) of buyers as the model has them."""
    random = np.random.default_rng(seed)
    rates = random.gamma(truth.r, 1 / truth.alpha, people)
    chances = random.beta(truth.a, truth.b, people)
    repeats, last = np.zeros(people), np.zeros(people)
    for person, (rate, chance) in enumerate(zip(rates, chances, strict=True)):
        at = random.exponential(1 / rate)
        while at <= age:
            repeats[person] += 1
            last[person] = at
            if random.random() < chance:
                break
            at += random.exponential(1 / rate)
    return repeats, last


def purchases_of(count: int, seed: int) -> np.ndarray:
    """The features of a value: buyers of one cohort, 300 days after their first purchase."""
    repeats, last = histories(Buying(0.6, 40.0, 0.8, 2.5), count, 300.0, seed)
    each = np.random.default_rng(seed).gamma(6.0, 6.0, count)
    return np.column_stack([repeats + 1, np.full(count, 300.0), 300.0 - last, np.round(repeats * each, 2)])


def table_of(kind: str, count: int = 1_200, seed: int = 1) -> Table:
    """People with features, some without an age, and labels that depend on them."""
    random = np.random.default_rng(seed)
    orders = random.geometric(0.35, count).astype(np.float64)
    first = random.uniform(200, 600, count)
    last = np.where(orders > 1, first * random.uniform(0.02, 0.9, count), first)
    spent = np.round(orders * random.gamma(3, 12, count), 2)
    age = np.where(random.random(count) < 0.2, np.nan, random.uniform(18, 80, count))
    vip = (random.random(count) < 0.3).astype(np.float64)
    values = np.column_stack([orders, spent, last, age, vip])
    if kind == "value":
        values = purchases_of(count, seed)
    odds = 1.2 * np.log(orders) - 0.006 * last + 0.8 * vip - 0.2
    labels = (random.random(count) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    moments = np.where(np.arange(count) < count // 2, 1_000 * DAY, 1_100 * DAY)
    if kind in ("clusters", "lookalike", "value", "remote"):
        moments = np.full(count, 1_100 * DAY)
    rows = random.permutation(count).astype(np.int32)
    features = tuple(VALUE_TEXTS if kind == "value" else TEXTS)
    rules = np.column_stack([np.full(count, np.nan), last, orders, spent])
    return Table(features, rows, moments, values, labels, np.full(count, 20), rules)

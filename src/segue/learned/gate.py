"""Whether a model is worth it: it must beat a simple rule on later data, beyond what chance could do.

Both rank the same people, who are drawn again and again with replacement; the interval is that of the
difference between the two on the same draws. A lower bound above zero opens the gate. A rule that says less
than nothing is no bar: then the model has to beat what can be said of everybody alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from segue.domain.event import Json
from segue.learned.metrics import METRICS, TITLES, Doubles, ranks, spelled

DRAWS = 1_000
CONFIDENCE = 0.95
_SEED = 20_261_122
Weighed = Callable[[Doubles], float]
"""The metric of people who count as often as their weight says."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a model stands against a rule: the metric of both, their difference and its interval.

    ``rule_name`` says which rule, ``users`` on how many it was judged, ``passed`` whether the gate opens.
    """

    metric: str
    model: float
    rule: float
    rule_name: str
    difference: float
    low: float
    high: float
    users: int

    @property
    def passed(self) -> bool:
        """Whether the model is better beyond chance."""
        return self.low > 0

    def to_json(self) -> dict[str, Json]:
        """As one object."""
        return {
            "metric": self.metric,
            "model": self.model,
            "rule": self.rule,
            "rule_name": self.rule_name,
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
            "users": self.users,
            "passed": self.passed,
        }

    def sentence(self) -> str:
        """The verdict as people read it."""
        return sentence(self.to_json())


def sentence(verdict: Mapping[str, Json]) -> str:
    """A verdict's JSON as people read it; null stands for what is not defined, as NaN does."""
    metric = verdict["metric"]
    values = [verdict[key] for key in ("model", "rule", "difference", "low", "high")]
    if any(value is None or math.isnan(value) for value in values):
        return f"refused: it cannot be judged by {TITLES[metric]}, everybody is alike"
    model, rule, difference, low, high = values
    word = "passed" if verdict["passed"] else "refused"
    return (
        f"{word}: {TITLES[metric]} {spelled(metric, model)} against {spelled(metric, rule)} of "
        f"{verdict['rule_name']}, better by {difference:+.4f} [{low:+.4f}, {high:+.4f}] "
        f"on {verdict['users']:,} users"
    )


def judge(
    labels: Doubles, model: Doubles, rule: Doubles, metric: str = "auc", rule_name: str = "the rule"
) -> Verdict:
    """The verdict on people of whom all three are known; the same arrays give the same verdict."""
    known = np.isfinite(labels) & np.isfinite(model)
    labels, model, rule = labels[known], model[known], lowest(rule[known])
    measure = METRICS[metric]
    of_model, of_rule = measure(labels, model), measure(labels, rule)
    weighed = _WEIGHED[metric](labels, rule)
    blind = _blind(labels, metric)
    if of_rule < blind.value:
        rule_name = f"{blind.name}, which {rule_name} does not come up to"
        of_rule, weighed = blind.value, blind.weighed
    differences = _differences(len(labels), _WEIGHED[metric](labels, model), weighed)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(differences, [tail, 1 - tail]) if len(differences) else (np.nan, np.nan)
    return Verdict(
        metric, of_model, of_rule, rule_name, of_model - of_rule, float(low), float(high), len(labels)
    )


def lowest(values: Doubles) -> Doubles:
    """Values that can be ranked: who has none stands last."""
    known = np.isfinite(values)
    floor = float(values[known].min()) - 1.0 if known.any() else 0.0
    return np.where(known, values, floor)


def _differences(users: int, model: Weighed, rule: Weighed) -> Doubles:
    """The differences on every draw; a draw says how often each person was drawn."""
    if not users:
        return np.zeros(0)
    random = np.random.default_rng(_SEED)
    found = np.empty(DRAWS)
    for place in range(DRAWS):
        drawn = np.bincount(random.integers(0, users, users), minlength=users)
        weights = drawn.astype(np.float64)
        found[place] = model(weights) - rule(weights)
    return found[np.isfinite(found)]


@dataclass(frozen=True, slots=True)
class _Blind:
    """What can be said of everybody alike, and how good that is."""

    name: str
    value: float
    weighed: Weighed


def _blind(labels: Doubles, metric: str) -> _Blind:
    """Of rankings chance; of amounts the one nearest to all, which only who knows the outcome can say."""
    if metric != "mae":
        chance = 0.5 if metric == "auc" else 0.0
        return _Blind("chance", chance, lambda _: chance)
    same = np.full(len(labels), np.median(labels) if len(labels) else np.nan)
    return _Blind("one amount for everybody", METRICS[metric](labels, same), _weighed_nearness(labels, same))


def _weighed_auc(labels: Doubles, predictions: Doubles) -> Weighed:
    """AUC of a draw, with the sorting done once; people of equal predictions are taken together."""
    order = np.argsort(predictions, kind="stable")
    positive = (labels[order] > 0).astype(np.float64)
    ordered = predictions[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    apart = len(starts) == len(ordered)

    def measured(weights: Doubles) -> float:
        drawn = weights[order]
        ones = drawn * positive
        others = drawn - ones
        if not apart:
            ones, others = np.add.reduceat(ones, starts), np.add.reduceat(others, starts)
        upto = np.cumsum(others)
        pairs = float(ones.sum() * upto[-1])
        # No product of vectors: a thread for each core costs more here than the numbers themselves.
        return float((ones * (upto - others / 2)).sum()) / pairs if pairs else float("nan")

    return measured


def _weighed_spearman(labels: Doubles, predictions: Doubles) -> Weighed:
    """Rank correlation of a draw, by everybody's ranks among all."""
    one, other = ranks(labels), ranks(predictions)

    def measured(weights: Doubles) -> float:
        total = weights.sum()
        first, second = one - (weights * one).sum() / total, other - (weights * other).sum() / total
        spreads = (weights * np.square(first)).sum() * (weights * np.square(second)).sum()
        return float((weights * first * second).sum() / np.sqrt(spreads)) if spreads > 0 else float("nan")

    return measured


def _weighed_nearness(labels: Doubles, predictions: Doubles) -> Weighed:
    errors = np.abs(labels - predictions)
    return lambda weights: -float((weights * errors).sum()) / float(weights.sum())


_WEIGHED: Mapping[str, Callable[[Doubles, Doubles], Weighed]] = {
    "auc": _weighed_auc,
    "spearman": _weighed_spearman,
    "mae": _weighed_nearness,
}

"""The simple rules that a model has to beat: one feature with a bound, and recency, frequency and money.

They are found on the training cut-offs and ranked by on the later one, as the model is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segue.learned.metrics import METRICS, Doubles

Truths = npt.NDArray[np.bool_]
PARTS = 5
"""Of equally many people, by which recency, frequency and money are graded."""
_BOUNDS = 50


@dataclass(frozen=True, slots=True)
class Rule:
    """A simple rule: its name for people, and how it ranks those who are judged."""

    name: str
    ranking: Doubles


def one_feature(names: Sequence[str], training: Doubles, labels: Doubles, judged: Doubles) -> Rule | None:
    """The best rule of one feature: above a bound or below it; None when no feature says anything.

    Matrices are (profiles, features), labels 0 and 1. Missing counts as failing the rule.
    """
    best: tuple[float, int, float, bool] | None = None
    for place in range(len(names)):
        for score, bound, above in _separations(training[:, place], labels > 0):
            if np.isfinite(score) and (best is None or score > best[0]):
                best = (score, place, bound, above)
    if best is None:
        return None
    _, place, bound, above = best
    sign = ">=" if above else "<="
    return Rule(f"{names[place]} {sign} {bound:.6g}", _held(judged[:, place], bound, above))


def _separations(values: Doubles, positive: Truths) -> Iterator[tuple[float, float, bool]]:
    """(AUC, bound, above) of each rule of a feature: half of one and of the difference of the shares held."""
    known = np.isfinite(values)
    order = np.argsort(values[known], kind="stable")
    ordered, hits = values[known][order], np.concatenate(([0], np.cumsum(positive[known][order])))
    ones, others = int(positive.sum()), int((~positive).sum())
    if not len(ordered) or not ones or not others:
        return
    for bound in np.unique(np.quantile(ordered, np.linspace(0, 1, _BOUNDS))).tolist():
        for above, start, stop in (
            (True, int(np.searchsorted(ordered, bound, "left")), len(ordered)),
            (False, 0, int(np.searchsorted(ordered, bound, "right"))),
        ):
            right = int(hits[stop] - hits[start])
            yield (right / ones - (stop - start - right) / others + 1) / 2, bound, above


def _held(values: Doubles, bound: float, above: bool) -> Doubles:
    held = values >= bound if above else values <= bound
    return np.where(np.isfinite(values), held, False).astype(np.float64)


def rfm_sum(training: Doubles, labels: Doubles, judged: Doubles, metric: str) -> Rule:
    """The sum of grades from 1 to 5 for recency (days ago, the less the better), frequency and money.

    Both matrices are (profiles, 3 or 2), and people are graded among each other, as is usual; who has no
    value gets the lowest grade. Where the training labels say that the low ones are those who do, as is so
    with those who leave, the sum ranks the other way round.
    """
    measure, learned, ranking = METRICS[metric], _graded(training), _graded(judged)
    name = "the sum of recency, frequency and money"
    if measure(labels, -learned) > measure(labels, learned):
        return Rule(f"{name}, the lowest first", -ranking)
    return Rule(name, ranking)


def _graded(values: Doubles) -> Doubles:
    total = np.zeros(len(values))
    for place in range(values.shape[1]):
        column = -values[:, place] if place == 0 else values[:, place]
        known = column[np.isfinite(column)]
        edges = np.quantile(known, np.linspace(0, 1, PARTS + 1)[1:-1]) if len(known) else np.zeros(0)
        total += np.where(np.isfinite(column), np.searchsorted(edges, column, side="right") + 1.0, 1.0)
    return total


def past_rate(judged: Doubles, horizon_days: float) -> Rule:
    """What each brought so far, per day since the first time, for as long as the horizon.

    ``judged`` is (profiles, 2): the amount or the number so far, and the days since the first time.
    """
    amounts, ages = np.nan_to_num(judged[:, 0]), judged[:, 1]
    aged = np.isfinite(ages) & (ages > 0)
    rates = np.divide(amounts, ages, out=np.zeros(len(judged)), where=aged)
    return Rule("what was brought so far, at the same rate", rates * horizon_days)


def better(rules: Sequence[Rule], labels: Doubles, metric: str) -> Rule:
    """The rule that ranks the judged best: the model has to beat that one."""
    scored = [(METRICS[metric](labels, rule.ranking), -place) for place, rule in enumerate(rules)]
    finite = [each if np.isfinite(each[0]) else (-np.inf, each[1]) for each in scored]
    return rules[-max(finite)[1]]

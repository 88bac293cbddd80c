"""How good predictions are, on plain arrays: each measure is a few lines and means what its name says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Metric = Callable[[Doubles, Doubles], float]
"""(labels, predictions) -> the larger the better; NaN when it is not defined, as with one label alone."""

BINS = 10


def auc(labels: Doubles, predictions: Doubles) -> float:
    """The chance that one who did is ranked above one who did not; ties count half."""
    positive = labels > 0
    count, others = int(positive.sum()), int((~positive).sum())
    if not count or not others:
        return float("nan")
    return float((ranks(predictions)[positive].sum() - count * (count + 1) / 2) / (count * others))


def average_precision(labels: Doubles, predictions: Doubles) -> float:
    """The mean precision at each one who did, going down the ranking; equal predictions count together."""
    positive = labels > 0
    if not positive.any():
        return float("nan")
    order = np.argsort(-predictions, kind="stable")
    hits, ends = np.cumsum(positive[order]), _ends(predictions[order])
    taken = hits[ends]
    precision, gained = taken / (ends + 1), np.diff(taken, prepend=0)
    return float((precision * gained).sum() / positive.sum())


def spearman(labels: Doubles, predictions: Doubles) -> float:
    """How well the order of the predictions follows that of the amounts: 1 is the same order."""
    one, other = ranks(labels), ranks(predictions)
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / scale if scale > 0 else float("nan")


def precision_at(labels: Doubles, predictions: Doubles, share: float = 0.1) -> float:
    """How many of the highest-ranked share did."""
    count = max(1, round(len(labels) * share))
    top = np.argsort(-predictions, kind="stable")[:count]
    return float((labels[top] > 0).mean())


def captured_at(labels: Doubles, predictions: Doubles, share: float = 0.1) -> float:
    """The share of all amounts that the highest-ranked share of people brought."""
    total = float(labels.sum())
    if total <= 0:
        return float("nan")
    count = max(1, round(len(labels) * share))
    return float(labels[np.argsort(-predictions, kind="stable")[:count]].sum()) / total


def brier(labels: Doubles, predictions: Doubles) -> float:
    """The mean squared distance of chances from what happened; 0 is best."""
    return float(np.square(predictions - (labels > 0)).mean())


def calibration(labels: Doubles, predictions: Doubles) -> list[tuple[float, float, int]]:
    """(mean chance, share who did, how many) in bins of equally many, by rising chance."""
    order = np.argsort(predictions, kind="stable")
    found = []
    for part in np.array_split(order, min(BINS, len(order))):
        found.append((float(predictions[part].mean()), float((labels[part] > 0).mean()), len(part)))
    return found


def calibration_error(labels: Doubles, predictions: Doubles) -> float:
    """How far chances are from shares on average over those bins (ECE); 0 is best."""
    bins = calibration(labels, predictions)
    return sum(abs(said - was) * count for said, was, count in bins) / max(len(labels), 1)


def mean_absolute_error(labels: Doubles, predictions: Doubles) -> float:
    """How far predictions are from amounts on average."""
    return float(np.abs(labels - predictions).mean())


def nearness(labels: Doubles, predictions: Doubles) -> float:
    """The mean absolute error below zero, so that larger is better here too."""
    return -mean_absolute_error(labels, predictions)


METRICS: Mapping[str, Metric] = {"auc": auc, "spearman": spearman, "mae": nearness}
"""Those by which a gate judges."""
TITLES: Mapping[str, str] = {"auc": "AUC", "spearman": "rank correlation", "mae": "mean error"}
"""How people call them."""


def spelled(metric: str, value: float) -> str:
    """A value of such a metric as people read it."""
    return f"{-value:,.2f}" if metric == "mae" else f"{value:.4f}"


def of_chances(labels: Doubles, predictions: Doubles) -> dict[str, float]:
    """What a card shows of predicted chances."""
    return {
        "auc": auc(labels, predictions),
        "average_precision": average_precision(labels, predictions),
        "precision_at_10": precision_at(labels, predictions),
        "brier": brier(labels, predictions),
        "ece": calibration_error(labels, predictions),
    }


def of_amounts(labels: Doubles, predictions: Doubles) -> dict[str, float]:
    """What a card shows of predicted amounts."""
    total = float(labels.sum())
    return {
        "spearman": spearman(labels, predictions),
        "mae": mean_absolute_error(labels, predictions),
        "captured_at_10": captured_at(labels, predictions),
        "total_ratio": float(predictions.sum()) / total if total else float("nan"),
    }


def ranks(values: Doubles) -> Doubles:
    """Ranks from 1; equal values share the mean of theirs."""
    order = np.argsort(values, kind="stable")
    ends = _ends(values[order])
    starts = np.concatenate(([0], ends[:-1] + 1))
    means = (starts + ends) / 2 + 1
    found = np.empty(len(values))
    found[order] = np.repeat(means, ends - starts + 1)
    return found


def _ends(ordered: Doubles) -> npt.NDArray[np.intp]:
    """The last place of each run of equal values."""
    if not len(ordered):
        return np.zeros(0, np.intp)
    return np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)

"""A rule and a model side by side, on the same people: whom each takes, and how right each is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segue.domain.event import Json
from segue.learned.gate import judge
from segue.learned.metrics import Doubles, auc

Truths = npt.NDArray[np.bool_]
GAINS = 101
"""Points of a curve of gains."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many are taken by both, by one alone, and by neither."""

    both: int
    only_rule: int
    only_model: int
    neither: int

    @property
    def likeness(self) -> float | None:
        """Of all that either takes, the share that both take; None when neither takes anybody."""
        either = self.both + self.only_rule + self.only_model
        return self.both / either if either else None

    def to_json(self) -> dict[str, Json]:
        """As one object."""
        return {
            "both": self.both,
            "only_rule": self.only_rule,
            "only_model": self.only_model,
            "neither": self.neither,
            "likeness": self.likeness,
        }


def overlap(rule: Truths, model: Truths) -> Overlap:
    """Of the same people, in the same order."""
    return Overlap(
        int((rule & model).sum()),
        int((rule & ~model).sum()),
        int((~rule & model).sum()),
        int((~rule & ~model).sum()),
    )


def chosen(scores: Doubles, threshold: float | None, count: int) -> tuple[Truths, float | None]:
    """(whom a model takes, the score from which on): by a threshold, else as many as ``count``.

    Of people with equal scores at the bound all are taken, so that it may be more. Nobody without a score is.
    """
    known = np.isfinite(scores)
    if threshold is None:
        wanted = min(count, int(known.sum()))
        if wanted == 0:
            return np.zeros(len(scores), np.bool_), None
        threshold = float(np.sort(scores[known])[-wanted])
    return known & (np.nan_to_num(scores, nan=-np.inf) >= threshold), threshold


def accuracy(labels: Doubles, taken: Truths) -> dict[str, Json]:
    """How right it is to take these: precision, recall, lift over everybody, and AUC of the choice alone."""
    positive = labels > 0
    right, base = int((taken & positive).sum()), float(positive.mean()) if len(labels) else 0.0
    precision = right / int(taken.sum()) if taken.any() else None
    return {
        "size": int(taken.sum()),
        "share": float(taken.mean()) if len(taken) else 0.0,
        "precision": precision,
        "recall": right / int(positive.sum()) if positive.any() else None,
        "lift": precision / base if precision is not None and base else None,
        "auc": _number(auc(labels, taken.astype(np.float64))),
    }


def verdict(labels: Doubles, scores: Doubles, rule: Truths, name: str) -> dict[str, Json]:
    """The gate's verdict of the model's ranking against the rule's choice."""
    found = judge(labels, scores, rule.astype(np.float64), "auc", name).to_json()
    return {key: _number(value) if isinstance(value, float) else value for key, value in found.items()}


def gains(labels: Doubles, scores: Doubles) -> list[tuple[float, float]]:
    """(share of people taken, share of those who did that is reached), the highest scores first."""
    positive = labels > 0
    order = np.argsort(-np.where(np.isfinite(scores), scores, -np.inf), kind="stable")
    reached = np.concatenate(([0.0], np.cumsum(positive[order]))) / max(int(positive.sum()), 1)
    places = np.linspace(0, len(labels), GAINS).round().astype(np.int64)
    return [(float(place / max(len(labels), 1)), float(reached[place])) for place in places]


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None

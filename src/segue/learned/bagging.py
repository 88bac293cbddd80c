"""Learning from examples alone: who is like these, when nobody has said who is not.

Each bag sets the examples against as many others drawn at random, some of whom are like them without
anybody knowing; over many bags that evens out (PU bagging, Mordelet and Vert 2014). The mean of
linear models is a linear model, so what a bag learned need not be kept, and a score is a sum of drivers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

BAGS = 30
FOLDS = 5
_DRAWN_MAX = 20_000
"""Examples, and others, in one bag: more of them move no line."""
_STRENGTH = 1.0
"""Of the penalty's inverse, scikit-learn's usual one, on standardised columns."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Linear:
    """``weights`` (folds, columns): a row is scored by the line of its own fold, from one offset."""

    weights: Doubles
    offset: float

    def log_odds(self, points: Doubles, folds: npt.NDArray[np.intp]) -> Doubles:
        """Of being like the examples rather than like anybody."""
        found: Doubles = (points * self.weights[folds]).sum(axis=1) + self.offset
        return found


def folds_of(rows: npt.NDArray[np.int64], folds: int = FOLDS) -> npt.NDArray[np.intp]:
    """The fold of each profile, told by its number alone, so that it never has to be written down."""
    mixed = rows.astype(np.uint64) * _GOLDEN
    mixed ^= mixed >> np.uint64(29)
    return ((mixed * _GOLDEN) >> np.uint64(33)).astype(np.intp) % folds


def fit_likeness(points: Doubles, examples: Truths, folds: npt.NDArray[np.intp], seed: int) -> Linear:
    """One line a fold, learned from the rows of all other folds: no row is scored by what saw it.

    ValueError when a fold's lines would have no examples, or nobody to hold them against.
    """
    lines = [_line(points, examples, folds != fold, seed + fold) for fold in range(int(folds.max()) + 1)]
    return Linear(
        np.stack([weights for weights, _ in lines]), float(np.mean([offset for _, offset in lines]))
    )


def _line(points: Doubles, examples: Truths, seen: Truths, seed: int) -> tuple[Doubles, float]:
    """The mean of the bags' lines."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    random = np.random.default_rng(seed)
    liked, others = np.flatnonzero(examples & seen), np.flatnonzero(~examples & seen)
    if not len(liked) or not len(others):
        raise ValueError("there are no examples, or nobody else")
    drawn = min(len(liked), len(others), _DRAWN_MAX)
    weights, offset = np.zeros(points.shape[1]), 0.0
    for _ in range(BAGS):
        few = liked if len(liked) <= _DRAWN_MAX else random.choice(liked, _DRAWN_MAX, replace=False)
        chosen = np.concatenate((few, random.choice(others, drawn, replace=False)))
        # Bags are small: threads would wait for each other longer than they work.
        with threadpool_limits(limits=1):
            bag = LogisticRegression(C=_STRENGTH, max_iter=1_000).fit(points[chosen], examples[chosen])
        weights += bag.coef_[0] / BAGS
        offset += float(bag.intercept_[0]) / BAGS
    return weights, offset

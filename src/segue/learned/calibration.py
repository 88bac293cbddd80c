"""Platt's calibration: a line through log odds, so that chances are what happens; the order stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from segue.domain.event import Json
from segue.learned.documents import broken, double
from segue.learned.metrics import Doubles

_BOUND = 700.0
"""Log odds beyond which a double holds no other chance."""
_STEPS_MAX = 100
_STILL = 1e-10


@dataclass(frozen=True, slots=True)
class Calibration:
    """``slope * log odds + shift``; the slope is above zero, so that nobody changes places."""

    slope: float = 1.0
    shift: float = 0.0

    def of(self, log_odds: float) -> float:
        """Log odds put right."""
        return self.slope * log_odds + self.shift

    def chances(self, log_odds: Doubles) -> Doubles:
        """Chances of log odds that are put right first; NaN stays NaN."""
        return 1.0 / (1.0 + np.exp(-np.clip(self.slope * log_odds + self.shift, -_BOUND, _BOUND)))

    def document(self) -> dict[str, Json]:
        """As JSON."""
        return {"slope": self.slope, "shift": self.shift}

    @classmethod
    def read(cls, document: Mapping[str, Json]) -> Calibration:
        """What :meth:`document` wrote; E865 when it is none."""
        found = cls(double(document, "slope"), double(document, "shift"))
        if found.slope <= 0:
            raise broken("its calibration turns the ranking round")
        return found


def fit_calibration(log_odds: Doubles, labels: Doubles) -> Calibration:
    """The line under which the labels are most likely, by Newton's steps; targets smoothed as Platt did.

    Where log odds say nothing, or the opposite of what happened, they stay as they are but for the shift.
    """
    known = np.isfinite(log_odds)
    log_odds, positive = log_odds[known], labels[known] > 0
    ones, others = int(positive.sum()), int((~positive).sum())
    wanted = np.where(positive, (ones + 1) / (ones + 2), 1 / (others + 2))
    slope, shift = 1.0, 0.0
    for _ in range(_STEPS_MAX):
        said = Calibration(1.0, 0.0).chances(slope * log_odds + shift)
        weights, wrong = np.maximum(said * (1 - said), 1e-12), said - wanted
        gradient = np.array([wrong @ log_odds, wrong.sum()])
        cross = weights @ log_odds
        hessian = np.array([[weights @ np.square(log_odds), cross], [cross, weights.sum()]])
        step = np.linalg.lstsq(hessian + 1e-12 * np.eye(2), gradient, rcond=None)[0]
        slope, shift = slope - float(step[0]), shift - float(step[1])
        if np.abs(step).max() < _STILL:
            break
    if not (np.isfinite(slope) and np.isfinite(shift) and slope > 0):
        return Calibration(1.0, _shift(log_odds, float(wanted.mean())))
    return Calibration(slope, shift)


def _shift(log_odds: Doubles, share: float) -> float:
    """What makes the mean chance the share, by halving."""
    low, high = -_BOUND, _BOUND
    for _ in range(200):
        middle = (low + high) / 2
        if float(Calibration(1.0, middle).chances(log_odds).mean()) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2

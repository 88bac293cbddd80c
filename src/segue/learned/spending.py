"""Gamma-Gamma: what a buyer spends a purchase, from how many there were and what they came to on average.

What one buyer spends varies around a mean of their own; the means are spread over the buyers. Few
purchases say little, so the expected amount lies between the buyer's own mean and everybody's. The formulas
are those of Fader and Hardie, The Gamma-Gamma Model of Monetary Value, 2013.

``repeats`` is the number of purchases that ``mean`` is the mean of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segue.domain.event import Json

Doubles = npt.NDArray[np.float64]

_LOG_BOUND = 12.0
_STARTS = ((1.0, 2.0), (6.0, 4.0), (2.0, 8.0))
"""(p, q) from which the likelihood is climbed; v begins where the expected amount is the one observed."""


@dataclass(frozen=True, slots=True)
class Spending:
    """The three parameters; ``v`` is in the unit of the amounts."""

    p: float
    q: float
    v: float

    def expected(self, repeats: Doubles, mean: Doubles) -> Doubles:
        """The amount expected of a purchase; ``mean`` is not looked at where there were no repeats."""
        known = np.where(repeats > 0, repeats * mean, 0.0)
        return self.p * (self.v + known) / (self.p * repeats + self.q - 1.0)

    def document(self) -> dict[str, Json]:
        """As JSON."""
        return {"p": self.p, "q": self.q, "v": self.v}

    def log_likelihood(self, repeats: Doubles, mean: Doubles) -> float:
        """Of what these buyers were seen to spend."""
        return -_negative(np.log([self.p, self.q, self.v]), repeats, mean)[0] * len(repeats)


@dataclass(frozen=True, slots=True)
class Alike:
    """Everybody spends the same each time, as with a fee: there is nothing to learn about the amount."""

    each: float

    def expected(self, repeats: Doubles, mean: Doubles) -> Doubles:
        """The amount, for everybody."""
        return np.full(len(repeats), self.each)

    def document(self) -> dict[str, Json]:
        """As JSON."""
        return {"each": self.each}


def fit_spending(repeats: Doubles, mean: Doubles) -> Spending | Alike:
    """The parameters under which the means of those who bought again are most likely.

    Buyers without repeats or without a positive mean are left out. ValueError when none is left, or when
    the mean over the buyers has no bound.
    """
    from scipy.optimize import minimize

    taken = (repeats > 0) & (mean > 0)
    repeats, mean = repeats[taken], mean[taken]
    if not len(repeats):
        raise ValueError("nobody spent anything on a second purchase")
    if np.ptp(mean) <= 1e-9 * mean.max():
        return Alike(float(mean[0]))
    middle = float(np.average(mean, weights=repeats))
    bounds = [(-_LOG_BOUND, _LOG_BOUND)] * 2 + [(np.log(middle) - _LOG_BOUND, np.log(middle) + _LOG_BOUND)]
    ends = [
        minimize(_negative, np.log([p, q, middle * (q - 1.0) / p]), (repeats, mean), "L-BFGS-B", jac=True,
                 bounds=bounds, options={"ftol": 1e-13, "gtol": 1e-9, "maxiter": 2_000})
        for p, q in _STARTS
    ]  # fmt: skip
    best = min((end for end in ends if np.isfinite(end.fun)), key=lambda end: float(end.fun), default=None)
    if best is None:
        raise ValueError("the likelihood has no highest point")
    found = Spending(*(float(each) for each in np.exp(best.x)))
    if found.q <= 1.0:
        raise ValueError("the amounts are so far apart that their mean has no bound")
    return found


def _negative(logs: Sequence[float] | Doubles, repeats: Doubles, mean: Doubles) -> tuple[float, Doubles]:
    """Minus the mean log-likelihood, and its gradient in the logarithms of the parameters."""
    from scipy.special import digamma, gammaln

    p, q, v = np.exp(logs)
    x, total = repeats, repeats * mean
    shape = p * x
    all_in = np.log(total + v)
    likelihood = (
        gammaln(shape + q) - gammaln(shape) - gammaln(q)
        + q * np.log(v) + (shape - 1.0) * np.log(mean) + shape * np.log(x) - (shape + q) * all_in
    )  # fmt: skip
    slopes = np.stack((
        shape * (digamma(shape + q) - digamma(shape) + np.log(total) - all_in),
        q * (digamma(shape + q) - digamma(q) + np.log(v) - all_in),
        q - (shape + q) * v / (total + v),
    ))  # fmt: skip
    return -float(likelihood.mean()), -slopes.mean(axis=1)

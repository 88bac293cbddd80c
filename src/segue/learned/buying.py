"""BG/NBD: how often somebody will buy again, from how often, how lately and since when they did.

Buyers buy at random times, each at a rate of their own, and after each purchase stop for ever with a chance
of their own. Rates are gamma distributed over the buyers (``r``, ``alpha``), chances of stopping beta
distributed (``a``, ``b``). The model and its formulas are those of Fader, Hardie and Lee,
"Counting Your Customers" the Easy Way, Marketing Science 24(2), 2005.

Everywhere ``repeats`` is the number of purchases after the first, ``last`` the time from the first to the
last, ``age`` the time from the first to now; all in one unit of time, which is that of ``alpha`` too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_LOG_BOUND = 12.0
"""Logarithms of parameters lie within plus and minus this: beyond, they say nothing else any more."""
_APART = 1e-6
"""How far a parameter is kept from the poles of the formulas, whose limits there are finite."""
_CLOSED_MAX = 100.0
"""Of ``a`` and ``r``: beyond, a power and a series of the published formula overflow, though their product
would not. That is where buyers are all alike."""
_NODES = 256
_CHANCE_MIN = 1e-12
"""Of stopping: whoever stops more rarely does not stop."""
_ROWS_AT_ONCE = 16_384
_STARTS = ((1.0, 1.0, 1.0), (0.3, 0.5, 2.0), (3.0, 0.1, 1.0))
"""(r, a, b) from which the likelihood is climbed; alpha begins in proportion to the mean age."""


@dataclass(frozen=True, slots=True)
class Buyers:
    """Buyers by what the model needs of them, equal ones together with their number."""

    repeats: Doubles
    last: Doubles
    age: Doubles
    number: Doubles

    @classmethod
    def of(cls, repeats: Doubles, last: Doubles, age: Doubles) -> Buyers:
        """Equal buyers are counted, so that the likelihood is summed over fewer."""
        different, number = np.unique(np.column_stack((repeats, last, age)), axis=0, return_counts=True)
        return cls(different[:, 0], different[:, 1], different[:, 2], number.astype(np.float64))


@dataclass(frozen=True, slots=True)
class Buying:
    """The four parameters."""

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, repeats: Doubles, last: Doubles, age: Doubles) -> Doubles:
        """The chance that a buyer has not stopped; 1 for one who bought once, whom the model lets stop only
        after a purchase that repeats.
        """
        log_odds = _log_odds_gone(self, repeats, last, age)
        return 1.0 / (1.0 + np.exp(np.clip(log_odds, None, 700.0)))

    def expected(self, horizon: float, repeats: Doubles, last: Doubles, age: Doubles) -> Doubles:
        """How many purchases are expected within ``horizon`` from now."""
        found = np.full(len(repeats), np.nan)
        if max(self.a, self.r) <= _CLOSED_MAX:
            found = self._closed(horizon, repeats, age)
        lost = np.flatnonzero(~np.isfinite(found))
        for start in range(0, len(lost), _ROWS_AT_ONCE):
            part = lost[start : start + _ROWS_AT_ONCE]
            found[part] = self._integrated(horizon, repeats[part], age[part])
        return found * self.alive(repeats, last, age)

    def _closed(self, horizon: float, repeats: Doubles, age: Doubles) -> Doubles:
        """Purchases of those who have not stopped, by the published formula; NaN where it overflows."""
        from scipy.special import hyp2f1

        # Euler's transformation of the published formula: without it, the powers overflow for busy buyers.
        a = 1.0 + _APART if abs(self.a - 1.0) < _APART else self.a
        c = a + self.b + repeats - 1.0
        c = np.where(np.abs(c) < _APART, _APART, c)
        until, after = self.alpha + age, self.alpha + age + horizon
        left = np.exp((a - 1.0) * np.log(until / after))
        series = hyp2f1(a + self.b - 1.0 - self.r, a - 1.0, c, horizon / after)
        with np.errstate(all="ignore"):
            found: Doubles = c / (a - 1.0) * (1.0 - left * series)
        return found

    def _integrated(self, horizon: float, repeats: Doubles, age: Doubles) -> Doubles:
        """The same as the mean over the chances of stopping, at equally likely ones."""
        from scipy.special import betaincinv

        shares = (np.arange(_NODES) + 0.5) / _NODES
        different, places = np.unique(repeats, return_inverse=True)
        chances = betaincinv(self.a, self.b + different[:, None], shares)[places]
        chances = np.maximum(chances, _CHANCE_MIN)
        passed = np.log1p(chances * horizon / (self.alpha + age)[:, None])
        found: Doubles = (-np.expm1(-(self.r + repeats)[:, None] * passed) / chances).mean(axis=1)
        return found

    def again(self, horizon: float, repeats: Doubles, last: Doubles, age: Doubles) -> Doubles:
        """The chance of at least one purchase within ``horizon`` from now."""
        until = self.alpha + age
        silent = np.exp((self.r + repeats) * np.log(until / (until + horizon)))
        return self.alive(repeats, last, age) * (1.0 - silent)

    def log_likelihood(self, buyers: Buyers) -> float:
        """Of what was observed of these buyers."""
        parameters = np.log([self.r, self.alpha, self.a, self.b])
        return -_negative(parameters, buyers)[0] * float(buyers.number.sum())


def fit_buying(buyers: Buyers) -> Buying:
    """The parameters under which what was observed is most likely.

    ValueError when nobody bought again, or when the climb does not end: there are no parameters then.
    """
    from scipy.optimize import minimize

    if not (buyers.repeats > 0).any():
        raise ValueError("nobody bought a second time")
    scale = float(np.average(buyers.age, weights=buyers.number)) or 1.0
    bounds = [(-_LOG_BOUND, _LOG_BOUND)] * 4
    bounds[1] = (np.log(scale) - _LOG_BOUND, np.log(scale) + _LOG_BOUND)
    ends = [
        minimize(_negative, np.log([r, r * scale, a, b]), (buyers,), "L-BFGS-B", jac=True, bounds=bounds,
                 options={"ftol": 1e-13, "gtol": 1e-9, "maxiter": 2_000})
        for r, a, b in _STARTS
    ]  # fmt: skip
    best = min((end for end in ends if np.isfinite(end.fun)), key=lambda end: float(end.fun), default=None)
    if best is None:
        raise ValueError("the likelihood has no highest point")
    return Buying(*(float(each) for each in np.exp(best.x)))


def _log_odds_gone(buying: Buying, repeats: Doubles, last: Doubles, age: Doubles) -> Doubles:
    again = repeats > 0
    before = np.where(again, buying.b + repeats - 1.0, 1.0)
    odds = np.log(buying.a) - np.log(before)
    odds = odds + (buying.r + repeats) * np.log((buying.alpha + age) / (buying.alpha + last))
    return np.where(again, odds, -np.inf)


def _negative(logs: Sequence[float] | Doubles, buyers: Buyers) -> tuple[float, Doubles]:
    """Minus the mean log-likelihood, and its gradient in the logarithms of the parameters."""
    from scipy.special import digamma, gammaln

    r, alpha, a, b = np.exp(logs)
    x, again = buyers.repeats, buyers.repeats > 0
    before = np.where(again, b + x - 1.0, 1.0)
    until, at_last = np.log(alpha + buyers.age), np.log(alpha + buyers.last)
    going = -(r + x) * until
    gone = np.where(again, np.log(a) - np.log(before) - (r + x) * at_last, -np.inf)
    either = np.logaddexp(going, gone)
    alive, stopped = np.exp(going - either), np.exp(gone - either)
    likelihood = (
        gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        + gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
        + either
    )  # fmt: skip
    both = digamma(a + b) - digamma(a + b + x)
    slopes = np.stack((
        r * (digamma(r + x) - digamma(r) + np.log(alpha) - alive * until - stopped * at_last),
        r - (r + x) * (alive * alpha / (alpha + buyers.age) + stopped * alpha / (alpha + buyers.last)),
        a * both + stopped,
        b * (both + digamma(b + x) - digamma(b) - stopped / before),
    ))  # fmt: skip
    shares = buyers.number / buyers.number.sum()
    return -float(likelihood @ shares), -(slopes @ shares)

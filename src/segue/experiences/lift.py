"""How much more often one group does something than another, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from segue.domain.event import Json

_NORMAL_95 = 1.959963984540054
"""What a standard normal lies within 95 times of 100, both sides of 0."""
_HALVINGS = 200
_FAR = 1e12


@dataclass(frozen=True, slots=True)
class Group:
    """Some users, and how many of them did it."""

    users: int
    converted: int

    @property
    def rate(self) -> float | None:
        """Their share; None of nobody."""
        return self.converted / self.users if self.users else None


@dataclass(frozen=True, slots=True)
class Lift:
    """``value`` is the ratio of two rates less 1, None where the one below is 0; ``low`` and ``high`` bound
    it with a confidence of 95 %, None being without bound.
    """

    value: float | None
    low: float
    high: float | None

    def to_json(self) -> dict[str, Json]:
        """As shares: 0.25 is a quarter more."""
        return {"value": self.value, "low": self.low, "high": self.high}


def lift(treated: Group, control: Group) -> Lift | None:
    """Of one group over another; None when one of them is nobody.

    The interval is that of the score test for a ratio of two proportions (Koopman 1984): it holds what it
    says for few conversions too, and for none.
    """
    if treated.rate is None or control.rate is None:
        return None
    value = treated.rate / control.rate - 1 if control.converted else None
    low = _crossing(lambda ratio: _score(treated, control, ratio) <= _NORMAL_95) if treated.converted else 0.0
    if not control.converted:
        return Lift(value, low - 1, None)
    high = _crossing(lambda ratio: _score(treated, control, ratio) < -_NORMAL_95)
    return Lift(value, low - 1, high - 1)


def _crossing(beyond: Callable[[float], bool]) -> float:
    """The ratio from which on something holds, which below it does not; the search halves its logarithm."""
    low, high = -math.log(_FAR), math.log(_FAR)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if beyond(math.exp(middle)):
            high = middle
        else:
            low = middle
    return math.exp(high)


def _score(treated: Group, control: Group, ratio: float) -> float:
    """How many standard errors the rates are off from standing in a ratio, if they did; it falls with it.

    The rates are those that are likeliest under the ratio: the root of a quadratic that lies below 1.
    """
    above, below = treated.users, control.users
    a = ratio * (above + below)
    b = ratio * (above + control.converted) + treated.converted + below
    c = treated.converted + control.converted
    base = (b - math.sqrt(max(0.0, b * b - 4 * a * c))) / (2 * a)
    raised = min(1.0, ratio * base)
    variance = raised * (1 - raised) / above + ratio * ratio * base * (1 - base) / below
    distance = treated.converted / above - ratio * control.converted / below
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)

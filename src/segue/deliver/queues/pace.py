"""How long to wait after a failure: longer each time, up to a bound, and never for everybody alike."""

from __future__ import annotations

import random
from dataclasses import dataclass

SECOND_MS = 1_000


@dataclass(frozen=True, slots=True)
class Pace:
    """Pauses that double from ``first_ms`` up to ``longest_ms``; ``dice`` gives numbers from 0 to below 1."""

    first_ms: int
    longest_ms: int
    dice: random.Random

    def after(self, failures: int) -> int:
        """The pause after so many failures in a row, in ms: a half of it is certain, the rest is chance."""
        doublings = min(failures - 1, 40)
        whole = min(self.first_ms << doublings, self.longest_ms)
        return round(whole * (0.5 + self.dice.random() / 2))


def of_destinations(dice: random.Random) -> Pace:
    """Of a destination that takes nothing: it is asked again soon, for much may be waiting."""
    return Pace(100, 60 * SECOND_MS, dice)


def of_messages(dice: random.Random) -> Pace:
    """Of one message that was turned down while others are taken."""
    return Pace(SECOND_MS, 60 * 60 * SECOND_MS, dice)

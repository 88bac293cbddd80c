"""How often something may be done: so many in a time, and how many of them at once."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_SPELLING = re.compile(r"([0-9]{1,9})(?:/([smh]))?")
_SECONDS = {"s": 1, "m": 60, "h": 3_600}
_BURST_SECONDS = 0.25
"""What may come at once unless said: so little that ten seconds at full speed exceed the rate by 2.5 %."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` in ``seconds``; ``burst`` of them, at least 1, may come at one moment after a silence."""

    count: int
    seconds: int
    burst: int

    @property
    def interval(self) -> float:
        """Seconds from one to the next at full speed."""
        return self.seconds / self.count

    def __str__(self) -> str:
        unit = next(name for name, length in _SECONDS.items() if length == self.seconds)
        return f"{self.count}/{unit}"


def parse_rate(text: str, burst: int | None = None) -> Rate | None:
    """``100``, ``100/s``, ``6000/m`` or ``100000/h``; None when it is none of these, or zero."""
    found = _SPELLING.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        return None
    count, seconds = int(found[1]), _SECONDS[found[2] or "s"]
    return Rate(count, seconds, burst or max(1, math.floor(count / seconds * _BURST_SECONDS)))

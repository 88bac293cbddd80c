"""How far numbers have moved from what they were: population stability, and shares of a whole.

The stability index of a column is the sum over parts of (now - then) · ln(now / then), with parts that held
equally many then. Below 0.10 nothing moved, above 0.25 it is another column; between them, watch it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segue.domain.event import Json

Doubles = npt.NDArray[np.float64]

PARTS = 10
WATCH, ACT = 0.10, 0.25
"""Bounds of the stability index."""
SHIFT_MAX = 0.10
"""The share of a whole that may change sides before it is an alarm."""
PROFILES_MIN = 500
"""Fewer tell chance, not drift."""
_CALM = 0.8
"""A level is left only below so much of its bound, so that it does not come and go."""
_SMALLEST = 1e-4
"""Stands for an empty part: its logarithm would be without end."""
STABLE, WATCHED, MOVED = "stable", "watch", "act"


@dataclass(frozen=True, slots=True)
class Parts:
    """A column as counts: below and between inner ``edges``, those at an edge above it; then the missing."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: Doubles) -> Parts:
        """Parts that hold about equally many of these values."""
        known = values[np.isfinite(values)]
        inner = np.quantile(known, np.arange(1, PARTS) / PARTS) if len(known) else np.zeros(0)
        return cls(tuple(np.unique(inner).tolist()), ()).counted(values)

    def counted(self, values: Doubles) -> Parts:
        """Other values in the same parts."""
        there = np.isfinite(values)
        places = np.searchsorted(np.array(self.edges), values[there], side="right")
        counts = np.bincount(places, minlength=len(self.edges) + 1)
        return Parts(self.edges, (*counts.tolist(), int((~there).sum())))

    def to_json(self) -> dict[str, Json]:
        """As it is kept."""
        return {"edges": list(self.edges), "counts": list(self.counts)}

    @classmethod
    def of_json(cls, found: Mapping[str, Json]) -> Parts:
        """What :meth:`to_json` wrote."""
        return cls(tuple(found["edges"]), tuple(found["counts"]))


def stability(then: Sequence[int], now: Sequence[int]) -> float:
    """The stability index of counts by part; 0 where one of them is empty."""
    before, after = np.array(then, np.float64), np.array(now, np.float64)
    if not before.sum() or not after.sum():
        return 0.0
    before = np.maximum(before / before.sum(), _SMALLEST)
    after = np.maximum(after / after.sum(), _SMALLEST)
    return float(((after - before) * np.log(after / before)).sum())


def shift(then: Mapping[str, float], now: Mapping[str, float]) -> float:
    """The share of a whole that is elsewhere: half the sum of all differences of shares."""
    return 0.5 * sum(abs(now.get(name, 0.0) - then.get(name, 0.0)) for name in {*then, *now})


def level(index: float, before: str = STABLE) -> str:
    """Where a stability index stands after ``before``: it comes down later than it went up."""
    if index > ACT or (before == MOVED and index > ACT * _CALM):
        return MOVED
    if index > WATCH or (before in (MOVED, WATCHED) and index > WATCH * _CALM):
        return WATCHED
    return STABLE


def shares(counts: Mapping[str, int]) -> dict[str, float]:
    """Counts as parts of their sum."""
    total = sum(counts.values())
    return {name: count / total if total else 0.0 for name, count in counts.items()}

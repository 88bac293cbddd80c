"""What everyone turns to: counts that fade, kept up with every deed and shown at intervals.

Interest of the moment t counts 2 to the power of (t - start) / half-life, so nothing has to be taken back as
time goes on: all shares fade alike.
"""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

_GROWTH = 1_024
_POWER_MAX = 500.0
"""Of two, within what a double holds: an event of a far future counts as much as one of that moment."""


class Popularity:
    """Interest in each item by place. ``start`` (ms) is the moment in which a deed counts its weight."""

    def __init__(
        self, counts: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], start: int, half_life_ms: int
    ) -> None:
        self._counts = counts.astype(np.float64)
        self._weights = weights.tolist()
        self._start = start
        self._half_life_ms = half_life_ms
        self._lock = threading.Lock()
        self.moves = 0

    def hear(self, item: int, sight: int, at: int) -> None:
        """One more deed."""
        weight = self._weights[sight]
        if weight <= 0:
            return
        power = min((at - self._start) / self._half_life_ms, _POWER_MAX)
        with self._lock:
            if item >= len(self._counts):
                self._counts = np.concatenate([self._counts, np.zeros(item + _GROWTH - len(self._counts))])
            self._counts[item] += weight * 2.0**power
            self.moves += 1

    def shares(self, size: int) -> npt.NDArray[np.float32]:
        """How popular each item is, from 0 to 1: the logarithm, so that one bestseller does not drown all."""
        with self._lock:
            counts = self._counts[:size].copy()
        if len(counts) < size:
            counts = np.concatenate([counts, np.zeros(size - len(counts))])
        typical = counts[counts > 0].mean() if (counts > 0).any() else 1.0
        found = np.log1p(counts / typical)
        most = float(found.max(initial=0))
        return (found / most if most > 0 else found).astype(np.float32)

"""Where a score stands among those that its version was judged on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

from segue.domain.errors import SegueError
from segue.learned.registry import Registry


def percentile(bounds: Sequence[float], score: float) -> int | None:
    """How many of those who were judged scored less, in whole percents, rounded down.

    ``bounds`` are the 101 quantiles of their scores; None where there are none.
    """
    return max(bisect_left(bounds, score) - 1, 0) if len(bounds) else None


class Percentiles:
    """The bounds of versions, each read once: a version never changes. One thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._registry = Registry(folder)
        self._bounds: dict[tuple[str, int], Sequence[float]] = {}

    def of(self, model: str, number: int, score: float) -> int | None:
        """Of a score by a version; None where its card tells of none, or cannot be read."""
        key = (model, number)
        if key not in self._bounds:
            self._bounds[key] = self._read(model, number)
        return percentile(self._bounds[key], score)

    def _read(self, model: str, number: int) -> Sequence[float]:
        try:
            return self._registry.version(model, number).card.get("percentiles") or ()
        except SegueError:
            # Explanations and `segue models` tell of what was tampered with; a place is left out.
            return ()

"""What a bench reports, and how it is timed."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number; ``bound`` is what it must keep to, None when it only informs."""

    name: str
    value: float
    unit: str
    bound: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the bound is kept."""
        if self.bound is None:
            return True
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def line(figure: Figure, before: float | None = None) -> str:
    """A figure as it is printed, with what was recorded ``before``."""
    sign = ">=" if figure.at_least else "<="
    bound = "" if figure.bound is None else f"  {sign} {figure.bound:g}"
    verdict = "" if figure.bound is None else "  kept" if figure.holds else "  NOT KEPT"
    was = "" if before is None else f"  (recorded {before:g})"
    return f"  {figure.name:<64}{figure.value:>12.4g} {figure.unit}{bound}{verdict}{was}"


def best_of(rounds: int, work: Callable[[], object]) -> float:
    """The shortest of several runs, in seconds of the thread's own; the others had noise in them.

    The thread's own time leaves out what the machine spent on others, the same on both sides of a ratio.
    """
    shortest = float("inf")
    gc.collect()
    for _ in range(rounds):
        start = time.thread_time()
        work()
        shortest = min(shortest, time.thread_time() - start)
    return shortest

"""Who has passed a threshold and come back, but not far enough to pass it again."""

from __future__ import annotations

from collections.abc import Iterable

from segue.log.firings import Between
from segue.service.firing.flips import Flip
from segue.service.firing.wanted import Turning

Pair = tuple[str, int]
"""(trigger, row)."""


class Thresholds:
    """The state of hysteresis: between the two thresholds, where someone came from decides.

    holds ────┐     ┌─── holds       came from above: nothing begins when it holds again
              │     │
    ┄┄┄┄┄┄┄┄┄┄┴┄┄┄┄┄┘┄┄┄┄┄┄┄┄┄┄
                    rests            only from here may it begin again, and here it ends
    """

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self._going_back = set(pairs)
        self._cleared: set[str] = set()
        self._added: set[Pair] = set()
        self._removed: set[Pair] = set()

    def turned(self, trigger: str, each: Turning, flip: Flip, silent: bool, anew: bool = False) -> str | None:
        """What a flip of one of its names means for a trigger; None for nothing.

        With a condition ``anew`` the flip is from what another one said, and nobody has come back from that.
        """
        if anew and flip.name != each.name:
            return None
        if anew or each.rests is None:
            return each.begins if flip.entered else each.ends
        pair = (trigger, flip.row)
        if silent:
            self._remove(pair)
            return None
        if flip.name == each.name:
            if flip.entered:
                return None if self._remove(pair) else each.begins
            self._add(pair)
            return None
        return each.ends if flip.entered and self._remove(pair) else None

    def clear(self, trigger: str) -> None:
        """Nobody is between the thresholds of a trigger any more."""
        for pairs in (self._going_back, self._added, self._removed):
            pairs.difference_update([pair for pair in pairs if pair[0] == trigger])
        self._cleared.add(trigger)

    def difference(self) -> Between | None:
        """What differs from what is stored; None for nothing."""
        if not (self._cleared or self._added or self._removed):
            return None
        return Between(frozenset(self._cleared), frozenset(self._added), frozenset(self._removed))

    def stored(self) -> None:
        """What differed is stored."""
        for noted in (self._cleared, self._added, self._removed):
            noted.clear()

    def _add(self, pair: Pair) -> None:
        self._going_back.add(pair)
        self._removed.discard(pair)
        self._added.add(pair)

    def _remove(self, pair: Pair) -> bool:
        """Whether it was there."""
        if pair not in self._going_back:
            return False
        self._going_back.remove(pair)
        self._added.discard(pair)
        self._removed.add(pair)
        return True

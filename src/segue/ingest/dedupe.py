"""An event takes effect once: the table of fingerprints already seen.

A slot is two words. The first is half of the fingerprint and says where to look; the second packs
22 bits of the other half with the time of receipt, in milliseconds (42 bits last until 2109):

    h2 (64) | h1 (22) received (42)

Two different events are taken for one with a chance of n² / 2^87 among n: 10^-12 for ten million.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from segue.domain.limits import DEDUPE_MS

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

EVER = 1 << 62
"""A window without an end: imports are compared with the whole log."""

_NEVER = -1
SLOTS_MIN = 1 << 12
_RECEIVED_MAX = (1 << 42) - 1
_RECEIVED = np.uint64(_RECEIVED_MAX)
_UPPER = np.uint64(~_RECEIVED_MAX & (1 << 64) - 1)
_EMPTY = np.uint64((1 << 64) - 1)
_ONE = np.uint64(1)


@numba.njit(cache=True, nogil=True)
def _take(slots: Any, h1: Any, h2: Any, received: Any, window: int, repeated: Any, before: Any) -> int:
    """Mark what was seen and enter the rest, in order; returns how many slots were newly filled.

    ``before`` takes what the second word of each event's slot was.
    """
    wrap = np.uint64(slots.shape[0] - 1)
    filled = 0
    for i in range(h1.shape[0]):
        tag = h1[i] & _UPPER
        at = h2[i] & wrap
        repeated[i] = False
        while True:
            held = slots[at, 1]
            before[i] = held
            if held == _EMPTY:
                slots[at, 0] = h2[i]
                slots[at, 1] = tag | np.uint64(received[i])
                filled += 1
                break
            if slots[at, 0] == h2[i] and held & _UPPER == tag:
                if received[i] - np.int64(held & _RECEIVED) <= window:
                    repeated[i] = True
                else:
                    slots[at, 1] = tag | np.uint64(received[i])
                break
            at = (at + _ONE) & wrap
    return filled


@numba.njit(cache=True, nogil=True)
def _empty(slots: Any, at: Any) -> None:
    """Empty a slot and close the gap: whoever probed past it moves up."""
    wrap = np.uint64(slots.shape[0] - 1)
    gap = at
    while True:
        at = (at + _ONE) & wrap
        if slots[at, 1] == _EMPTY:
            break
        home = slots[at, 0] & wrap
        if ((at - home) & wrap) >= ((at - gap) & wrap):
            slots[gap, 0] = slots[at, 0]
            slots[gap, 1] = slots[at, 1]
            gap = at
    slots[gap, 1] = _EMPTY


@numba.njit(cache=True, nogil=True)
def _untake(slots: Any, h1: Any, h2: Any, repeated: Any, before: Any) -> int:
    """Take back what :func:`_take` entered; returns how many slots became empty."""
    wrap = np.uint64(slots.shape[0] - 1)
    emptied = 0
    for i in range(h1.shape[0] - 1, -1, -1):
        if repeated[i]:
            continue
        tag = h1[i] & _UPPER
        at = h2[i] & wrap
        while slots[at, 0] != h2[i] or slots[at, 1] & _UPPER != tag or slots[at, 1] == _EMPTY:
            at = (at + _ONE) & wrap
        if before[i] == _EMPTY:
            _empty(slots, at)
            emptied += 1
        else:
            slots[at, 1] = before[i]
    return emptied


@numba.njit(cache=True, nogil=True)
def _move(slots: Any, target: Any, before: int) -> int:
    """Enter every slot received at ``before`` or later into an empty table; returns how many."""
    wrap = np.uint64(target.shape[0] - 1)
    moved = 0
    for i in range(slots.shape[0]):
        held = slots[i, 1]
        if held == _EMPTY or np.int64(held & _RECEIVED) < before:
            continue
        at = slots[i, 0] & wrap
        while target[at, 1] != _EMPTY:
            at = (at + _ONE) & wrap
        target[at, 0] = slots[i, 0]
        target[at, 1] = held
        moved += 1
    return moved


def _table(slots: int) -> U64:
    return np.full((slots, 2), _EMPTY, dtype=np.uint64)


def _slots_for(entries: int) -> int:
    """The smallest power of two that keeps the table at most five eighths full."""
    slots = SLOTS_MIN
    while entries * 8 > slots * 5:
        slots *= 2
    return slots


class Seen:
    """The fingerprints of the events taken in; 16 bytes a slot, at most five eighths full."""

    def __init__(self, entries: int = 0, since: int = 0) -> None:
        self.since = since
        """What was received before this moment (ms) may be missing."""
        self._slots = _table(_slots_for(entries))
        self._filled = 0
        self._unsettled: list[tuple[U64, U64, NDArray[np.bool_], U64]] = []

    def __len__(self) -> int:
        return self._filled

    def seen_many(self, h1: U64, h2: U64, received: I64, window_ms: int = DEDUPE_MS) -> NDArray[np.bool_]:
        """Which of these events repeat one received at most ``window_ms`` before, or one earlier here.

        The others are entered. ``h1``, ``h2`` and ``received`` (ms) have one shape, (n,).
        """
        self._make_room(len(h1))
        repeated = np.empty(len(h1), np.bool_)
        before = np.empty(len(h1), np.uint64)
        within = np.clip(received, 0, _RECEIVED_MAX - 1)
        self._filled += _take(self._slots, h1, h2, within, window_ms, repeated, before)
        self._unsettled.append((h1, h2, repeated, before))
        return repeated

    def settle(self) -> None:
        """What was entered is durable: it will not be taken back."""
        self._unsettled.clear()

    def take_back(self) -> None:
        """Undo all since the last :meth:`settle`: its events could not be made durable."""
        while self._unsettled:
            self._filled -= _untake(self._slots, *self._unsettled.pop())

    def prune(self, before: int) -> None:
        """Lose what was received before this moment (ms)."""
        self.since = max(self.since, before)
        self._rebuild(len(self._slots), before)
        self._rebuild(_slots_for(self._filled), 0)

    def saved(self) -> U64:
        """The entries as an array of shape (n, 2), for :meth:`loaded`."""
        return self._slots[self._slots[:, 1] != _EMPTY]

    @classmethod
    def loaded(cls, entries: U64) -> Seen:
        """The table that :meth:`saved` gave."""
        table = cls(len(entries))
        table._filled = _move(entries, table._slots, 0)
        return table

    def learn(self, high: U64, low: U64, received: I64) -> None:
        """Enter events of the log, which come in any order: the newest of a fingerprint counts."""
        if (np.diff(received) < 0).any():
            order = np.argsort(received, kind="stable")
            high, low, received = high[order], low[order], received[order]
        self.seen_many(high, low, received, _NEVER)
        self.settle()

    @classmethod
    def of_log(cls, high: U64, low: U64, received: I64) -> Seen:
        """The table after these events."""
        table = cls(len(high))
        table.learn(high, low, received)
        return table

    def _make_room(self, more: int) -> None:
        needed = _slots_for(self._filled + more)
        if needed > len(self._slots):
            self._rebuild(needed, 0)

    def _rebuild(self, slots: int, before: int) -> None:
        target = _table(slots)
        self._filled = _move(self._slots, target, before)
        self._slots = target

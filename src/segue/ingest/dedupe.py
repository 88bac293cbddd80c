"""An event takes effect once: the table of fingerprints already seen.

A fingerprint takes two words. The first is half of it and says where to look; the second packs 22 bits of
the other half with the time of receipt, in milliseconds (42 bits last until 2109):

    h2 (64) | h1 (22) received (42)

Two different events are taken for one with a chance of n² / 2^87 among n: 10^-12 for ten million.
What earlier runs saw may lie in an archive, sorted by h2, which can stay in its file: only what is asked for
is read. What is in the table beside it came later and counts first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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
_IN_A_PART = 8
"""Entries of an archive that are looked through, on average."""


@numba.njit(cache=True, nogil=True)
def _shift(size: int) -> Any:
    """How far a fingerprint's half is shifted to be a place among so many, a power of two."""
    bits = 0
    while size >> bits > 1:
        bits += 1
    return np.uint64(64 - bits)


@numba.njit(cache=True, nogil=True)
def _archived(archive: Any, shift: Any, h2: Any, tag: Any) -> Any:
    """The second word of a fingerprint in an archive; empty when it is not there."""
    starts, entries = archive
    if entries.shape[0]:
        bucket = h2 >> shift
        for at in range(starts[bucket], starts[bucket + _ONE]):
            if entries[at, 0] == h2 and entries[at, 1] & _UPPER == tag:
                return entries[at, 1]
    return _EMPTY


@numba.njit(cache=True, nogil=True)
def _take(slots: Any, archive: Any, events: Any, window: int, repeated: Any, before: Any) -> int:
    """Mark what was seen and enter the rest, in order; returns how many slots were newly filled.

    ``events`` are both halves and the times of receipt; ``before`` takes what the second word of each
    event's slot was.
    """
    h1, h2, received = events
    parts = _shift(archive[0].shape[0] - 1)
    wrap = np.uint64(slots.shape[0] - 1)
    shift = _shift(slots.shape[0])
    filled = 0
    for i in range(h1.shape[0]):
        tag = h1[i] & _UPPER
        at = h2[i] >> shift
        repeated[i] = False
        while True:
            held = slots[at, 1]
            before[i] = held
            if held == _EMPTY:
                old = _archived(archive, parts, h2[i], tag)
                if old != _EMPTY and received[i] - np.int64(old & _RECEIVED) <= window:
                    repeated[i] = True
                    break
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
    shift = _shift(slots.shape[0])
    gap = at
    while True:
        at = (at + _ONE) & wrap
        if slots[at, 1] == _EMPTY:
            break
        home = slots[at, 0] >> shift
        if ((at - home) & wrap) >= ((at - gap) & wrap):
            slots[gap, 0] = slots[at, 0]
            slots[gap, 1] = slots[at, 1]
            gap = at
    slots[gap, 1] = _EMPTY


@numba.njit(cache=True, nogil=True)
def _untake(slots: Any, h1: Any, h2: Any, repeated: Any, before: Any) -> int:
    """Take back what :func:`_take` entered; returns how many slots became empty."""
    wrap = np.uint64(slots.shape[0] - 1)
    shift = _shift(slots.shape[0])
    emptied = 0
    for i in range(h1.shape[0] - 1, -1, -1):
        if repeated[i]:
            continue
        tag = h1[i] & _UPPER
        at = h2[i] >> shift
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
    shift = _shift(target.shape[0])
    moved = 0
    for i in range(slots.shape[0]):
        held = slots[i, 1]
        if held == _EMPTY or np.int64(held & _RECEIVED) < before:
            continue
        at = slots[i, 0] >> shift
        while target[at, 1] != _EMPTY:
            at = (at + _ONE) & wrap
        target[at, 0] = slots[i, 0]
        target[at, 1] = held
        moved += 1
    return moved


@numba.njit(cache=True, nogil=True)
def _put_in_order(slots: Any, out: Any) -> None:
    """The entries of a table by their first word, which is nearly how they lie."""
    shift = _shift(slots.shape[0])
    count = 0
    for turn in range(2):  # those that went round the end come last
        for i in range(slots.shape[0]):
            if slots[i, 1] == _EMPTY or (slots[i, 0] >> shift > np.uint64(i)) != (turn == 1):
                continue
            word, held, at = slots[i, 0], slots[i, 1], count
            while at > 0 and out[at - 1, 0] > word:
                out[at, 0] = out[at - 1, 0]
                out[at, 1] = out[at - 1, 1]
                at -= 1
            out[at, 0] = word
            out[at, 1] = held
            count += 1


@numba.njit(cache=True, nogil=True)
def _merge(old: Any, new: Any, out: Any) -> int:
    """Two sorted arrays of entries as one, of a fingerprint in both the new one; returns how many."""
    i, count = 0, 0
    for j in range(new.shape[0]):
        while i < old.shape[0] and old[i, 0] < new[j, 0]:
            out[count, 0] = old[i, 0]
            out[count, 1] = old[i, 1]
            i += 1
            count += 1
        out[count, 0] = new[j, 0]
        out[count, 1] = new[j, 1]
        count += 1
        if j + 1 < new.shape[0] and new[j + 1, 0] == new[j, 0]:
            continue
        while i < old.shape[0] and old[i, 0] == new[j, 0]:
            again = False
            for at in range(j, -1, -1):
                if new[at, 0] != old[i, 0]:
                    break
                again |= new[at, 1] & _UPPER == old[i, 1] & _UPPER
            if not again:
                out[count, 0] = old[i, 0]
                out[count, 1] = old[i, 1]
                count += 1
            i += 1
    while i < old.shape[0]:
        out[count, 0] = old[i, 0]
        out[count, 1] = old[i, 1]
        i += 1
        count += 1
    return count


class Archive(NamedTuple):
    """Fingerprints that do not change: ``entries`` (n, 2) by their first word, ``starts`` of equal parts.

    Those whose first word begins with the bits of b lie from ``starts[b]`` to ``starts[b + 1]``.
    """

    starts: NDArray[np.uint32]
    entries: U64

    @classmethod
    def of(cls, entries: U64) -> Archive:
        """The archive of sorted entries; neither can be written to any more."""
        parts = 2
        while parts * _IN_A_PART < len(entries):
            parts *= 2
        firsts = np.arange(parts, dtype=np.uint64) * np.uint64((1 << 64) // parts)
        starts = np.append(np.searchsorted(entries[:, 0], firsts), len(entries)).astype(np.uint32)
        starts.flags.writeable = entries.flags.writeable = False
        return cls(starts, entries)


def _table(slots: int) -> U64:
    return np.full((slots, 2), _EMPTY, dtype=np.uint64)


def _slots_for(entries: int) -> int:
    """The smallest power of two that keeps the table at most five eighths full."""
    slots = SLOTS_MIN
    while entries * 8 > slots * 5:
        slots *= 2
    return slots


NOTHING = Archive.of(_table(0))


class Seen:
    """The fingerprints of the events taken in; 16 bytes a slot, at most five eighths full.

    What was received before the moment ``since`` (ms) may be missing.
    """

    def __init__(self, entries: int = 0, since: int = 0, archive: Archive = NOTHING) -> None:
        """Room for so many beside an archive."""
        self.since = since
        self._archive = archive
        self._slots = _table(_slots_for(entries))
        self._filled = 0
        self._unsettled: list[tuple[U64, U64, NDArray[np.bool_], U64]] = []

    def __len__(self) -> int:
        return self._filled + len(self._archive.entries)

    def seen_many(self, h1: U64, h2: U64, received: I64, window_ms: int = DEDUPE_MS) -> NDArray[np.bool_]:
        """Which of these events repeat one received at most ``window_ms`` before, or one earlier here.

        The others are entered. ``h1``, ``h2`` and ``received`` (ms) have one shape, (n,).
        """
        self._make_room(len(h1))
        repeated = np.empty(len(h1), np.bool_)
        before = np.empty(len(h1), np.uint64)
        within = np.clip(received, 0, _RECEIVED_MAX - 1)
        self._filled += _take(
            self._slots, tuple(self._archive), (h1, h2, within), window_ms, repeated, before
        )
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
        """All entries as an array of shape (n, 2), for :meth:`Archive.of`."""
        found = np.empty((self._filled, 2), np.uint64)
        _put_in_order(self._slots, found)
        if not len(self._archive.entries):
            return found
        whole = np.empty((len(self), 2), np.uint64)
        return whole[: _merge(self._archive.entries, found, whole)]

    def learn(self, high: U64, low: U64, received: I64) -> None:
        """Enter events of the log, which come in any order: the newest of a fingerprint counts."""
        if (np.diff(received) < 0).any():
            order = np.argsort(received, kind="stable")
            high, low, received = high[order], low[order], received[order]
        self.seen_many(high, low, received, _NEVER)
        self.settle()

    def _make_room(self, more: int) -> None:
        needed = _slots_for(self._filled + more)
        if needed > len(self._slots):
            self._rebuild(needed, 0)

    def _rebuild(self, slots: int, before: int) -> None:
        target = _table(slots)
        self._filled = _move(self._slots, target, before)
        self._slots = target

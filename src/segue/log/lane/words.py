"""Texts as small numbers: each distinct one gets the next number, and comes to be a Python object once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from segue.log.lane.compiled import compiled, inlined
from segue.log.lane.machine import address_of, copy_bytes, word_at
from segue.log.lane.octets import PAD

Numbers = npt.NDArray[np.int32]
Octets = npt.NDArray[np.uint8]

TOO_LONG = -1
"""The number of every text that is longer than those kept."""
_SLOTS_MIN, _BYTES_MIN = 256, 4_096
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_FOLD = np.uint64(29)
_ONE, _EIGHT = np.uint64(1), np.uint64(8)
_FREE = -1


@inlined
def _part(text: int, at: int, left: int) -> Any:
    """Up to eight bytes of a text as a word, zeros above."""
    word = word_at(text, at)
    return word if left >= 8 else word & ((_ONE << np.uint64(8 * left)) - _ONE)


@inlined
def _hash(text: int, start: int, size: int) -> Any:
    found = np.uint64(size) * _FACTOR
    at = 0
    while at < size:
        found = (found ^ _part(text, start + at, size - at)) * _FACTOR
        found ^= found >> _FOLD
        at += 8
    return found


@inlined
def same_bytes(text: int, start: int, other: int, begun: int, size: int) -> Any:
    """Whether as many bytes are the same at two places; eight more may be read at either."""
    at = 0
    while at < size:
        if _part(text, start + at, size - at) != _part(other, begun + at, size - at):
            return False
        at += 8
    return True


@compiled
def _number_many(
    octets: Any, starts: Any, stops: Any, first: int, numbers: Any,
    slots: Any, kept: Any, ends: Any, known: int, longest: int,
) -> tuple[int, int]:  # fmt: skip
    """Number texts from ``first`` on until the room is used up; (texts done, numbers given in all).

    ``slots`` holds numbers, ``kept`` the texts themselves side by side, ``ends[n]`` where text n begins and
    ``ends[n + 1]`` where it ends.
    """
    text, own = address_of(octets), address_of(kept)
    wrap = slots.shape[0] - 1
    for i in range(first, starts.shape[0]):
        start, size = starts[i], stops[i] - starts[i]
        if size > longest:
            numbers[i] = TOO_LONG
            continue
        at = np.int64(_hash(text, start, size) & np.uint64(wrap))
        while slots[at] != _FREE:
            held = slots[at]
            begun = ends[held]
            if ends[held + 1] - begun == size and same_bytes(text, start, own, begun, size):
                break
            at = (at + 1) & wrap
        if slots[at] == _FREE:
            end = ends[known] + size
            if 2 * (known + 1) > slots.shape[0] or end + 8 > kept.shape[0]:
                return i, known
            copy_bytes(own + ends[known], text + start, size)
            slots[at] = known
            ends[known + 1] = end
            known += 1
        numbers[i] = slots[at]
    return starts.shape[0], known


@compiled
def _enter_all(slots: Any, kept: Any, ends: Any, known: int) -> None:
    own, wrap = address_of(kept), slots.shape[0] - 1
    for number in range(known):
        begun = ends[number]
        at = np.int64(_hash(own, begun, ends[number + 1] - begun) & np.uint64(wrap))
        while slots[at] != _FREE:
            at = (at + 1) & wrap
        slots[at] = number


class Words:
    """Numbers for texts of at most ``longest`` bytes. One thread at a time."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._slots = np.full(_SLOTS_MIN, _FREE, np.int32)
        self._kept = np.zeros(_BYTES_MIN, np.uint8)
        self._ends = np.zeros(_SLOTS_MIN // 2 + 1, np.int64)
        self._known = 0

    def __len__(self) -> int:
        return self._known

    @property
    def size(self) -> int:
        """Bytes of all texts that are kept."""
        return int(self._ends[self._known])

    def numbered(self, octets: Octets, starts: Numbers, stops: Numbers) -> Numbers:
        """The number of each text between two places; TOO_LONG for one that is not kept."""
        starts, stops = np.ascontiguousarray(starts), np.ascontiguousarray(stops)
        numbers = np.empty(len(starts), np.int32)
        done = 0
        while True:
            done, self._known = _number_many(
                octets, starts, stops, done, numbers,
                self._slots, self._kept, self._ends, self._known, self._longest,
            )  # fmt: skip
            if done == len(starts):
                return numbers
            self._grow()

    def texts(self, first: int = 0) -> list[bytes]:
        """The texts from a number on, in order."""
        whole = self._kept.tobytes()
        bounds = self._ends[first : self._known + 1].tolist()
        return [whole[start:stop] for start, stop in pairwise(bounds)]

    def _grow(self) -> None:
        if int(self._ends[self._known]) + self._longest + len(PAD) > len(self._kept):
            self._kept = np.concatenate((self._kept, np.zeros(len(self._kept), np.uint8)))
        if 2 * (self._known + 1) > len(self._slots):
            self._slots = np.full(2 * len(self._slots), _FREE, np.int32)
            self._ends = np.concatenate((self._ends, np.zeros(len(self._ends), np.int64)))
            _enter_all(self._slots, self._kept, self._ends, self._known)

"""MD5 of many short texts at once, side by side in the lanes of a vector register.

The fingerprint of an event is :func:`segue.log.fingerprint.fingerprint`; this is its twin for many.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from segue.log.lane.compiled import compiled, inlined
from segue.log.lane.machine import address_of, copy_bytes, put_int64, word_at

Places = npt.NDArray[np.int32]
Halves = npt.NDArray[np.uint64]

LANES = 16
"""Texts reckoned together: two vectors of eight words, so that one fills the waits of the other."""

_WORDS = 16
_BLOCK_BYTES = 64
_LENGTH_BYTES = 8
_SINES = np.array([int(abs(math.sin(step + 1)) * 2**32) for step in range(64)], np.uint32)
_TURNS = np.array(
    [7, 12, 17, 22] * 4 + [5, 9, 14, 20] * 4 + [4, 11, 16, 23] * 4 + [6, 10, 15, 21] * 4, np.uint32
)
_PLACES = np.array(
    [*range(16)]
    + [(5 * step + 1) % 16 for step in range(16)]
    + [(3 * step + 5) % 16 for step in range(16)]
    + [7 * step % 16 for step in range(16)]
)
_START = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476], np.uint32)
_WORD_BITS = np.uint32(32)
_SHIFT = np.uint64(32)
_LOWER = np.uint64(0xFFFFFFFF)


@inlined
def _turned(value: Any, turn: Any) -> Any:
    return np.uint32((value << turn) | (value >> np.uint32(_WORD_BITS - turn)))


@inlined
def _rounds(words: Any, state: Any) -> None:
    """One block of every lane: ``words`` [16, LANES] into ``state`` [4, LANES]."""
    a, b, c, d = state[0].copy(), state[1].copy(), state[2].copy(), state[3].copy()
    for step in range(64):
        sine, turn, place = _SINES[step], _TURNS[step], _PLACES[step]
        if step < 16:
            for i in range(LANES):
                mixed = np.uint32(d[i] ^ (b[i] & (c[i] ^ d[i])))
                mixed = np.uint32(mixed + a[i] + sine + words[place, i])
                a[i] = np.uint32(b[i] + _turned(mixed, turn))
        elif step < 32:
            for i in range(LANES):
                mixed = np.uint32(c[i] ^ (d[i] & (b[i] ^ c[i])))
                mixed = np.uint32(mixed + a[i] + sine + words[place, i])
                a[i] = np.uint32(b[i] + _turned(mixed, turn))
        elif step < 48:
            for i in range(LANES):
                mixed = np.uint32(b[i] ^ c[i] ^ d[i])
                mixed = np.uint32(mixed + a[i] + sine + words[place, i])
                a[i] = np.uint32(b[i] + _turned(mixed, turn))
        else:
            for i in range(LANES):
                mixed = np.uint32(c[i] ^ (b[i] | ~d[i]))
                mixed = np.uint32(mixed + a[i] + sine + words[place, i])
                a[i] = np.uint32(b[i] + _turned(mixed, turn))
        a, b, c, d = d, a, b, c
    for i in range(LANES):
        state[0, i] += a[i]
        state[1, i] += b[i]
        state[2, i] += c[i]
        state[3, i] += d[i]


@compiled
def _fingerprint_many(prefix: Any, octets: Any, starts: Any, stops: Any, high: Any, low: Any) -> None:
    """The two halves of the digest of ``prefix`` and each text between two places of ``octets``.

    Texts of a like number of blocks are best: a block is reckoned for all lanes when one of them needs it.
    """
    text, count, head = address_of(octets), starts.shape[0], prefix.shape[0]
    words, state = np.zeros((_WORDS, LANES), np.uint32), np.zeros((4, LANES), np.uint32)
    block, result = np.zeros(_BLOCK_BYTES, np.uint8), np.zeros((4, LANES), np.uint32)
    block_words = block.view(np.uint32)
    own, before = address_of(block), address_of(prefix)
    for first in range(0, count, LANES):
        lanes = min(LANES, count - first)
        most = 0
        for i in range(lanes):
            size = head + stops[first + i] - starts[first + i]
            most = max(most, (size + _LENGTH_BYTES) // _BLOCK_BYTES + 1)
        for i in range(LANES):
            for part in range(4):
                state[part, i] = _START[part]
        for number in range(most):
            base = number * _BLOCK_BYTES
            for i in range(lanes):
                start = starts[first + i]
                size = head + stops[first + i] - start
                if base >= head and base + _BLOCK_BYTES <= size:
                    for place in range(0, _WORDS, 2):
                        word = word_at(text, start + base - head + 4 * place)
                        words[place, i] = np.uint32(word & _LOWER)
                        words[place + 1, i] = np.uint32(word >> _SHIFT)
                    continue
                for place in range(_BLOCK_BYTES // 8):
                    put_int64(own, place, 0)
                if base < head:
                    copy_bytes(own, before + base, min(head - base, _BLOCK_BYTES))
                since, until = max(base, head), min(base + _BLOCK_BYTES, size)
                if until > since:
                    copy_bytes(own + since - base, text + start + since - head, until - since)
                if base <= size < base + _BLOCK_BYTES:
                    block[size - base] = 128
                if (size + _LENGTH_BYTES) // _BLOCK_BYTES == number:
                    block_words[14] = size << 3
                    block_words[15] = size >> 29
                for place in range(_WORDS):
                    words[place, i] = block_words[place]
            _rounds(words, state)
            for i in range(lanes):
                size = head + stops[first + i] - starts[first + i]
                if (size + _LENGTH_BYTES) // _BLOCK_BYTES == number:
                    for part in range(4):
                        result[part, i] = state[part, i]
        for i in range(lanes):
            high[first + i] = np.uint64(result[0, i]) | np.uint64(result[1, i]) << _SHIFT
            low[first + i] = np.uint64(result[2, i]) | np.uint64(result[3, i]) << _SHIFT


def fingerprints(source: str, text: bytes, starts: Places, stops: Places) -> tuple[Halves, Halves]:
    """:func:`segue.log.fingerprint.fingerprint` of many ids of one source, as two arrays.

    The ids stand between places of a padded text.
    """
    high, low = np.empty(len(starts), np.uint64), np.empty(len(starts), np.uint64)
    prefix = np.frombuffer(f"{len(source)}:{source}".encode(), np.uint8)
    starts, stops = np.ascontiguousarray(starts), np.ascontiguousarray(stops)
    _fingerprint_many(prefix, np.frombuffer(text, np.uint8), starts, stops, high, low)
    return high, low


def digests(text: bytes, starts: Places, stops: Places) -> npt.NDArray[np.uint8]:
    """The MD5 of each text between two places of a padded one: [texts, 16]."""
    halves = np.empty((len(starts), 2), np.uint64)
    octets, nothing = np.frombuffer(text, np.uint8), np.frombuffer(b"", np.uint8)
    high, low = np.empty(len(starts), np.uint64), np.empty(len(starts), np.uint64)
    starts, stops = np.ascontiguousarray(starts), np.ascontiguousarray(stops)
    _fingerprint_many(nothing, octets, starts, stops, high, low)
    halves[:, 0], halves[:, 1] = high, low
    return halves.view(np.uint8)

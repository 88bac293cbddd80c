"""Values at paths of JSON objects, and numbers, read off the bytes of events that were looked at already."""

from __future__ import annotations

from typing import Any

import numpy as np

from segue.log.lane.compiled import compiled, inlined
from segue.log.lane.machine import address_of, byte_at
from segue.log.lane.octets import (
    COMMA,
    DOT,
    MINUS,
    NEWLINE,
    NINE,
    OPEN_OBJECT,
    QUOTE,
    ZERO,
    after_blanks,
)
from segue.log.lane.values import after_colon, plain_string_end, value_end
from segue.log.lane.words import same_bytes

MICRO, NUMBER_MAX = 1e6, 9e12
EXACT_DIGITS_MAX = 15
"""Of a whole number that every double holds; its quotient by a power of ten below 10**23 is the nearest
double of the decimal, since both are exact and a division is rounded once.
"""
_POWERS = np.array([10.0**power for power in range(EXACT_DIGITS_MAX + 1)])
READ, UNREAD = 1, 0


@inlined
def _next_key(text: int, at: int) -> Any:
    """The opening quote of the next key after a value that ends at ``at``; -1 at the object's end."""
    at = after_blanks(text, at, NEWLINE)
    return after_blanks(text, at + 1, NEWLINE) if byte_at(text, at) == COMMA else -1


@inlined
def _first_key(text: int, at: int) -> Any:
    """The same for the first key of the object that begins at ``at``."""
    at = after_blanks(text, at + 1, NEWLINE)
    return at if byte_at(text, at) == QUOTE else -1


@inlined
def _member(text: int, at: int, key: int, size: int) -> tuple[int, int, bool]:
    """Where the last value of a key stands in the object at ``at``; False when keys have escapes."""
    start = stop = 0
    at = _first_key(text, at)
    while at >= 0:
        end = plain_string_end(text, at + 1)
        if end < 0:
            return 0, 0, False
        value = after_colon(text, end, NEWLINE)
        after = value_end(text, value, NEWLINE)
        if end - at - 1 == size and same_bytes(text, at + 1, key, 0, size):
            start, stop = value, after
        at = _next_key(text, after)
    return start, stop, True


@compiled
def find_values(
    octets: Any, starts: Any, stops: Any, keys: Any, bounds: Any, heads: Any, found: Any, sure: Any
) -> None:
    """Where the value at each path stands in each object: ``found`` [events, paths, 2], 0 to 0 for none.

    ``keys`` are the keys of all paths side by side, padded; ``bounds[n]`` and ``bounds[n + 1]`` those of key
    n, ``heads[p]`` and ``heads[p + 1]`` the keys of path p. Where a key comes twice the last value counts.
    ``sure`` is 0 for an object with a key spelled with escapes: it might be one of these.
    """
    text, own = address_of(octets), address_of(keys)
    paths = heads.shape[0] - 1
    for i in range(starts.shape[0]):
        sure[i] = 1
        for p in range(paths):
            found[i, p, 0] = found[i, p, 1] = 0
        if stops[i] == 0:
            continue
        at = _first_key(text, starts[i])
        while at >= 0:
            end = plain_string_end(text, at + 1)
            if end < 0:
                sure[i] = 0
                break
            value = after_colon(text, end, NEWLINE)
            after = value_end(text, value, NEWLINE)
            for p in range(paths):
                key = bounds[heads[p]]
                size = bounds[heads[p] + 1] - key
                if end - at - 1 == size and same_bytes(text, at + 1, own, key, size):
                    found[i, p, 0], found[i, p, 1] = value, after
            at = _next_key(text, after)
        for p in range(paths):
            for n in range(heads[p] + 1, heads[p + 1]):
                start = found[i, p, 0]
                if start == 0:
                    break
                found[i, p, 0] = found[i, p, 1] = 0
                if byte_at(text, start) == OPEN_OBJECT:
                    start, stop, known = _member(text, start, own + bounds[n], bounds[n + 1] - bounds[n])
                    found[i, p, 0], found[i, p, 1] = start, stop
                    if not known:
                        sure[i] = 0


@compiled
def read_micros(octets: Any, starts: Any, stops: Any, missing: int, micros: Any, state: Any) -> None:
    """:func:`segue.domain.number.micro_of` of each value that is no text, where that is plain to see.

    ``state`` is UNREAD for texts and for numbers of another spelling, which others read.
    """
    text = address_of(octets)
    for i in range(starts.shape[0]):
        at, stop = starts[i], stops[i]
        micros[i], state[i] = missing, READ
        if stop == 0:
            continue
        byte = byte_at(text, at)
        if byte == QUOTE:
            state[i] = UNREAD
            continue
        negative = byte == MINUS
        if negative:
            at += 1
        elif byte < ZERO or byte > NINE:
            continue
        digits, whole, point = 0, 0, -1
        while at < stop:
            byte = byte_at(text, at)
            if ZERO <= byte <= NINE:
                whole = whole * 10 + (byte - ZERO)
                digits += 1
                if digits > EXACT_DIGITS_MAX:
                    break
            elif byte == DOT:
                point = digits
            else:
                break
            at += 1
        if at < stop:
            state[i] = UNREAD
            continue
        value = np.float64(whole) / _POWERS[digits - point] if point >= 0 else np.float64(whole)
        if value <= NUMBER_MAX:
            value = np.rint(value * MICRO)
            micros[i] = np.int64(-value if negative else value)

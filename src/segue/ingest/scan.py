"""One look over JSON bytes, before any decoder sees them: how deep, which numbers, where a batch is cut.

The strict decoder leaves open objects undecoded, and with them numbers that no double holds; a deep
nesting ends in a recursion error. Both are found here at about a nanosecond a byte.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from segue.domain.limits import JSON_DEPTH_MAX

ODD_NUMBER = 1
TOO_DEEP = 2

Bytes = NDArray[np.uint8]

_QUOTE, _BACKSLASH, _NEWLINE = 34, 92, 10
_COMMA, _COLON, _MINUS, _PLUS, _DOT, _ZERO, _NINE = 44, 58, 45, 43, 46, 48, 57
_OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT = 91, 93, 123, 125
_DIGITS_MAX = 18
_EXPONENT_DIGITS_MAX = 2


@numba.njit(cache=True, nogil=True)
def _scan(text: Any, depth_max: int, lines: bool) -> int:
    size = text.shape[0]
    found, depth, at = 0, 0, 0
    while at < size:
        byte = text[at]
        if byte == _QUOTE:
            at += 1
            while at < size and text[at] != _QUOTE:
                if text[at] == _BACKSLASH:
                    at += 1
                elif lines and text[at] == _NEWLINE:
                    depth = 0
                    break
                at += 1
        elif _ZERO <= byte <= _NINE:
            start = at
            while at < size and (_ZERO <= text[at] <= _NINE or text[at] == _DOT):
                at += 1
            if at - start > _DIGITS_MAX:
                found |= ODD_NUMBER
            if at < size and (text[at] | 32) == 101:  # e or E
                at += 1
                if at < size and (text[at] == _MINUS or text[at] == _PLUS):
                    at += 1
                start = at
                while at < size and _ZERO <= text[at] <= _NINE:
                    at += 1
                if at - start > _EXPONENT_DIGITS_MAX:
                    found |= ODD_NUMBER
            continue
        elif byte == _OPEN_OBJECT or byte == _OPEN_LIST:
            depth += 1
            if depth > depth_max:
                found |= TOO_DEEP
        elif byte == _CLOSE_OBJECT or byte == _CLOSE_LIST:
            depth -= 1
        elif lines and byte == _NEWLINE:
            depth = 0
        at += 1
    return found


@numba.njit(cache=True, nogil=True)
def _split(text: Any, starts: Any, ends: Any) -> tuple[int, int, int]:
    """(elements, start, end) of the list under the top-level key ``batch``; (-1, …) without one.

    At most ``len(starts)`` elements are written, all are counted.
    """
    size = text.shape[0]
    depth, at, count, opened, first = 0, 0, 0, -1, -1
    while at < size:
        byte = text[at]
        if byte == _QUOTE:
            if opened >= 0 and first < 0:
                first = at
            begun = at
            at += 1
            while at < size and text[at] != _QUOTE:
                at += 2 if text[at] == _BACKSLASH else 1
            is_batch = (
                at - begun == 6
                and text[begun + 1] == 98
                and text[begun + 2] == 97
                and text[begun + 3] == 116
                and text[begun + 4] == 99
                and text[begun + 5] == 104
            )
            if depth == 1 and opened < 0 and is_batch:
                after = at + 1
                colon = False
                while after < size and (text[after] <= 32 or (text[after] == _COLON and not colon)):
                    colon |= text[after] == _COLON
                    after += 1
                if colon and after < size and text[after] == _OPEN_LIST:
                    opened, depth, at = after, 2, after
        elif byte == _OPEN_OBJECT or byte == _OPEN_LIST:
            depth += 1
            if opened >= 0 and first < 0:
                first = at
        elif opened >= 0 and depth == 2 and (byte == _COMMA or byte == _CLOSE_LIST):
            if first >= 0:
                if count < starts.shape[0]:
                    starts[count] = first
                    ends[count] = at
                count += 1
            first = -1
            if byte == _CLOSE_LIST:
                return count, opened, at + 1
        elif byte == _CLOSE_OBJECT or byte == _CLOSE_LIST:
            depth -= 1
        elif opened >= 0 and first < 0 and byte > 32:
            first = at
        at += 1
    return -1, 0, 0


def oddities(text: bytes, lines: bool = False) -> int:
    """``ODD_NUMBER`` and ``TOO_DEEP`` as far as they occur; ``lines`` begins anew at each newline.

    An odd number is one of so many digits that a double or 64 bits may not hold it: worth a closer look.
    """
    found: int = _scan(np.frombuffer(text, np.uint8), JSON_DEPTH_MAX, lines)
    return found


def split_batch(text: bytes, most: int) -> tuple[list[bytes], int, bytes] | None:
    """The elements of the list under the top-level ``batch``, how many it has, and the text without them.

    At most ``most`` are cut out. Nothing is decoded, so that an element of any depth is just bytes.
    None when there is no such list, or no end to it.
    """
    starts, ends = np.empty(most, np.int64), np.empty(most, np.int64)
    count, opened, closed = _split(np.frombuffer(text, np.uint8), starts, ends)
    if count < 0:
        return None
    cut = min(count, most)
    elements = [
        text[start:end].rstrip()
        for start, end in zip(starts[:cut].tolist(), ends[:cut].tolist(), strict=True)
    ]
    return elements, count, text[:opened] + b"[]" + text[closed:]

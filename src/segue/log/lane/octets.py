"""Bytes eight at a time. A text ends with ``PAD``, so that eight may be read wherever one stands.

word   "  ,  "  a  b  c  "  7       eight bytes, the first one lowest
marks  80 00 80 00 00 00 80 00      the bytes that end or bend a string
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segue.log.lane.compiled import inlined
from segue.log.lane.machine import byte_at, word_at, zeros_below

PAD = bytes(8)
"""What follows a text; no JSON text holds a zero, so that every loop over one ends here."""

QUOTE, BACKSLASH, NEWLINE, COMMA, COLON = 34, 92, 10, 44, 58
MINUS, PLUS, DOT, ZERO, NINE = 45, 43, 46, 48, 57
OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT = 91, 93, 123, 125
SPACE = 32

_ONES = np.uint64(0x0101010101010101)
_HIGHS = np.uint64(0x8080808080808080)
_SPACES = np.uint64(0x2020202020202020)
_QUOTES = np.uint64(0x2222222222222222)
_BACKSLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)
_NEWLINES = np.uint64(0x0A0A0A0A0A0A0A0A)
_NOTHING = np.uint64(0)


@inlined
def first_mark(marks: Any) -> Any:
    """Which byte the lowest mark is of, 0 to 7; there is one."""
    return zeros_below(marks) >> 3


@inlined
def string_marks(word: Any) -> Any:
    """A high bit at the first quote, backslash or control character; above it nothing is certain."""
    quotes, backslashes = word ^ _QUOTES, word ^ _BACKSLASHES
    found = (quotes - _ONES) & ~quotes
    found |= (backslashes - _ONES) & ~backslashes
    found |= (word - _SPACES) & ~word
    return found & _HIGHS


@inlined
def line_end(text: int, at: int, size: int) -> Any:
    """Where the line that goes on at ``at`` ends: its newline, or the end of the text."""
    while at < size:
        lines = word_at(text, at) ^ _NEWLINES
        marks = (lines - _ONES) & ~lines & _HIGHS
        if marks != _NOTHING:
            at += first_mark(marks)
            return min(at, size)
        at += 8
    return size


@inlined
def after_blanks(text: int, at: int, newline: int) -> Any:
    """The first place from ``at`` on that is not blank; ``newline`` is 10 where a newline is."""
    byte = byte_at(text, at)
    while byte == SPACE or byte == newline or byte == 9 or byte == 13:
        at += 1
        byte = byte_at(text, at)
    return at

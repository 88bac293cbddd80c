"""Where a JSON value ends, if it is one that every strict reader takes and means the same by.

Not taken are halves of characters, numbers of more digits than a double holds, and deep nesting: what is
wrong with them, or is not, the careful road says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segue.log.lane.compiled import called, inlined
from segue.log.lane.machine import byte_at, word_at
from segue.log.lane.octets import (
    BACKSLASH,
    CLOSE_LIST,
    CLOSE_OBJECT,
    COLON,
    COMMA,
    DOT,
    MINUS,
    NINE,
    OPEN_LIST,
    OPEN_OBJECT,
    PLUS,
    QUOTE,
    ZERO,
    after_blanks,
    first_mark,
    string_marks,
)

NOT_PLAIN = -1
DIGITS_MAX = 18
EXPONENT_DIGITS_MAX = 2
DEPTH_MAX = 60
"""Each level is a bit of a word."""

_NOTHING, _OBJECT = np.uint64(0), np.uint64(1)
_FOUR_BYTES = np.uint64(0xFFFFFFFF)
_TRUE = np.uint64(int.from_bytes(b"true", "little"))
_NULL = np.uint64(int.from_bytes(b"null", "little"))
_FALSE = np.uint64(int.from_bytes(b"alse", "little"))
_SIMPLE_ESCAPES = (34, 92, 47, 98, 102, 110, 114, 116)


@inlined
def plain_string_end(text: int, at: int) -> Any:
    """The closing quote of a string whose first character is at ``at``; NOT_PLAIN with an escape in it."""
    marks = string_marks(word_at(text, at))
    while marks == _NOTHING:
        at += 8
        marks = string_marks(word_at(text, at))
    at += first_mark(marks)
    return at if byte_at(text, at) == QUOTE else NOT_PLAIN


@inlined
def _escape_end(text: int, at: int) -> Any:
    """Where the escape ends whose backslash is at ``at``; NOT_PLAIN for half of a character too."""
    byte = byte_at(text, at + 1)
    if byte in _SIMPLE_ESCAPES:
        return at + 2
    if byte != 117:
        return NOT_PLAIN
    code = 0
    for place in range(at + 2, at + 6):
        digit = byte_at(text, place)
        if ZERO <= digit <= NINE:
            digit -= ZERO
        elif 97 <= (digit | 32) <= 102:
            digit = (digit | 32) - 87
        else:
            return NOT_PLAIN
        code = code * 16 + digit
    return NOT_PLAIN if 0xD800 <= code <= 0xDFFF else at + 6


@called
def string_end(text: int, at: int) -> Any:
    """The closing quote of a string whose first character is at ``at``."""
    while True:
        marks = string_marks(word_at(text, at))
        if marks == _NOTHING:
            at += 8
            continue
        at += first_mark(marks)
        byte = byte_at(text, at)
        if byte == QUOTE:
            return at
        if byte != BACKSLASH:
            return NOT_PLAIN
        at = _escape_end(text, at)
        if at < 0:
            return NOT_PLAIN


@inlined
def _digits_end(text: int, at: int) -> Any:
    while ZERO <= byte_at(text, at) <= NINE:
        at += 1
    return at


@called
def number_end(text: int, at: int) -> Any:
    """The place after a number that begins at ``at``."""
    if byte_at(text, at) == MINUS:
        at += 1
    start = at
    at = at + 1 if byte_at(text, at) == ZERO else _digits_end(text, at)
    if at == start:
        return NOT_PLAIN
    if byte_at(text, at) == DOT:
        point = at + 1
        at = _digits_end(text, point)
        if at == point:
            return NOT_PLAIN
    if at - start > DIGITS_MAX:
        return NOT_PLAIN
    if byte_at(text, at) | 32 == 101:
        at += 1
        if byte_at(text, at) == PLUS or byte_at(text, at) == MINUS:
            at += 1
        start = at
        at = _digits_end(text, at)
        if at == start or at - start > EXPONENT_DIGITS_MAX:
            return NOT_PLAIN
    return at


@inlined
def word_end(text: int, at: int) -> Any:
    """The place after true, false or null."""
    word = word_at(text, at) & _FOUR_BYTES
    if word == _TRUE or word == _NULL:
        return at + 4
    return at + 5 if byte_at(text, at) == 102 and word_at(text, at + 1) & _FOUR_BYTES == _FALSE else NOT_PLAIN


@inlined
def is_null(text: int, at: int) -> Any:
    """Whether null stands here."""
    return word_at(text, at) & _FOUR_BYTES == _NULL


@inlined
def after_key(text: int, at: int, newline: int) -> Any:
    """Where the value begins of the key whose opening quote should be at ``at``."""
    if byte_at(text, at) != QUOTE:
        return NOT_PLAIN
    at = string_end(text, at + 1)
    return after_colon(text, at, newline) if at >= 0 else NOT_PLAIN


@inlined
def after_colon(text: int, at: int, newline: int) -> Any:
    """Where the value begins after a key that ends at ``at``, its closing quote."""
    at = after_blanks(text, at + 1, newline)
    return after_blanks(text, at + 1, newline) if byte_at(text, at) == COLON else NOT_PLAIN


@inlined
def _scalar_end(text: int, at: int, byte: int) -> Any:
    if byte == QUOTE:
        at = string_end(text, at + 1)
        return at + 1 if at >= 0 else NOT_PLAIN
    if byte == MINUS or ZERO <= byte <= NINE:
        return number_end(text, at)
    return word_end(text, at)


@called
def value_end(text: int, at: int, newline: int) -> Any:
    """The place after the value that begins at ``at``, all of it looked at."""
    depth, kinds = 0, _NOTHING
    while True:
        byte = byte_at(text, at)
        if byte == OPEN_OBJECT or byte == OPEN_LIST:
            inside = after_blanks(text, at + 1, newline)
            is_object = byte == OPEN_OBJECT
            if byte_at(text, inside) == (CLOSE_OBJECT if is_object else CLOSE_LIST):
                at = inside + 1
            else:
                if depth == DEPTH_MAX:
                    return NOT_PLAIN
                depth += 1
                kinds = (kinds << _OBJECT) | (_OBJECT if is_object else _NOTHING)
                at = after_key(text, inside, newline) if is_object else inside
                if at < 0:
                    return NOT_PLAIN
                continue
        else:
            at = _scalar_end(text, at, byte)
            if at < 0:
                return NOT_PLAIN
        while True:
            if depth == 0:
                return at
            at = after_blanks(text, at, newline)
            byte = byte_at(text, at)
            is_object = kinds & _OBJECT == _OBJECT
            if byte == COMMA:
                at = after_blanks(text, at + 1, newline)
                at = after_key(text, at, newline) if is_object else at
                if at < 0:
                    return NOT_PLAIN
                break
            if byte != (CLOSE_OBJECT if is_object else CLOSE_LIST):
                return NOT_PLAIN
            at += 1
            depth -= 1
            kinds >>= _OBJECT

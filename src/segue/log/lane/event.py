"""One event in the ordinary spelling, read off its bytes: where its parts stand, and its times.

… {"type":"track","event":"Login","userId":"u1","timestamp":"2026-01-02T03:04:05Z","properties":{…}} …
                         └─EVENT─┘         └USER┘              └ 1767323045000        └PROPERTIES┘

The twin of :func:`segue.log.body.decode_body` and the checks of the intake, for events of which both
have nothing to say. Whatever else is sent is NOT_PLAIN and taken the careful road: escapes in what names
someone, ids and times that are no plain text, a key that comes twice, values of a type not meant.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segue.domain.event import TYPES
from segue.domain.limits import EVENT_BYTES_MAX, ID_CHARACTERS_MAX, MESSAGE_ID_CHARACTERS_MAX
from segue.log.lane.compiled import called, inlined
from segue.log.lane.machine import byte_at, put_int32, put_int64, word_at
from segue.log.lane.octets import (
    CLOSE_OBJECT,
    COMMA,
    DOT,
    NINE,
    OPEN_OBJECT,
    QUOTE,
    SPACE,
    ZERO,
    after_blanks,
)
from segue.log.lane.times import UNREAD, time_between, time_of_number
from segue.log.lane.values import NOT_PLAIN, after_colon, is_null, plain_string_end, value_end

RAW, EVENT, USER, ANONYMOUS, MESSAGE, PROPERTIES, CONTEXT, TRAITS = range(8)
SPANS = 8
TIMESTAMP, ORIGINAL, SENT, RECEIVED = range(4)
TIMES = 4
SPAN_BYTES, TIME_BYTES = SPANS * 2 * 4, TIMES * 8
"""What an event takes of the two tables."""

PLAIN, LABELLED = 1, 2
"""Flags: in the ordinary spelling; a page or screen whose name or category stand beside its properties."""

PLAIN_TYPES = ("track", "page", "screen", "identify")
WHOLE_DIGITS_MAX = 15
"""Of a number that is an id or a time; no double loses any of them."""
ANY_TYPE = -1
"""The event says its type itself."""

_FIRST = [np.uint64((1 << 8 * count) - 1) for count in range(9)]
_FIRST_1, _FIRST_2, _FIRST_3, _FIRST_4 = _FIRST[1:5]
_FIRST_5, _FIRST_6, _FIRST_7, _FIRST_8 = _FIRST[5:9]


def _head(key: str) -> np.uint64:
    return np.uint64(int.from_bytes(key.encode()[:8], "little"))


def _tail(key: str) -> np.uint64:
    return np.uint64(int.from_bytes(key.encode()[-8:], "little"))


_TYPE, _NAME, _EVENT = _head("type"), _head("name"), _head("event")
_USER, _SENT, _TRAITS = _head("userId"), _head("sentAt"), _head("traits")
_CONTEXT, _CATEGORY, _WRITE_KEY = _head("context"), _head("category"), _head("writeKey")
_MESSAGE, _MESSAGE_TAIL = _head("messageId"), _tail("messageId")
_TIMESTAMP, _TIMESTAMP_TAIL = _head("timestamp"), _tail("timestamp")
_ANONYMOUS, _ANONYMOUS_TAIL = _head("anonymousId"), _tail("anonymousId")
_RECEIVED, _RECEIVED_TAIL = _head("receivedAt"), _tail("receivedAt")
_PROPERTIES, _PROPERTIES_TAIL = _head("properties"), _tail("properties")
_ORIGINAL, _ORIGINAL_TAIL, _ORIGINAL_MIDDLE = _head("originalTimestamp"), _tail("originalTimestamp"), ord("T")
_FORGOTTEN = _head("forgotten:")

_TRACK, _PAGE, _SCREEN, _IDENTIFY = _head("track"), _head("page"), _head("screen"), _head("identify")
_TRACK_NUMBER, _PAGE_NUMBER = TYPES.index("track"), TYPES.index("page")
_SCREEN_NUMBER, _IDENTIFY_NUMBER = TYPES.index("screen"), TYPES.index("identify")

_OTHER, _LABEL, _KIND, _KEY_OF_SENDER = range(4)
_SPAN_AT, _TIME_AT = 4, 4 + SPANS
"""What :func:`_field` gives: one of the four above, or one of these plus a number of a span or a time."""
_OWNED = 1 << _SPAN_AT + USER | 1 << _SPAN_AT + ANONYMOUS


@inlined
def _field(text: int, at: int, stop: int) -> Any:
    """Which field the key between two places names."""
    length, head = stop - at, word_at(text, at)
    if length == 4:
        head &= _FIRST_4
        return _KIND if head == _TYPE else _LABEL if head == _NAME else _OTHER
    if length == 5:
        return _SPAN_AT + EVENT if head & _FIRST_5 == _EVENT else _OTHER
    if length == 6:
        head &= _FIRST_6
        if head == _USER:
            return _SPAN_AT + USER
        return _TIME_AT + SENT if head == _SENT else _SPAN_AT + TRAITS if head == _TRAITS else _OTHER
    if length == 7:
        return _SPAN_AT + CONTEXT if head & _FIRST_7 == _CONTEXT else _OTHER
    if length == 8:
        return _LABEL if head == _CATEGORY else _KEY_OF_SENDER if head == _WRITE_KEY else _OTHER
    return _long_field(text, at, stop, length, head)


@inlined
def _long_field(text: int, at: int, stop: int, length: int, head: Any) -> Any:
    if length < 8:
        return _OTHER
    tail = word_at(text, stop - 8)
    if length == 9:
        if head == _MESSAGE and tail == _MESSAGE_TAIL:
            return _SPAN_AT + MESSAGE
        return _TIME_AT + TIMESTAMP if head == _TIMESTAMP and tail == _TIMESTAMP_TAIL else _OTHER
    if length == 10:
        if head == _PROPERTIES and tail == _PROPERTIES_TAIL:
            return _SPAN_AT + PROPERTIES
        return _TIME_AT + RECEIVED if head == _RECEIVED and tail == _RECEIVED_TAIL else _OTHER
    if length == 11:
        return _SPAN_AT + ANONYMOUS if head == _ANONYMOUS and tail == _ANONYMOUS_TAIL else _OTHER
    if length == 17 and head == _ORIGINAL and tail == _ORIGINAL_TAIL:
        return _TIME_AT + ORIGINAL if byte_at(text, at + 8) == _ORIGINAL_MIDDLE else _OTHER
    return _OTHER


@inlined
def _type_of(text: int, at: int, stop: int) -> Any:
    """The number of a type whose events may be plain."""
    length, word = stop - at, word_at(text, at)
    if length == 5 and word & _FIRST_5 == _TRACK:
        return _TRACK_NUMBER
    if length == 4 and word & _FIRST_4 == _PAGE:
        return _PAGE_NUMBER
    if length == 6 and word & _FIRST_6 == _SCREEN:
        return _SCREEN_NUMBER
    return _IDENTIFY_NUMBER if length == 8 and word == _IDENTIFY else NOT_PLAIN


@inlined
def _is_id(text: int, at: int, stop: int, most: int) -> Any:
    """Whether a text is plainly an id: it does not begin blank, nor as what stands for the forgotten."""
    return byte_at(text, at) > SPACE and 0 < stop - at <= most and word_at(text, at) != _FORGOTTEN


@inlined
def _is_blank_pair(text: int, at: int) -> Any:
    """Whether two bytes may begin one of the blanks beyond ASCII; some other signs begin so too."""
    first, second = byte_at(text, at), byte_at(text, at + 1)
    if first == 0xE2:
        return second == 0x80 or second == 0x81
    if first == 0xC2:
        return second == 0x85 or second == 0xA0
    return (first == 0xE1 and second == 0x9A) or (first == 0xE3 and second == 0x80)


@inlined
def _is_name(text: int, at: int, stop: int) -> Any:
    """Whether a text has surely no blank at either end."""
    if stop <= at or byte_at(text, at) <= SPACE or byte_at(text, stop - 1) <= SPACE:
        return False
    if byte_at(text, at) < 128 and byte_at(text, stop - 1) < 128:
        return True
    return not (_is_blank_pair(text, at) or _is_blank_pair(text, stop - 2) or _is_blank_pair(text, stop - 3))


@inlined
def _null_end(text: int, at: int) -> Any:
    return at + 4 if is_null(text, at) else NOT_PLAIN


@inlined
def _whole_number_end(text: int, at: int) -> Any:
    """The place after digits that are the usual spelling of a whole number, and no part of another one."""
    stop = at
    while ZERO <= byte_at(text, stop) <= NINE:
        stop += 1
    byte = byte_at(text, stop)
    if stop == at or stop - at > WHOLE_DIGITS_MAX or (byte_at(text, at) == ZERO and stop - at > 1):
        return NOT_PLAIN
    return NOT_PLAIN if byte == DOT or byte | 32 == 101 else stop


@inlined
def _number_field(text: int, at: int, part: int, spans: int) -> Any:
    """A whole number as an id is its digits."""
    stop = _whole_number_end(text, at)
    if stop < 0:
        return _null_end(text, at)
    put_int32(spans, 2 * part, at)
    put_int32(spans, 2 * part + 1, stop)
    return stop


@inlined
def _text_field(text: int, at: int, is_text: bool, part: int, spans: int) -> Any:
    """Note where a text stands, the place after it given; null is as good as absent."""
    if not is_text:
        return _number_field(text, at, part, spans) if part != EVENT else _null_end(text, at)
    stop = plain_string_end(text, at + 1)
    if stop < 0:
        return NOT_PLAIN
    most = MESSAGE_ID_CHARACTERS_MAX if part == MESSAGE else ID_CHARACTERS_MAX
    if part != EVENT and not _is_id(text, at + 1, stop, most):
        return NOT_PLAIN
    put_int32(spans, 2 * part, at + 1)
    put_int32(spans, 2 * part + 1, stop)
    return stop + 1


@inlined
def _time_field(text: int, at: int, is_text: bool, part: int, times: int) -> Any:
    if not is_text:
        stop = _whole_number_end(text, at)
        if stop < 0:
            return _null_end(text, at)
        found = time_of_number(text, at, stop)
        put_int64(times, part, found)
        return stop if found != UNREAD else NOT_PLAIN
    stop = plain_string_end(text, at + 1)
    if stop < 0:
        return NOT_PLAIN
    found = time_between(text, at + 1, stop)
    put_int64(times, part, found)
    return stop + 1 if found != UNREAD else NOT_PLAIN


@inlined
def _object_field(text: int, at: int, newline: int, part: int, spans: int) -> Any:
    if byte_at(text, at) != OPEN_OBJECT:
        return at + 4 if is_null(text, at) else NOT_PLAIN
    stop = value_end(text, at, newline)
    put_int32(spans, 2 * part, at)
    put_int32(spans, 2 * part + 1, stop)
    return stop


@inlined
def _flags(text: int, kind: int, told: int, name: int, name_end: int) -> Any:
    """The flags of an event of which all fields are plain; 0 when it has no type, nobody or no name."""
    if kind < 0 or not told & _OWNED:
        return 0
    if kind == _TRACK_NUMBER and not _is_name(text, name, name_end):
        return 0
    is_page = kind == _PAGE_NUMBER or kind == _SCREEN_NUMBER
    return PLAIN | LABELLED if is_page and told >> _LABEL & 1 else PLAIN


@called
def event_end(text: int, at: int, newline: int, forced: int, spans: int, times: int) -> tuple[int, int, int]:
    """(place after the event that begins at ``at``, its type's number, flags); the place is NOT_PLAIN else.

    ``spans`` [SPANS, 2] and ``times`` [TIMES] are filled in, a span of 0 to 0 for what is absent.
    ``forced`` is the type's number when the event need not say it.
    """
    for place in range(SPANS):
        put_int64(spans, place, 0)
    for place in range(TIMES):
        put_int64(times, place, UNREAD)
    if byte_at(text, at) != OPEN_OBJECT:
        return NOT_PLAIN, 0, 0
    start, kind, met, told = at, forced, 0, 0
    name, name_end = 0, 0
    at = after_blanks(text, at + 1, newline)
    while True:
        stop = plain_string_end(text, at + 1) if byte_at(text, at) == QUOTE else NOT_PLAIN
        if stop < 0:
            return NOT_PLAIN, 0, 0
        field = _field(text, at + 1, stop)
        at = after_colon(text, stop, newline)
        if at < 0 or (met >> field) & 1:
            return NOT_PLAIN, 0, 0
        is_text = byte_at(text, at) == QUOTE
        if field <= _LABEL:
            if field == _LABEL and not is_null(text, at):
                told |= 1 << _LABEL
            at = value_end(text, at, newline)
        else:
            met |= 1 << field
            if field >= _TIME_AT:
                at = _time_field(text, at, is_text, field - _TIME_AT, times)
            elif field >= _SPAN_AT + PROPERTIES:
                at = _object_field(text, at, newline, field - _SPAN_AT, spans)
            elif field >= _SPAN_AT:
                told |= (not is_null(text, at)) << field
                begun = at + 1
                at = _text_field(text, at, is_text, field - _SPAN_AT, spans)
                if field == _SPAN_AT + EVENT and is_text:
                    name, name_end = begun, at - 1
            elif field == _KIND and forced == ANY_TYPE:
                stop = plain_string_end(text, at + 1) if is_text else NOT_PLAIN
                kind = _type_of(text, at + 1, stop)
                at = stop + 1 if kind >= 0 else NOT_PLAIN
            else:
                at = value_end(text, at, newline) if field == _KIND else NOT_PLAIN
        if at < 0:
            return NOT_PLAIN, 0, 0
        at = after_blanks(text, at, newline)
        byte = byte_at(text, at)
        if byte == CLOSE_OBJECT:
            break
        if byte != COMMA:
            return NOT_PLAIN, 0, 0
        at = after_blanks(text, at + 1, newline)
    flags = _flags(text, kind, told, name, name_end)
    return (at + 1, kind, flags) if flags and at + 1 - start <= EVENT_BYTES_MAX else (NOT_PLAIN, 0, 0)

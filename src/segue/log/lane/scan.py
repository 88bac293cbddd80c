"""Where the events of a text stand: of the lines of a file, of a posted batch, of texts cut already."""

from __future__ import annotations

from typing import Any

import numpy as np

from segue.domain.limits import EVENT_BYTES_MAX
from segue.log.lane.compiled import compiled, inlined
from segue.log.lane.event import ANY_TYPE, RAW, SPAN_BYTES, TIME_BYTES, event_end
from segue.log.lane.machine import address_of, byte_at, put_int32, word_at
from segue.log.lane.octets import (
    CLOSE_LIST,
    CLOSE_OBJECT,
    COMMA,
    NEWLINE,
    OPEN_LIST,
    OPEN_OBJECT,
    QUOTE,
    SPACE,
    after_blanks,
    line_end,
)
from segue.log.lane.values import NOT_PLAIN, after_colon, is_null, plain_string_end, value_end

_FIRST_5, _FIRST_6, _FIRST_7 = np.uint64(2**40 - 1), np.uint64(2**48 - 1), np.uint64(2**56 - 1)
_BATCH = np.uint64(int.from_bytes(b"batch", "little"))
_SENT = np.uint64(int.from_bytes(b"sentAt", "little"))
_WRITE_KEY = np.uint64(int.from_bytes(b"writeKey", "little"))
_CONTEXT = np.uint64(int.from_bytes(b"context", "little"))
_INTEGRATIONS = np.uint64(int.from_bytes(b"integrat", "little"))


@compiled
def scan_lines(
    octets: Any, at: int, size: int, number: int, lines: Any, spans: Any, times: Any, kinds: Any, flags: Any
) -> tuple[int, int, int]:
    """The lines from ``at`` on that hold anything, as many as there is room for.

    ``number`` is that of the first line. Gives (how many, where the next line begins, its number).
    """
    text, span, time = address_of(octets), address_of(spans), address_of(times)
    count = 0
    while at < size and count < kinds.shape[0]:
        stop, kind, flag = event_end(text, at, SPACE, ANY_TYPE, span, time)
        if stop >= 0:
            stop = after_blanks(text, stop, SPACE)
            if (stop != size and byte_at(text, stop) != NEWLINE) or stop - at > EVENT_BYTES_MAX:
                stop = NOT_PLAIN
        if stop < 0:
            stop, kind, flag = line_end(text, at, size), 0, 0
        if flag or not _is_blank(text, at, stop):
            put_int32(span, 2 * RAW, at)
            put_int32(span, 2 * RAW + 1, stop)
            kinds[count], flags[count], lines[count] = kind, flag, number
            count += 1
            span += SPAN_BYTES
            time += TIME_BYTES
        number += 1
        at = stop + 1
    return count, at, number


@inlined
def _is_blank(text: int, at: int, stop: int) -> Any:
    while at < stop:
        byte = byte_at(text, at)
        if byte != SPACE and (byte < 9 or byte > 13):
            return False
        at += 1
    return True


@compiled
def scan_cut(octets: Any, forced: Any, spans: Any, times: Any, kinds: Any, flags: Any) -> None:
    """Texts that were cut already, as the first of each one's spans says.

    ``forced`` are the numbers of their types where they need not say them, else ANY_TYPE.
    """
    text, span, time = address_of(octets), address_of(spans), address_of(times)
    for i in range(kinds.shape[0]):
        start, stop = spans[i, RAW, 0], spans[i, RAW, 1]
        begun = after_blanks(text, start, NEWLINE)
        end, kind, flag = event_end(text, begun, NEWLINE, forced[i], span, time)
        if end < 0 or end > stop or stop - start > EVENT_BYTES_MAX or after_blanks(text, end, NEWLINE) < stop:
            kind, flag = 0, 0
        kinds[i], flags[i] = kind, flag
        put_int32(span, 2 * RAW, start)
        put_int32(span, 2 * RAW + 1, stop)
        span += SPAN_BYTES
        time += TIME_BYTES


@inlined
def _elements(text: int, at: int, span: int, time: int, kinds: Any, flags: Any) -> tuple[int, int]:
    """(how many, place after the list whose bracket is at ``at``); the place is NOT_PLAIN for none."""
    at, count = after_blanks(text, at + 1, NEWLINE), 0
    if byte_at(text, at) == CLOSE_LIST:
        return 0, at + 1
    while count < kinds.shape[0]:
        stop, kind, flag = event_end(text, at, NEWLINE, ANY_TYPE, span, time)
        if stop < 0:
            stop, kind, flag = value_end(text, at, NEWLINE), 0, 0
            if stop < 0:
                return 0, NOT_PLAIN
        put_int32(span, 2 * RAW, at)
        put_int32(span, 2 * RAW + 1, stop)
        kinds[count], flags[count] = kind, flag
        count += 1
        span += SPAN_BYTES
        time += TIME_BYTES
        at = after_blanks(text, stop, NEWLINE)
        byte = byte_at(text, at)
        if byte == CLOSE_LIST:
            return count, at + 1
        if byte != COMMA:
            return 0, NOT_PLAIN
        at = after_blanks(text, at + 1, NEWLINE)
    return 0, NOT_PLAIN


@compiled
def scan_body(octets: Any, size: int, head: Any, spans: Any, times: Any, kinds: Any, flags: Any) -> int:
    """How many events a posted batch has; NOT_PLAIN for a body that needs a closer look as a whole.

    ``head`` [4] takes where the texts of ``sentAt`` and ``writeKey`` stand.
    """
    head[:] = 0
    text = address_of(octets)
    at = after_blanks(text, 0, NEWLINE)
    if byte_at(text, at) != OPEN_OBJECT:
        return NOT_PLAIN
    at = after_blanks(text, at + 1, NEWLINE)
    count, met = NOT_PLAIN, 0
    while True:
        if byte_at(text, at) != QUOTE:
            return NOT_PLAIN
        start, stop = at + 1, plain_string_end(text, at + 1)
        if stop < 0:
            return NOT_PLAIN
        length, word = stop - start, word_at(text, start)
        at = after_colon(text, stop, NEWLINE)
        if at < 0:
            return NOT_PLAIN
        if length == 5 and word & _FIRST_5 == _BATCH:
            if count >= 0 or byte_at(text, at) != OPEN_LIST:
                return NOT_PLAIN
            count, at = _elements(text, at, address_of(spans), address_of(times), kinds, flags)
        elif (length == 6 and word & _FIRST_6 == _SENT) or (length == 8 and word == _WRITE_KEY):
            place = 0 if length == 6 else 2
            if (met >> place) & 1:
                return NOT_PLAIN
            met |= 1 << place
            if byte_at(text, at) == QUOTE:
                head[place] = at + 1
                head[place + 1] = stop = plain_string_end(text, at + 1)
                at = stop + 1 if stop >= 0 else NOT_PLAIN
            else:
                at = at + 4 if is_null(text, at) else NOT_PLAIN
        elif (length == 7 and word & _FIRST_7 == _CONTEXT) or (length == 12 and word == _INTEGRATIONS):
            return NOT_PLAIN
        else:
            at = value_end(text, at, NEWLINE)
        if at < 0:
            return NOT_PLAIN
        at = after_blanks(text, at, NEWLINE)
        if byte_at(text, at) == CLOSE_OBJECT:
            break
        if byte_at(text, at) != COMMA:
            return NOT_PLAIN
        at = after_blanks(text, at + 1, NEWLINE)
    return count if after_blanks(text, at + 1, NEWLINE) == size else NOT_PLAIN

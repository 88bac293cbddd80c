"""The time that each line of a JSON lines file counts from, read off its bytes without decoding it.

… {"type": "track", "timestamp": "2026-01-02T03:04:05Z", "properties": {"timestamp": 5}} …
                    └ key at depth 1      └ plain time          └ deeper: passed over
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numba
import numpy as np
from numpy.typing import NDArray

from segue.ingest.times import PLAIN_BYTES, UNREAD, plain_time, read_times

I64 = NDArray[np.int64]

ASK = UNREAD + 1
"""A line whose time is not plain: it has to be decoded."""

_KEYS = np.zeros((3, 17), np.uint8)
for _at, _key in enumerate((b"receivedAt", b"timestamp", b"originalTimestamp")):
    _KEYS[_at, : len(_key)] = np.frombuffer(_key, np.uint8)
_LENGTHS = np.array([10, 9, 17])
_QUOTE, _BACKSLASH, _NEWLINE, _COLON = 34, 92, 10, 58
_OPENING, _CLOSING = (123, 91), (125, 93)


@numba.njit(cache=True, nogil=True)
def _which(text: Any, start: int, stop: int) -> int:
    """Which of the keys stands here; -1 for none."""
    for key in range(3):
        if stop - start == _LENGTHS[key]:
            same = True
            for at in range(stop - start):
                if text[start + at] != _KEYS[key, at]:
                    same = False
                    break
            if same:
                return key
    return -1


@numba.njit(cache=True, nogil=True)
def _string_end(text: Any, at: int) -> int:
    """Where the string that begins after ``at`` ends: its closing quote, or the end of the line."""
    at += 1
    size = text.shape[0]
    while at < size and text[at] != _QUOTE and text[at] != _NEWLINE:
        at += 2 if text[at] == _BACKSLASH and at + 1 < size and text[at + 1] != _NEWLINE else 1
    return at


@numba.njit(cache=True, nogil=True)
def _value_time(text: Any, at: int, room: Any) -> int:
    """The time of the value that begins at ``at``; UNREAD for null, ASK for what is not plain."""
    if text[at] == 110:  # null
        return UNREAD
    if text[at] != _QUOTE:
        return ASK
    end = _string_end(text, at)
    if end - at - 1 >= PLAIN_BYTES:
        return ASK
    room[:] = 0
    for place in range(end - at - 1):
        room[place] = text[at + 1 + place]
    found = plain_time(room)
    return ASK if found == UNREAD else found


@numba.njit(cache=True, nogil=True)
def _after_colon(text: Any, at: int) -> int:
    """Where the value after a key that ends at ``at`` begins; 0 when no colon follows, or no value."""
    colon = False
    at += 1
    while at < text.shape[0] and text[at] != _NEWLINE:
        if text[at] == _COLON and not colon:
            colon = True
        elif text[at] > 32:
            return at if colon else 0
        at += 1
    return 0


@numba.njit(cache=True, nogil=True)
def _lines(text: Any, times: Any, starts: Any, stops: Any) -> int:
    """Fill in a time and the bounds of each line that holds anything; returns how many there are."""
    room, found = np.zeros(PLAIN_BYTES, np.uint8), np.empty(3, np.int64)
    size, count, at = text.shape[0], 0, 0
    while at < size:
        start, depth, blank = at, 0, True
        found[:] = UNREAD
        while at < size and text[at] != _NEWLINE:
            byte = text[at]
            blank &= byte <= 32
            if byte == _QUOTE:
                begun = at + 1
                at = _string_end(text, at)
                key = _which(text, begun, at) if depth == 1 else -1
                value = _after_colon(text, at) if key >= 0 else 0
                if value:
                    found[key] = _value_time(text, value, room)
                if at < size and text[at] == _NEWLINE:
                    break
            elif byte in _OPENING:
                depth += 1
            elif byte in _CLOSING:
                depth -= 1
            at += 1
        if not blank:
            times[count] = found[0] if found[0] != UNREAD else found[1] if found[1] != UNREAD else found[2]
            starts[count] = start
            stops[count] = at
            count += 1
        at += 1
    return count


class _Times(msgspec.Struct, gc=False):
    receivedAt: Any = None  # noqa: N815 -- spelled as senders do
    timestamp: Any = None
    originalTimestamp: Any = None  # noqa: N815


_decode_times = msgspec.json.Decoder(_Times).decode
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


def line_times(text: bytes) -> I64:
    """The time of each line that holds anything; UNREAD where there is none. ``text`` ends with a line."""
    most = text.count(b"\n") + 1
    times, starts, stops = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    count = _lines(np.frombuffer(text, np.uint8), times, starts, stops)
    times = times[:count]
    asked = np.flatnonzero(times == ASK)
    if len(asked):
        bounds = zip(starts[asked].tolist(), stops[asked].tolist(), strict=True)
        times[asked] = decoded_times([text[start:stop] for start, stop in bounds])
    return times


def decoded_times(raws: Sequence[bytes]) -> I64:
    """The same, by decoding each line."""
    said = [_said(raw) for raw in raws]
    times = read_times([line.receivedAt for line in said])
    for field in ("timestamp", "originalTimestamp"):
        missing = times == UNREAD
        if missing.any():
            times = np.where(missing, read_times([getattr(line, field) for line in said]), times)
    return times


def _said(raw: bytes) -> _Times:
    try:
        return _decode_times(raw)
    except _UNREADABLE:
        return _Times()

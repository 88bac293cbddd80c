"""Texts between places written as a MessagePack list of texts or of bytes, and such a list's places found."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from segue.log.lane.compiled import compiled, inlined
from segue.log.lane.machine import address_of, byte_at, copy_bytes
from segue.log.lane.octets import PAD

Places = npt.NDArray[np.int32]

_HEAD_BYTES_MAX = 5
_SHORT_LIST_MAX, _LIST_MAX = 15, 0xFFFF
_SHORT_LIST, _LIST, _LONG_LIST = 0x90, 0xDC, 0xDD
_SHORT_TEXT, _TEXT, _BYTES = 0xA0, 0xD9, 0xC4
_SHORT_TEXT_MAX = 31


@inlined
def _put_number(out: Any, at: int, value: int, size: int) -> None:
    for place in range(size):
        out[at + place] = (value >> 8 * (size - 1 - place)) & 255


@inlined
def _put_head(out: Any, at: int, size: int, is_text: bool) -> Any:
    """What stands before a text or bytes; the place after it."""
    if is_text and size <= _SHORT_TEXT_MAX:
        out[at] = _SHORT_TEXT | size
        return at + 1
    width = 0 if size < 1 << 8 else 1 if size < 1 << 16 else 2
    out[at] = (_TEXT if is_text else _BYTES) + width
    _put_number(out, at + 1, size, 1 << width)
    return at + 1 + (1 << width)


@compiled
def _write(octets: Any, starts: Any, stops: Any, is_text: bool, out: Any) -> int:
    text, target = address_of(octets), address_of(out)
    count, at = starts.shape[0], 1
    if count <= _SHORT_LIST_MAX:
        out[0] = _SHORT_LIST | count
    else:
        width = 2 if count <= _LIST_MAX else 4
        out[0] = _LIST if width == 2 else _LONG_LIST
        _put_number(out, 1, count, width)
        at += width
    for i in range(count):
        size = stops[i] - starts[i]
        at = _put_head(out, at, size, is_text)
        copy_bytes(target + at, text + starts[i], size)
        at += size
    return at


@compiled
def _read(octets: Any, size: int, starts: Any, stops: Any) -> int:
    """Fill in the places of a list of bytes; how many there are, or -1 when it is not such a list."""
    text = address_of(octets)
    head = byte_at(text, 0)
    at = 1
    if head == _LIST or head == _LONG_LIST:
        at = 3 if head == _LIST else 5
        count = 0
        for place in range(1, at):
            count = count << 8 | byte_at(text, place)
    elif head & 0xF0 == _SHORT_LIST:
        count = head & 15
    else:
        return -1
    if count > starts.shape[0]:
        return -1
    for i in range(count):
        width = 1 << (byte_at(text, at) - _BYTES) if _BYTES <= byte_at(text, at) <= _BYTES + 2 else 0
        if not width or at + 1 + width > size:
            return -1
        length = 0
        for place in range(at + 1, at + 1 + width):
            length = length << 8 | byte_at(text, place)
        starts[i] = at + 1 + width
        at = starts[i] + length
        if at > size:
            return -1
        stops[i] = at
    return count if at == size else -1


def _written(text: bytes, starts: Places, stops: Places, is_text: bool) -> bytes:
    octets = np.frombuffer(text, np.uint8)
    starts, stops = np.ascontiguousarray(starts), np.ascontiguousarray(stops)
    room = np.empty(int((stops - starts).sum(dtype=np.int64)) + _HEAD_BYTES_MAX * (len(starts) + 1), np.uint8)
    return room[: _write(octets, starts, stops, is_text, room)].tobytes()


def list_of_texts(text: bytes, starts: Places, stops: Places) -> bytes:
    """What ``msgspec.msgpack.encode`` makes of the list of these texts, which are UTF-8."""
    return _written(text, starts, stops, True)


def list_of_bytes(text: bytes, starts: Places, stops: Places) -> bytes:
    """What it makes of the list of these bytes."""
    return _written(text, starts, stops, False)


def places_of_bytes(packed: bytes, count: int) -> tuple[bytes, Places, Places]:
    """The packed list padded, and where its ``count`` items stand in it; ValueError for another list."""
    text = packed + PAD
    starts, stops = np.empty(count, np.int32), np.empty(count, np.int32)
    if _read(np.frombuffer(text, np.uint8), len(packed), starts, stops) != count:
        raise ValueError(f"not a list of {count} pieces of bytes")
    return text, starts, stops

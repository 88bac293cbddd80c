"""Has the lane compiled ahead of its first use: each function once, with the types it is used with."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from segue.log.lane.compiled import CACHE_FOLDER
from segue.log.lane.cuts import cut_body, cut_lines, cut_texts
from segue.log.lane.digest import fingerprints
from segue.log.lane.event import PROPERTIES
from segue.log.lane.octets import PAD
from segue.log.lane.packing import list_of_bytes, list_of_texts, places_of_bytes
from segue.log.lane.paths import find_values, read_micros
from segue.log.lane.words import Words

_EVENT = b'{"type":"track","event":"E","userId":"u","properties":{"a":1}}'
_LAST = "read_micros"
"""The function that :func:`warm` has compiled last."""


def is_compiled() -> bool:
    """Whether the next start finds all of it in the cache."""
    return any(Path(CACHE_FOLDER).rglob(f"*{_LAST}*.nbc"))


def warm() -> None:
    """Have everything compiled, or loaded from where it was kept."""
    cut_lines(_EVENT + b"\n" + PAD, 0, 1, 2)
    cut_body(b'{"batch":[' + _EVENT + b"]}", 2)
    cuts = cut_texts([_EVENT])
    starts, stops = cuts.bounds(PROPERTIES)
    fingerprints("", cuts.text, starts, stops)
    words = Words(8)
    for number in range(200):  # until it has had to grow
        words.numbered(np.frombuffer(b"%8d" % number + PAD, np.uint8), *_whole(8))
    list_of_texts(cuts.text, starts, stops)
    places_of_bytes(list_of_bytes(cuts.text, starts, stops), 1)
    bounds, heads = np.array([0, 1]), np.array([0, 1])
    found, sure = np.zeros((1, 1, 2), np.int32), np.zeros(1, np.uint8)
    keys = np.frombuffer(b"a" + PAD, np.uint8)
    find_values(cuts.octets, starts.copy(), stops.copy(), keys, bounds, heads, found, sure)
    micros, state = np.zeros(1, np.int64), np.zeros(1, np.uint8)
    read_micros(np.frombuffer(b"1" + PAD, np.uint8), *_whole(1), -1, micros, state)


def _whole(
    size: int,
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int32]], np.ndarray[tuple[int], np.dtype[np.int32]]]:
    return np.zeros(1, np.int32), np.full(1, size, np.int32)

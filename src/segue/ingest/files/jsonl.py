"""JSON lines: one event a line as the Segment specification has them, perhaps packed as .gz.

A first look takes the time of each line, since rows count in order of receipt; a file that is in order,
as most are, is then streamed, another one is read in the order of its times.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from segue.ingest.files import faults
from segue.ingest.files.portion import Portion
from segue.ingest.files.rows import CHUNK_ROWS, RowRoad
from segue.ingest.files.table import look_at
from segue.ingest.mend import is_utf8
from segue.ingest.times import UNREAD, read_times

_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BLOCK_BYTES = 1 << 22
_LINE_BYTES_MAX = 1 << 26

Lines = tuple[list[bytes], list[int]]
"""Texts, and the number of each in the file, from 1."""


class _Times(msgspec.Struct, gc=False):
    receivedAt: Any = None  # noqa: N815 -- spelled as senders do
    timestamp: Any = None
    originalTimestamp: Any = None  # noqa: N815


_decode_times = msgspec.json.Decoder(_Times).decode
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


def read_jsonl(path: Path, road: RowRoad) -> Iterator[Portion]:
    """The events of a file; E54x when it is none, before anything is taken."""
    times = _looked_over(path)
    total = len(times)
    order = np.argsort(times, kind="stable") if total and (np.diff(times) < 0).any() else None
    done = 0
    for raws, lines in _chunks(path) if order is None else _reordered(path, order):
        done += len(raws)
        yield road.take(raws, lines, done, total)


def _looked_over(path: Path) -> NDArray[np.int64]:
    """The time that each line counts from; a line without one goes with the line before."""
    start = look_at(path)
    if start[:2] in _UTF16:
        raise faults.encoding(path, "it begins with the mark of UTF-16")
    found = [np.zeros(0, np.int64)]
    for raws, lines in _chunks(path):
        _check(path, raws, lines)
        found.append(_times_of(raws))
    times = np.concatenate(found)
    known = times != UNREAD
    last = np.maximum.accumulate(np.where(known, np.arange(len(times)), -1))
    return np.where(last >= 0, times[last], np.iinfo(np.int64).min)


def _check(path: Path, raws: Sequence[bytes], lines: Sequence[int]) -> None:
    if lines and lines[0] == 1 and raws[0].lstrip()[:1] == b"[":
        raise faults.unreadable(path, "it is one JSON list; write one event a line, as jq -c '.[]' does")
    if not is_utf8(b"\n".join(raws)):
        line = next(number for raw, number in zip(raws, lines, strict=True) if not is_utf8(raw))
        raise faults.encoding(path, f"line {line} holds other bytes")


def _times_of(raws: Sequence[bytes]) -> NDArray[np.int64]:
    said = [_said(raw) for raw in raws]
    times = read_times([times.receivedAt for times in said])
    for field in ("timestamp", "originalTimestamp"):
        missing = times == UNREAD
        if missing.any():
            times = np.where(missing, read_times([getattr(times, field) for times in said]), times)
    return times


def _said(raw: bytes) -> _Times:
    try:
        return _decode_times(raw)
    except _UNREADABLE:
        return _Times()


def _opened(path: Path) -> BinaryIO:
    if look_at(path)[:2] == _GZIP:
        return gzip.open(path)  # type: ignore[return-value]
    return path.open("rb")


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with _opened(path) as file:
            while block := file.read(_BLOCK_BYTES):
                yield block
    except (OSError, EOFError, zlib.error) as error:
        raise faults.unreadable(path, str(error)) from error


def _chunks(path: Path) -> Iterator[Lines]:
    """The lines that hold anything, in the file's order."""
    rest, number = b"", 0
    raws: list[bytes] = []
    lines: list[int] = []
    for block in _blocks(path):
        *whole, rest = (rest + block).split(b"\n")
        if len(rest) > _LINE_BYTES_MAX:
            raise faults.unreadable(
                path, f"line {number + len(whole) + 1} has no end; write one event a line"
            )
        for at, raw in enumerate(whole, number + 1):
            if raw and not raw.isspace():
                raws.append(raw)
                lines.append(at)
        number += len(whole)
        while len(raws) >= CHUNK_ROWS:
            yield raws[:CHUNK_ROWS], lines[:CHUNK_ROWS]
            raws, lines = raws[CHUNK_ROWS:], lines[CHUNK_ROWS:]
    if rest and not rest.isspace():
        raws.append(rest)
        lines.append(number + 1)
    if raws:
        yield raws, lines


def _reordered(path: Path, order: NDArray[np.int64]) -> Iterator[Lines]:
    """The lines in another order: the whole file is held in memory for it."""
    raws: list[bytes] = []
    lines: list[int] = []
    for some, numbers in _chunks(path):
        raws.extend(some)
        lines.extend(numbers)
    for start in range(0, len(order), CHUNK_ROWS):
        chosen = order[start : start + CHUNK_ROWS].tolist()
        yield [raws[at] for at in chosen], [lines[at] for at in chosen]

"""JSON lines: one event a line as the Segment specification has them, perhaps packed as .gz.

A first look takes the time of each line, since rows count in order of receipt; a file that is in order,
as most are, is then streamed, another one is read in the order of its times.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from segue.ingest.files import faults
from segue.ingest.files.order import line_times
from segue.ingest.files.portion import Portion
from segue.ingest.files.rows import CHUNK_ROWS, RowRoad
from segue.ingest.files.table import look_at
from segue.ingest.mend import is_utf8
from segue.ingest.times import UNREAD
from segue.log.lane.cuts import Cuts, Places, cut_lines
from segue.log.lane.event import ORIGINAL, RECEIVED, TIMESTAMP
from segue.log.lane.octets import PAD

_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BLOCK_BYTES = 1 << 21
KEPT_BYTES_MAX = 1 << 26
"""Of a file that is read once; a larger one is looked over first, and then read again to be taken."""
LINES_AT_ONCE = 10_000
"""More than a usual block has: its lines become one portion, which stays in the processor's cache."""
_LINE_BYTES_MAX = 1 << 26

Lines = tuple[Cuts, Places]
"""Some lines, and the number of each in the file, from 1."""


def read_jsonl(path: Path, road: RowRoad) -> Iterator[Portion]:
    """The events of a file; E54x when it is none, before anything is taken."""
    times, kept = _looked_over(path)
    chunks = _chunks(path) if kept is None else iter(kept)
    if len(times) and (np.diff(times) < 0).any():
        yield from _in_order(chunks, road, np.argsort(times, kind="stable"))
        return
    done = 0
    for cuts, lines in chunks:
        done += len(cuts)
        yield road.take_cuts(cuts, lines, done, len(times))


def _in_order(chunks: Iterator[Lines], road: RowRoad, order: NDArray[np.int64]) -> Iterator[Portion]:
    """The lines in another order than the file's: the whole of it is held in memory for that."""
    raws: list[bytes] = []
    numbers: list[int] = []
    for cuts, lines in chunks:
        raws += cuts.raws(range(len(cuts)))
        numbers += lines.tolist()
    for start in range(0, len(order), CHUNK_ROWS):
        chosen = order[start : start + CHUNK_ROWS].tolist()
        done = start + len(chosen)
        yield road.take([raws[at] for at in chosen], [numbers[at] for at in chosen], done, len(order))


def _looked_over(path: Path) -> tuple[NDArray[np.int64], list[Lines] | None]:
    """The time that each line counts from; a line without one goes with the line before.

    Beside them the lines themselves, unless they are too many to be kept until they are taken.
    """
    if look_at(path)[:2] in _UTF16:
        raise faults.encoding(path, "it begins with the mark of UTF-16")
    found = [np.zeros(0, np.int64)]
    kept: list[Lines] | None = []
    number, size = 1, 0
    for text in _whole_lines(path):
        if number == 1 and text.lstrip()[:1] == b"[":
            raise faults.unreadable(path, "it is one JSON list; write one event a line, as jq -c '.[]' does")
        if not is_utf8(text):
            bad = next(at for at, line in enumerate(text.split(b"\n"), number) if not is_utf8(line))
            raise faults.encoding(path, f"line {bad} holds other bytes")
        size += len(text)
        kept = kept if size <= KEPT_BYTES_MAX else None
        for cuts, lines, following in _cut(text, number):
            number = following
            found.append(_times(cuts))
            if kept is not None and len(cuts):
                kept.append((cuts.trimmed(), lines))
    times = np.concatenate(found)
    last = np.maximum.accumulate(np.where(times != UNREAD, np.arange(len(times)), -1))
    return np.where(last >= 0, times[last], np.iinfo(np.int64).min), kept


def _times(cuts: Cuts) -> NDArray[np.int64]:
    """The time of each line; UNREAD where there is none."""
    times = cuts.times[:, RECEIVED].copy()
    for field in (TIMESTAMP, ORIGINAL):
        times = np.where(times == UNREAD, cuts.times[:, field], times)
    odd = np.flatnonzero(~cuts.plain).tolist()
    if odd:
        raws = [cuts.raw(at) for at in odd]
        found = line_times(b"\n".join(raws))
        if len(found) < len(raws):  # some hold control characters alone, which are no line there
            found = np.array([next(iter(line_times(raw)), UNREAD) for raw in raws], np.int64)
        times[odd] = found
    return times


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


def _whole_lines(path: Path) -> Iterator[bytes]:
    """The file in pieces that end where a line ends, padded."""
    rest = b""
    for block in _blocks(path):
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join((rest, memoryview(block)[:end], PAD))
        rest = block[end:] if end else rest + block
        if len(rest) > _LINE_BYTES_MAX:
            raise faults.unreadable(
                path, f"a line has more than {_LINE_BYTES_MAX:,} bytes; write one event a line"
            )
    if rest:
        yield rest + PAD


def _chunks(path: Path) -> Iterator[Lines]:
    """The lines that hold anything, in the file's order."""
    number = 1
    for text in _whole_lines(path):
        for cuts, lines, following in _cut(text, number):
            number = following
            if len(cuts):
                yield cuts, lines


def _cut(text: bytes, number: int) -> Iterator[tuple[Cuts, Places, int]]:
    """Some whole lines, padded, the first of this number; and the number of the next."""
    at, size = 0, len(text) - len(PAD)
    while at < size:
        cuts, lines, at, number = cut_lines(text, at, number, LINES_AT_ONCE)
        yield cuts, lines, number

"""JSON lines: one event a line as the Segment specification has them, perhaps packed as .gz.

A first look takes the time of each line, since rows count in order of receipt; a file that is in order,
as most are, is then streamed, another one is read in the order of its times.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from itertools import compress
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

_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BLOCK_BYTES = 1 << 22
_LINE_BYTES_MAX = 1 << 26

Lines = tuple[list[bytes], list[int]]
"""Texts, and the number of each in the file, from 1."""


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
    if look_at(path)[:2] in _UTF16:
        raise faults.encoding(path, "it begins with the mark of UTF-16")
    found = [np.zeros(0, np.int64)]
    number = 1
    for text in _whole_lines(path):
        if number == 1 and text.lstrip()[:1] == b"[":
            raise faults.unreadable(path, "it is one JSON list; write one event a line, as jq -c '.[]' does")
        if not is_utf8(text):
            bad = next(at for at, line in enumerate(text.split(b"\n"), number) if not is_utf8(line))
            raise faults.encoding(path, f"line {bad} holds other bytes")
        number += text.count(b"\n")
        found.append(line_times(text))
    times = np.concatenate(found)
    last = np.maximum.accumulate(np.where(times != UNREAD, np.arange(len(times)), -1))
    return np.where(last >= 0, times[last], np.iinfo(np.int64).min)


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
    """The file in pieces that end where a line ends."""
    rest = b""
    for block in _blocks(path):
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
        rest = block[end:] if end else rest + block
        if len(rest) > _LINE_BYTES_MAX:
            raise faults.unreadable(
                path, f"a line has more than {_LINE_BYTES_MAX:,} bytes; write one event a line"
            )
    if rest:
        yield rest


def _chunks(path: Path) -> Iterator[Lines]:
    """The lines that hold anything, in the file's order."""
    number = 1
    raws: list[bytes] = []
    lines: list[int] = []
    for text in _whole_lines(path):
        texts = text.removesuffix(b"\n").split(b"\n")
        numbers: Sequence[int] = range(number, number + len(texts))
        number += len(texts)
        if text.count(b"\n{") + text.startswith(b"{") < len(texts):
            held = [bool(raw) and not raw.isspace() for raw in texts]
            texts, numbers = list(compress(texts, held)), list(compress(numbers, held))
        raws += texts
        lines += numbers
        while len(raws) >= CHUNK_ROWS:
            yield raws[:CHUNK_ROWS], lines[:CHUNK_ROWS]
            raws, lines = raws[CHUNK_ROWS:], lines[CHUNK_ROWS:]
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

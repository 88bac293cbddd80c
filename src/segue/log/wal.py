"""SQLite's write-ahead log, looked at before SQLite does.

SQLite reads frames as long as their checksums fit and takes the rest for what a crash cut off. A bit that
flips in the middle would so take everything after it away without a word. What was cut off is at most the
last transaction, because the one before was synced first: whole transactions after a bad frame tell that
it is damage.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from segue.log import faults

_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}
"""The first number of the file, and the order of bytes in which checksums are taken."""
_HEAD = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_WORD = 0xFFFFFFFF

_Sum = tuple[int, int]


def check(database: Path) -> None:
    """E603 when something in the middle of the write-ahead log of a database is not what was written."""
    path = database.with_name(database.name + "-wal")
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return
    if len(text) < _HEAD.size + _FRAME.size:
        return
    magic, _, page_size, _, *salts, first, second = _HEAD.unpack_from(text)
    order = _MAGIC.get(magic)
    if order is None or _summed(text[:24], order, (0, 0)) != (first, second):
        if text.count(0) != len(text):
            raise faults.damaged(path, "its head is not what was written")
        return
    frames = _frames(text, page_size)
    if _whole_after_damage(frames, tuple(salts), order, (first, second)):
        raise faults.damaged(path, "what was written after a certain place cannot be read any more")


def _frames(text: bytes, page_size: int) -> Iterator[tuple[bytes, bytes]]:
    """(head, page) of every frame that is there in full."""
    step = _FRAME.size + page_size
    for start in range(_HEAD.size, len(text) - step + 1, step):
        yield text[start : start + _FRAME.size], text[start + _FRAME.size : start + step]


def _whole_after_damage(
    frames: Iterator[tuple[bytes, bytes]], salts: tuple[int, ...], order: str, held: _Sum
) -> bool:
    """Whether a transaction that was synced lies behind the first frame that does not fit.

    Frames of earlier rounds, which have other salts, do not count: the file is written over from its start.
    """
    fits, ended = True, False
    for head, page in frames:
        _, pages, salt1, salt2, first, second = _FRAME.unpack(head)
        if fits:
            held = _summed(page, order, _summed(head[:8], order, held))
            fits = (salt1, salt2) == salts and held == (first, second)
        if not fits and (salt1, salt2) == salts:
            if ended:
                return True
            ended = pages > 0
    return False


def _summed(data: bytes, order: str, held: _Sum) -> _Sum:
    """SQLite's checksum, gone on with."""
    first, second = held
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for at in range(0, len(words), 2):
        first = (first + words[at] + second) & _WORD
        second = (second + words[at + 1] + first) & _WORD
    return first, second

"""The table of fingerprints on disk between two runs, so that a start need not hash every message id again.

It is an aid, never the truth: a file that is damaged, or that knows less than is asked for, is left aside.
What came into the log after it was written is added from there.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from segue.ingest.dedupe import NOTHING, Archive, Seen

FORMAT = 1
NAME = "seen"
_BYTES_AT_ONCE = 1 << 20
HEAD_BYTES = 256
"""A whole number of pages is not needed, of numbers is."""


class Head(msgspec.Struct):
    """The first bytes of the file: of which events it is, how many numbers follow, their checksum.

    All events up to the log position ``upto`` that were received at ``since`` (ms) or later are in it.
    """

    format: int
    upto: int
    since: int
    starts: int
    entries: int
    sum: int


def save(folder: Path, seen: Seen, upto: int) -> None:
    """Write the table of a log that ends at position ``upto``; OSError when the disk does not take it."""
    starts, entries = Archive.of(seen.saved())
    total = zlib.crc32(_bytes(starts), zlib.crc32(_bytes(entries)))
    head = msgspec.json.encode(Head(FORMAT, upto, seen.since, len(starts), len(entries), total))
    fresh = folder / f"{NAME}.new"
    with fresh.open("wb") as file:
        file.write(head.ljust(HEAD_BYTES))
        file.write(_bytes(entries))
        file.write(_bytes(starts))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / NAME)


def _bytes(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")


def erase(folder: Path) -> None:
    """Remove it: someone in it was forgotten."""
    for name in (NAME, f"{NAME}.new"):
        (folder / name).unlink(missing_ok=True)


def load(folder: Path, since: int, upto: int) -> tuple[Seen, int]:
    """The table, and the log position it is of; empty and 0 when there is none that can be used.

    It must know all received at ``since`` (ms) or later, and nothing past position ``upto``. Its entries stay
    in the file: the system reads what is asked for, and takes the memory back when it is needed elsewhere.
    """
    path = folder / NAME
    try:
        with path.open("rb") as file:
            head = msgspec.json.decode(file.read(HEAD_BYTES), type=Head)
            if head.format != FORMAT or head.since > since or head.upto > upto or _sum_of(file) != head.sum:
                return Seen(since=since), 0
        return Seen(since=head.since, archive=_mapped(path, head)), head.upto
    except (OSError, ValueError, msgspec.MsgspecError):
        return Seen(since=since), 0


def _sum_of(file: BinaryIO) -> int:
    """The checksum of the rest."""
    found = 0
    while part := file.read(_BYTES_AT_ONCE):
        found = zlib.crc32(part, found)
    return found


def _mapped(path: Path, head: Head) -> Archive:
    if not head.entries:
        return NOTHING
    entries = np.memmap(path, np.uint64, "r", HEAD_BYTES, (head.entries, 2))
    starts = np.array(np.memmap(path, np.uint32, "r", HEAD_BYTES + entries.nbytes, (head.starts,)))
    starts.flags.writeable = False
    return Archive(starts, np.asarray(entries))

"""The table of fingerprints on disk between two runs, so that a start need not hash every message id again.

It is an aid, never the truth: a file that is damaged, or that knows less than is asked for, is left aside.
What came into the log after it was written is added from there.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import msgspec
import numpy as np

from segue.ingest.dedupe import U64, Seen

FORMAT = 1
NAME = "seen"
_BYTES_AT_ONCE = 1 << 20
_HEAD_BYTES_MAX = 1024


class Head(msgspec.Struct):
    """The first line of the file: of which events it is, how many fingerprints follow, their checksum.

    All events up to the log position ``upto`` that were received at ``since`` (ms) or later are in it.
    """

    format: int
    upto: int
    since: int
    count: int
    sum: int


def save(folder: Path, seen: Seen, upto: int) -> None:
    """Write the table of a log that ends at position ``upto``; OSError when the disk does not take it."""
    entries = seen.saved()
    fresh = folder / f"{NAME}.new"
    head = Head(FORMAT, upto, seen.since, len(entries), zlib.crc32(entries.data) if len(entries) else 0)
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(head) + b"\n")
        file.write(entries.data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / NAME)


def erase(folder: Path) -> None:
    """Remove it: someone in it was forgotten."""
    for name in (NAME, f"{NAME}.new"):
        (folder / name).unlink(missing_ok=True)


def load(folder: Path, since: int, upto: int) -> tuple[Seen, int]:
    """The table, and the log position it is of; empty and 0 when there is none that can be used.

    It must know all received at ``since`` (ms) or later, and nothing past position ``upto``.
    """
    try:
        with (folder / NAME).open("rb") as file:
            head = msgspec.json.decode(file.readline(_HEAD_BYTES_MAX), type=Head)
            if head.format != FORMAT or head.since > since or head.upto > upto:
                return Seen(since=since), 0
            entries = np.empty((head.count, 2), np.uint64)
            if _filled(file.fileno(), file.tell(), entries) != head.sum:
                return Seen(since=since), 0
    except (OSError, ValueError, msgspec.MsgspecError):
        return Seen(since=since), 0
    seen = Seen.loaded(entries)
    seen.since = head.since
    return seen, head.upto


def _filled(descriptor: int, start: int, entries: U64) -> int:
    """The checksum of what was read; ValueError when the file ends before."""
    found = 0
    whole = entries.reshape(-1).view(np.uint8).data if entries.size else memoryview(b"")
    for at in range(0, len(whole), _BYTES_AT_ONCE):
        part = whole[at : at + _BYTES_AT_ONCE]
        if os.preadv(descriptor, [part], start + at) != len(part):
            raise ValueError("cut off")
        found = zlib.crc32(part, found)
    return found

"""The disk after a power loss: rebuilt from what a program wrote and what it made sure of."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

_HEAD = struct.Struct("<cHqI")
SECTOR = 512
"""Bytes that a disk writes whole or not at all."""
_SOURCE = Path(__file__).with_name("disk.c")


@cache
def library() -> Path:
    """What is loaded before libc; made once for a run of the tests."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    made = Path(mkdtemp(prefix="segue-disk-")) / "disk.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(_SOURCE), "-ldl", "-lpthread"], check=True
    )
    return made


def environment(folder: Path, trace: Path) -> dict[str, str]:
    """For a program whose writes below a folder are to be written down."""
    return {"LD_PRELOAD": str(library()), "DISK_FOLDER": str(folder), "DISK_TRACE": str(trace)}


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that was done to a file; ``kind`` A is an answer that acknowledged a post."""

    kind: str
    path: Path
    at: int
    data: bytes


def read_trace(trace: Path) -> Iterator[Done]:
    """In order; a last record that was cut off is left out."""
    text, start = trace.read_bytes(), 0
    while start + _HEAD.size <= len(text):
        kind, path_size, at, size = _HEAD.unpack_from(text, start)
        start += _HEAD.size
        stop = start + path_size + size
        if stop > len(text):
            return
        path, data = text[start : start + path_size], text[start + path_size : stop]
        yield Done(kind.decode(), Path(path.decode()), at, data)
        start = stop


@dataclass
class Disk:
    """Files with what is on the platter, and what is only on its way there.

    Names, lengths that were cut, and deletions are taken to be kept in order, as journals keep them; data
    that no sync covers may be lost.
    """

    kept: dict[Path, bytearray] = field(default_factory=dict)
    pending: dict[Path, list[Done]] = field(default_factory=dict)

    def apply(self, done: Done) -> None:
        """One step of the program."""
        if done.kind in "WT":
            self.kept.setdefault(done.path, bytearray())
            self.pending.setdefault(done.path, []).append(done)
        elif done.kind == "S":
            for each in self.pending.pop(done.path, ()):
                _write(self.kept[done.path], each)
        elif done.kind == "R":
            to = Path(done.data.decode())
            self.kept[to] = self.kept.pop(done.path, bytearray())
            self.pending[to] = self.pending.pop(done.path, [])
        elif done.kind == "U":
            self.kept.pop(done.path, None)
            self.pending.pop(done.path, None)

    def after_power_loss(self, folder: Path, to: Path, lots: random.Random | None = None) -> None:
        """Lay the files out below ``to``. With lots, some of what was on its way came, the last in part."""
        for path, content in self.kept.items():
            image = bytearray(content)
            waiting = self.pending.get(path, []) if lots is not None else []
            if lots is not None and waiting:
                whole = lots.randrange(len(waiting) + 1)
                for each in waiting[:whole]:
                    _write(image, each)
                if whole < len(waiting):
                    torn = waiting[whole]
                    edge = -torn.at % SECTOR
                    part = torn.data[: edge + SECTOR * lots.randrange(len(torn.data) // SECTOR + 1)]
                    _write(image, Done(torn.kind, torn.path, torn.at, part))
            target = to / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(image)


def _write(image: bytearray, done: Done) -> None:
    if done.kind == "T":
        del image[done.at :]
        image.extend(bytes(done.at - len(image)))
    else:
        image.extend(bytes(max(0, done.at + len(done.data) - len(image))))
        image[done.at : done.at + len(done.data)] = done.data

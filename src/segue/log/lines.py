"""``deliveries/``: the files of lines that destinations write; beside the log, not in it.

Whoever appends to a file, makes way for the next one, or takes somebody out of them holds the file's lock: a
data folder belongs to one process. A file is erased from by writing it anew beside it and putting that in its
place, so that a crash leaves the one or the other.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from segue.log import faults

FOLDER = "deliveries"
"""In the data folder."""
_NUMBERS = re.compile(r"(?:\.[0-9]+)+$")
_ANEW = ".anew"
_BEGINS = b'{"id":'

_locks: dict[str, threading.Lock] = {}
_making = threading.Lock()


def numbered(path: Path, number: int) -> Path:
    """A full file of a path: 1 for the newest."""
    return path.with_name(f"{path.name}.{number}")


def held(path: Path) -> AbstractContextManager[object]:
    """The lock of a file and of all that it has made way for."""
    family = os.path.join(os.path.realpath(path.parent), _family(path.name))
    with _making:
        return _locks.setdefault(family, threading.Lock())


def sync_folder(folder: Path) -> None:
    """What was named or renamed in a folder is on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def erase(folder: Path, names: Collection[str]) -> None:
    """No line in any file of a data folder is about these users; E604 where that cannot be written."""
    wanted = frozenset(names)
    for place, _, found in os.walk(folder / FOLDER):
        for family in sorted(set(map(_family, found))):
            path = Path(place)
            try:
                with held(path / family):
                    _erase_family(path, family, wanted)
            except OSError as fault:
                raise faults.not_written(path / family, fault.strerror or str(fault)) from fault


def _family(name: str) -> str:
    """What the names of a file have in common, whatever number it has got by now."""
    whole = name.removeprefix(".").removesuffix(_ANEW) if name.startswith(".") else name
    return _NUMBERS.sub("", whole)


def _erase_family(folder: Path, family: str, names: frozenset[str]) -> None:
    # Listed anew: until the lock was held, files may have made way for others.
    for name in sorted(each for each in os.listdir(folder) if _family(each) == family):
        path = folder / name
        if name.startswith(".") and name.endswith(_ANEW):
            path.unlink()  # a crash left it
        elif path.is_file() and not path.is_symlink():
            _erase_file(path, names)


def _erase_file(path: Path, names: frozenset[str]) -> None:
    with path.open("rb") as file:
        if not any(_about(line, names) for line in file):
            return
        anew = path.with_name(f".{path.name}{_ANEW}")
        with anew.open("wb") as kept:
            os.fchmod(kept.fileno(), os.fstat(file.fileno()).st_mode & 0o777)
            _copy(file, kept, names)
            kept.flush()
            os.fsync(kept.fileno())
    os.replace(anew, path)
    sync_folder(path.parent)


def _copy(file: BinaryIO, kept: BinaryIO, names: frozenset[str]) -> None:
    file.seek(0)
    kept.writelines(_others(file, names))


def _others(lines: BinaryIO, names: frozenset[str]) -> Iterator[bytes]:
    return (line for line in lines if not _about(line, names))


class _Line(msgspec.Struct):
    user_id: str = ""


_decode = msgspec.json.Decoder(_Line).decode


def _about(line: bytes, names: frozenset[str]) -> bool:
    """Whether a line is about one of these users, or the torn end of one that may be: it counts for none."""
    if not line.endswith(b"\n") and line.startswith(_BEGINS):
        return True
    with suppress(msgspec.DecodeError, msgspec.ValidationError):
        return _decode(line).user_id in names
    return False

"""A trained model as a file, so that a server that starts recommends by what was learned before.

Eight bytes that say what the file is, one for its format, the digest of the rest, and the rest: arrays in
NumPy's own form, which run nothing when they are read. Items stand there by their ids, and users not at all.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from segue.domain.errors import SegueError, refusal
from segue.experiences.recommend.models.links import Links
from segue.log import history
from segue.log.faults import not_written

FOLDER = "recommendations"
NOT_TAKEN = "E847"
_NAME, _FORMAT = b"segueRM\n", b"\x01"
_DIGEST_BYTES = 32
_KINDS = ("ease", "neighbours")
_UNREADABLE = (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile, msgspec.MsgspecError)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A model by the ids of its items: ``links`` go between their places in ``ids``.

    ``about`` says how it came about: whole numbers by name.
    """

    kind: str
    ids: tuple[str, ...]
    links: Links
    about: Mapping[str, int]


class Folder:
    """The kept models of a data folder, one file for each text that says what was learned."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER

    def write(self, learned: str, kept: Kept, others: Iterable[str]) -> None:
        """Put a model in the place of the one before; those of neither it nor ``others`` go. E604."""
        path = self._path(learned)
        fresh = path.with_suffix(".new")
        try:
            self._folder.mkdir(exist_ok=True)
            fresh.write_bytes(_packed(learned, kept))
            history.sync(fresh)
            os.replace(fresh, path)
            history.sync(path)
            wanted = {self._path(each) for each in (learned, *others)}
            for file in self._folder.iterdir():
                if file not in wanted:
                    file.unlink()
        except OSError as error:
            raise not_written(path, error.strerror or str(error)) from error

    def read(self, learned: str) -> Kept | None:
        """The model that was kept; None when none was, E847 when it is not what was written."""
        path = self._path(learned)
        try:
            return _unpacked(path.read_bytes(), learned)
        except FileNotFoundError:
            return None
        except _UNREADABLE as fault:
            raise _not_taken(path, str(fault)) from fault

    def _path(self, learned: str) -> Path:
        name = hashlib.blake2b(learned.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
        return self._folder / f"{name}.model"


def _not_taken(path: Path, why: str) -> SegueError:
    hint = "nothing has to be done: it is trained anew from the log, and answers rest on the rest meanwhile"
    return refusal(NOT_TAKEN, f"the recommendation model in {path} is not taken: {why}", hint)


def _packed(learned: str, kept: Kept) -> bytes:
    memory = io.BytesIO()
    about = {"learned": learned, "kind": kept.kind, "ids": kept.ids, "about": dict(kept.about)}
    text = np.frombuffer(msgspec.json.encode(about), np.uint8)
    links = kept.links
    np.savez(memory, about=text, starts=links.starts, targets=links.targets, weights=links.weights)
    body = memory.getvalue()
    return _NAME + _FORMAT + hashlib.sha256(body).digest() + body


def _unpacked(data: bytes, learned: str) -> Kept:
    head = len(_NAME) + len(_FORMAT)
    body = data[head + _DIGEST_BYTES :]
    if not data.startswith(_NAME):
        raise ValueError("it is no such file")
    if data[len(_NAME) : head] != _FORMAT:
        raise ValueError("it is of another version of Segue")
    if hashlib.sha256(body).digest() != data[head : head + _DIGEST_BYTES]:
        raise ValueError("its bytes are not those that were written")
    with np.load(io.BytesIO(body), allow_pickle=False) as found:
        about: Any = msgspec.json.decode(found["about"].tobytes())
        links = Links(found["starts"], found["targets"], found["weights"])
    kept = Kept(about["kind"], tuple(about["ids"]), links, about["about"])
    if about["learned"] != learned or kept.kind not in _KINDS or not _fit(links, len(kept.ids)):
        raise ValueError("it says what cannot be")
    return kept


def _fit(links: Links, size: int) -> bool:
    """Whether links between so many items can be followed."""
    starts, targets, weights = links.starts, links.targets, links.weights
    return (
        [each.dtype.str for each in (starts, targets, weights)] == ["<i8", "<i4", "<f4"]
        and starts.shape == (size + 1,)
        and targets.shape == weights.shape == (int(starts[-1]),)
        and int(starts[0]) == 0
        and bool((np.diff(starts) >= 0).all())
        and (not len(targets) or (int(targets.min()) >= 0 and int(targets.max()) < size))
        and bool(np.isfinite(weights).all())
    )

"""Snapshots: the engine's arrays and the feed's knowledge at one log position, on disk.

A snapshot is an aid, never the truth: one that is damaged, or was made by another program, is left
aside, and the log is shown to the engine again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tokenize import TokenError
from typing import Any

import msgspec
import numpy as np

from segue.domain.event import Event
from segue.engine.engine import Engine
from segue.engine.feeding.feed import Awaited, Feed
from segue.engine.kernel import layout as k
from segue.engine.program.compile import Compiled
from segue.engine.state.machine import Machine, fresh_state
from segue.engine.state.placement import Placement
from segue.language.interpret import Noted, Override, Replacement
from segue.log.said import Model

FORMAT = 3
Spelled = tuple[bool, int | None, str | None, str | None]
"""An override: in or out, until when, by whom, why."""
Word = tuple[Model, Any, int | None, str | None, str | None]
"""What a person says in a model's place: of which, the value, until when, by whom, why."""
_BY_ROW = ("columns", "members", "awake", "awake_sum", "flags", "touched")
_COUNTED = {
    "entries": (k.R_ENTRIES, 1),
    "heap": (k.R_HEAP, 1),
    "since_at": (k.R_SINCE, k.SINCE_UNIT),
    "since_segment": (k.R_SINCE, k.SINCE_UNIT),
}
"""The register that says how many there are, and of what size."""
_EMPTIED = ("dirty", "touches", "out")
"""Empty between batches; only their room is noted."""
READERS = 4
"""Files read at once: reading and summing both run outside of Python."""
BYTES_AT_ONCE = 1 << 20
"""So many that what was read is still at hand when it is summed."""


class Meta(msgspec.Struct):
    """What a snapshot is of. ``sums`` are checksums of its files."""

    format: int
    digest: str
    evaluated_seq: int
    sizes: dict[str, int]
    sums: dict[str, int]
    placement: Placement


class Knowledge(msgspec.Struct):
    """What the feed knows beside the program."""

    now: int
    traits: dict[int, dict[str, tuple[int, int, Any]]]
    account_traits: dict[str, dict[str, tuple[int, int, Any]]]
    accounts: dict[int, tuple[int, int, str]]
    waiting: list[Event]
    survivor: dict[int, int]
    on_lists: dict[int, list[str]]
    overrides: dict[int, dict[str, Spelled]]
    awaited_lists: dict[str, list[str]]
    awaited_overrides: dict[str, dict[str, Spelled]]
    listed: dict[str, list[str]]
    suppressed: list[int] = []
    predictions: list[tuple[Model, int, list[str], bytes]] = []
    words: dict[int, list[Word]] = {}
    awaited_words: dict[str, list[Word]] = {}


def digest_of(compiled: Compiled) -> str:
    """A hash of all that a program's state is laid out by."""
    found = hashlib.blake2b(digest_size=16)
    for name, array in compiled.program._asdict().items():
        found.update(f"{name}{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def save(engine: Engine, folder: Path) -> None:
    """Write a snapshot of the engine; the one before is replaced when this one is whole."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    state = engine.machine.state
    sums = {name: _write_array(fresh, name, array) for name, array in _trimmed(state).items()}
    sums["known"] = _write_array(fresh, "known", engine.feed.known)
    sums["feed"] = _write(fresh / "feed", msgspec.msgpack.encode(_known(engine)))
    sizes = {name: len(getattr(state, name)) for name in (*_BY_ROW, *_COUNTED, *_EMPTIED)}
    meta = Meta(
        FORMAT, digest_of(engine.compiled), engine.evaluated_seq, sizes, sums, engine.machine.placement
    )
    said = msgspec.json.encode(meta)
    _write(fresh / "meta.json", b"%d\n%s" % (zlib.crc32(said), said))
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def erase(folder: Path) -> None:
    """Remove every snapshot: someone in it was forgotten."""
    for name in (folder, folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")):
        shutil.rmtree(name, ignore_errors=True)


def position(folder: Path) -> int | None:
    """The log position that a snapshot stands at, None without a whole one."""
    try:
        return _read_meta(folder).evaluated_seq
    except (OSError, ValueError, msgspec.MsgspecError):
        return None


def _read_meta(folder: Path) -> Meta:
    """What a snapshot says of itself; ValueError when it is damaged."""
    total, _, said = (folder / "meta.json").read_bytes().partition(b"\n")
    if zlib.crc32(said) != int(total):
        raise ValueError("meta.json is damaged")
    return msgspec.json.decode(said, type=Meta)


def load(engine: Engine, compiled: Compiled, folder: Path, upto: int) -> bool:
    """Bring an engine to what a snapshot holds; False if there is none for this program and position."""
    try:
        meta = _read_meta(folder)
        if meta.format != FORMAT or meta.digest != digest_of(compiled) or meta.evaluated_seq > upto:
            return False
        fresh = fresh_state(compiled, cells=len(meta.placement.initial))
        with ThreadPoolExecutor(READERS) as beside:
            knowledge = beside.submit(_read_knowledge, folder, meta)
            templates = {name: getattr(fresh, name) for name in k.State._fields if name not in _EMPTIED}
            templates["known"] = engine.feed.known
            reading = {
                name: beside.submit(_read_into, *_place(folder, name, meta, template))
                for name, template in templates.items()
            }
            arrays = {name: each.result() for name, each in reading.items()}
            knows = knowledge.result()
    except (OSError, KeyError, ValueError, TokenError, msgspec.MsgspecError):
        return False
    engine.start(compiled)
    engine.feed.known = arrays.pop("known")
    arrays |= {name: _room(getattr(fresh, name), meta.sizes[name]) for name in _EMPTIED}
    engine.machine = Machine(compiled, engine.machine.sink, k.State(**arrays), meta.placement)
    _learn(engine, knows)
    engine.evaluated_seq = meta.evaluated_seq
    return True


# ---- arrays ----------------------------------------------------------------------------------


def _trimmed(state: k.State) -> dict[str, k.AnyArray]:
    rows = int(state.registers[k.R_ROWS])
    found = {name: array for name, array in state._asdict().items() if name not in _EMPTIED}
    found |= {name: getattr(state, name)[:rows] for name in _BY_ROW}
    for name, (register, size) in _COUNTED.items():
        found[name] = found[name][: int(state.registers[register]) * size]
    return found


def _write_array(folder: Path, name: str, array: k.AnyArray) -> int:
    path = folder / f"{name}.npy"
    contiguous = np.ascontiguousarray(array)
    with path.open("wb") as file:
        np.save(file, contiguous, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    return _sum_of(contiguous)


def _sum_of(array: k.AnyArray) -> int:
    return zlib.crc32(array.reshape(-1).view(np.uint8).data) if array.size else 0


def _room(template: k.AnyArray, size: int) -> k.AnyArray:
    """Room for so many of what a template has; it takes no memory before it is used."""
    return np.zeros((max(size, len(template)), *template.shape[1:]), template.dtype)


def _place(
    folder: Path, name: str, meta: Meta, template: k.AnyArray
) -> tuple[Path, int, k.AnyArray, int, int]:
    """Which file belongs into which array, like the template and with the room it had.

    (the file, where its contents begin, the array, how long they are in it, their sum).
    """
    path = folder / f"{name}.npy"
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, kind = np.lib.format.read_array_header_1_0(file)
        start = file.tell()
    if kind.itemsize != template.itemsize or shape[1:] != template.shape[1:]:
        raise ValueError(f"{name} is of another program")
    array = _room(template, meta.sizes[name]) if name in meta.sizes else np.empty(shape, template.dtype)
    if name == "touched":
        array[shape[0] :] = -1
    return path, start, array, shape[0], meta.sums[name]


def _read_into(path: Path, start: int, array: k.AnyArray, count: int, wanted: int) -> k.AnyArray:
    """Fill an array from a file, summed on the way; ValueError when that ends before or sums up otherwise."""
    found = 0
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        whole = array[:count].reshape(-1).view(np.uint8).data if array[:count].size else memoryview(b"")
        for at in range(0, len(whole), BYTES_AT_ONCE):
            part = whole[at : at + BYTES_AT_ONCE]
            if file.readinto(part) != len(part):
                raise ValueError(f"{path.name} is cut off")
            found = zlib.crc32(part, found)
    if found != wanted:
        raise ValueError(f"{path.name} is damaged")
    return array


def _read_knowledge(folder: Path, meta: Meta) -> Knowledge:
    return msgspec.msgpack.decode(_checked(folder / "feed", meta.sums["feed"]), type=Knowledge)


def _write(path: Path, data: bytes) -> int:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return zlib.crc32(data)


def _checked(path: Path, wanted: int) -> bytes:
    data = path.read_bytes()
    if zlib.crc32(data) != wanted:
        raise ValueError(f"{path.name} is damaged")
    return data


# ---- knowledge -------------------------------------------------------------------------------


def _known(engine: Engine) -> Knowledge:
    feed = engine.feed
    account_traits, accounts = feed.accounts.saved()
    return Knowledge(
        now=feed.now,
        traits=dict(feed.traits.items()),
        account_traits=account_traits,
        accounts=accounts,
        waiting=[event for _, _, event in sorted(feed.waiting, key=lambda entry: entry[:2])],
        survivor=feed.survivor,
        on_lists={row: sorted(names) for row, names in feed.lists.items()},
        overrides={row: _spelled(held) for row, held in feed.overrides.items()},
        awaited_lists={who: sorted(held.lists) for who, held in feed.awaited.items()},
        awaited_overrides={who: _spelled(held.overrides) for who, held in feed.awaited.items()},
        listed={name: sorted(users) for name, users in engine.lists.items()},
        suppressed=sorted(feed.suppressed),
        predictions=feed.predictions.saved(),
        words={row: _written(held) for row, held in feed.predictions.words.items()},
        awaited_words={who: _written(held.words) for who, held in feed.awaited.items()},
    )


def _learn(engine: Engine, knowledge: Knowledge) -> None:
    feed: Feed = engine.feed
    feed.now = knowledge.now
    for row, held in knowledge.traits.items():
        feed.traits.restore(row, held)
    feed.accounts.restore(knowledge.account_traits, knowledge.accounts)
    feed.waiting = [(event.timestamp, event.seq, event) for event in knowledge.waiting]
    feed.survivor = knowledge.survivor
    feed.lists = {row: set(names) for row, names in knowledge.on_lists.items()}
    feed.overrides = {row: _read(held) for row, held in knowledge.overrides.items()}
    feed.suppressed = set(knowledge.suppressed)
    feed.predictions.restore(
        knowledge.predictions,
        ((row, model, word) for row, held in knowledge.words.items() for model, word in _words(held).items()),
    )
    feed.awaited = {
        who: Awaited(
            set(names),
            _read(knowledge.awaited_overrides.get(who, {})),
            _words(knowledge.awaited_words.get(who, [])),
        )
        for who, names in knowledge.awaited_lists.items()
    }
    for awaited in feed.awaited.values():
        for word in awaited.words.values():
            feed.predictions.expect(word)
    engine.lists = {name: frozenset(users) for name, users in knowledge.listed.items()}


def _spelled(held: dict[str, Override]) -> dict[str, Spelled]:
    return {
        segment: (override.member, override.until, *_note(override)) for segment, override in held.items()
    }


def _note(override: Override) -> tuple[str | None, str | None]:
    return (override.by, override.why) if isinstance(override, Noted) else (None, None)


def _written(held: dict[Model, Replacement]) -> list[Word]:
    return [(model, word.value, word.until, word.by, word.why) for model, word in held.items()]


def _words(held: list[Word]) -> dict[Model, Replacement]:
    return {model: Replacement(*word) for model, *word in held}


def _read(held: dict[str, Spelled]) -> dict[str, Override]:
    return {segment: Noted(*spelled) for segment, spelled in held.items()}

"""Blobs of the log: compressed, and checked when they are read back."""

from __future__ import annotations

import threading
from array import array
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

from segue.domain.event import TYPES
from segue.log import faults
from segue.log.batch import EventBatch, LazyBodies
from segue.log.columns import Ints, Picked, Slices, codes, ints, picked, pieces
from segue.log.lane.packing import list_of_bytes, list_of_texts, places_of_bytes

_LEVEL = 1


class Columns(msgspec.Struct, array_like=True, gc=False):
    """What a batch says of its events beside their bodies; names are spelled once each."""

    source: str
    types: bytes
    rows: bytes
    timestamps: bytes
    received: bytes
    names: list[str]
    name_codes: bytes
    message_ids: list[str]
    group_ids: list[str | None] | None


class _Written(Columns):
    """The same on its way out: the message ids are written already."""

    message_ids: msgspec.Raw  # type: ignore[assignment]


class _Press(threading.local):
    """A thread's own compressor and decompressor: neither may be shared."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_press = _Press()
_decode_columns = msgspec.msgpack.Decoder(Columns).decode


def compress(data: bytes) -> bytes:
    """A compressed blob with a checksum."""
    return _press.compress(data)


def decompress(blob: bytes, what: str) -> bytes:
    """The data of a blob; E603 when it is not what was written. ``what`` names it for the reader."""
    try:
        return _press.decompress(blob)
    except zstandard.ZstdError as error:
        raise faults.damaged(what, str(error)) from error


def pack_json(value: Any) -> bytes:
    """A JSON value as a blob."""
    return compress(msgspec.json.encode(value))


def unpack_json(blob: bytes, what: str) -> Any:
    """The JSON value of a blob."""
    return msgspec.json.decode(decompress(blob, what))


def pack_batch(batch: EventBatch) -> tuple[bytes, bytes]:
    """The columns and the raw bodies of a batch."""
    names, name_codes = _spelled(picked(batch.names))
    columns = _Written(
        source=batch.source,
        types=codes(batch.types, TYPES, np.uint8).tobytes(),
        rows=ints(batch.rows, np.int32).tobytes(),
        timestamps=ints(batch.timestamps, np.int64).tobytes(),
        received=ints(batch.received, np.int64).tobytes(),
        names=names,
        name_codes=name_codes.tobytes(),
        message_ids=msgspec.Raw(list_of_texts(*pieces(batch.message_ids))),
        group_ids=list(batch.group_ids) if any(batch.group_ids) else None,
    )
    return compress(msgspec.msgpack.encode(columns)), compress(list_of_bytes(*pieces(batch.raws)))


def _spelled(names: Picked[str | None]) -> tuple[list[str], npt.NDArray[np.int32]]:
    """The distinct names, and which one each event has: 0 for none, else its place counted from 1."""
    used = np.unique(names.codes)
    words = [names.words[code] for code in used.tolist()]
    spelled = [name for name in words if name is not None]
    place = {name: code for code, name in enumerate([None, *spelled])}
    own = np.array([place[word] for word in words], np.int32)
    return spelled, own[np.searchsorted(used, names.codes)]


def unpack_columns(blob: bytes, first_seq: int) -> Columns:
    """The columns of the batch that begins with ``first_seq``."""
    return _decode_columns(decompress(blob, f"the batch at seq {first_seq}"))


def unpack_batch(first_seq: int, columns_blob: bytes, raws_blob: bytes) -> EventBatch:
    """A batch as it was appended, without its marks; its bodies are decoded at first use."""
    columns = unpack_columns(columns_blob, first_seq)
    packed = decompress(raws_blob, f"the batch at seq {first_seq}")
    types = np.frombuffer(columns.types, np.uint8)
    raws = Slices(*places_of_bytes(packed, len(types)), bytes)
    return EventBatch(
        first_seq=first_seq,
        source=columns.source,
        rows=Ints(np.frombuffer(columns.rows, np.int32)),
        types=Picked(types, TYPES),
        names=Picked(np.frombuffer(columns.name_codes, np.int32), [None, *columns.names]),
        timestamps=Ints(np.frombuffer(columns.timestamps, np.int64)),
        received=Ints(np.frombuffer(columns.received, np.int64)),
        message_ids=columns.message_ids,
        group_ids=columns.group_ids or [None] * len(raws),
        raws=raws,
        bodies=LazyBodies(raws),
    )


def ints32(data: bytes) -> list[int]:
    """The 32-bit numbers of a column."""
    return array("i", data).tolist()


def ints64(data: bytes) -> list[int]:
    """The 64-bit numbers of a column."""
    return array("q", data).tolist()

"""Blobs of the log: compressed, and checked when they are read back."""

from __future__ import annotations

import threading
from array import array
from typing import Any

import msgspec
import zstandard

from segue.domain.event import TYPES
from segue.log import faults
from segue.log.batch import EventBatch, LazyBodies

_LEVEL = 1
_CODES = {name: code for code, name in enumerate(TYPES)}


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


class _Press(threading.local):
    """A thread's own compressor and decompressor: neither may be shared."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_press = _Press()
_decode_columns = msgspec.msgpack.Decoder(Columns).decode
_decode_raws = msgspec.msgpack.Decoder(list[bytes]).decode


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
    names = {name: code for code, name in enumerate(dict.fromkeys([None, *batch.names]))}
    columns = Columns(
        source=batch.source,
        types=bytes(map(_CODES.__getitem__, batch.types)),
        rows=array("i", batch.rows).tobytes(),
        timestamps=array("q", batch.timestamps).tobytes(),
        received=array("q", batch.received).tobytes(),
        names=[name for name in names if name is not None],
        name_codes=array("i", map(names.__getitem__, batch.names)).tobytes(),
        message_ids=batch.message_ids,
        group_ids=batch.group_ids if any(batch.group_ids) else None,
    )
    return compress(msgspec.msgpack.encode(columns)), compress(msgspec.msgpack.encode(batch.raws))


def unpack_columns(blob: bytes, first_seq: int) -> Columns:
    """The columns of the batch that begins with ``first_seq``."""
    return _decode_columns(decompress(blob, f"the batch at seq {first_seq}"))


def unpack_batch(first_seq: int, columns_blob: bytes, raws_blob: bytes) -> EventBatch:
    """A batch as it was appended, without its marks; its bodies are decoded at first use."""
    columns = unpack_columns(columns_blob, first_seq)
    raws = _decode_raws(decompress(raws_blob, f"the batch at seq {first_seq}"))
    names: list[str | None] = [None, *columns.names]
    return EventBatch(
        first_seq=first_seq,
        source=columns.source,
        rows=ints32(columns.rows),
        types=[TYPES[code] for code in columns.types],
        names=[names[code] for code in ints32(columns.name_codes)],
        timestamps=ints64(columns.timestamps),
        received=ints64(columns.received),
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

"""The log proper: batches and records written and read back in order, with the stretches between them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from segue.log import identity
from segue.log.batch import Entry, EventBatch, Record, Stretch
from segue.log.identity import Marks
from segue.log.pack import pack_batch, pack_json, unpack_batch, unpack_json
from segue.log.shape import Shape
from segue.log.store import Store

_ROWS_AT_ONCE = 512
_BYTES_AT_ONCE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Packed:
    """An entry ready to be written, so that compressing holds up no other writer."""

    first_seq: int
    last_seq: int
    statement: str
    values: tuple[object, ...]
    marks: Marks
    created_at: list[int]


def pack(entry: EventBatch | Record) -> Packed:
    """Make an entry ready to be written."""
    if isinstance(entry, Record):
        values = (entry.seq, entry.at, entry.kind, pack_json(entry.body))
        return Packed(entry.seq, entry.seq, "INSERT INTO records VALUES (?, ?, ?, ?)", values, Marks(), [])
    marks, created_at = identity.of_batch(entry)
    row = (entry.first_seq, entry.last_seq, *pack_batch(entry))
    return Packed(
        entry.first_seq, entry.last_seq, "INSERT INTO batches VALUES (?, ?, ?, ?)", row, marks, created_at
    )


def write(connection: sqlite3.Connection, entries: Sequence[Packed]) -> None:
    """Write entries; the next seq must be theirs (ValueError)."""
    upcoming = next_seq(connection)
    for entry in entries:
        if entry.first_seq != upcoming:
            raise ValueError(f"seq {entry.first_seq} was appended where {upcoming} is next")
        connection.execute(entry.statement, entry.values)
        identity.write(connection, entry.marks, entry.created_at)
        upcoming = entry.last_seq + 1
    set_next_seq(connection, upcoming)


def records(connection: sqlite3.Connection, kind: str, after_seq: int) -> list[Record]:
    """The records of one kind with ``seq > after_seq``, in order."""
    found = connection.execute(
        "SELECT * FROM records WHERE kind = ? AND seq > ? ORDER BY seq", (kind, after_seq)
    )
    return [
        Record(seq, at, kind, unpack_json(body, f"the record at seq {seq}")) for seq, at, kind, body in found
    ]


def next_seq(connection: sqlite3.Connection) -> int:
    """The seq that the next entry gets."""
    found: int = connection.execute("SELECT next_seq FROM position").fetchone()[0]
    return found


def set_next_seq(connection: sqlite3.Connection, seq: int) -> None:
    """Move on."""
    connection.execute("UPDATE position SET next_seq = ?", (seq,))


def read(store: Store, after: int, upto: int, whole: bool = True) -> Iterator[Entry]:
    """Everything with ``after < seq <= upto`` in order; no view of the file is held between two chunks.

    Without ``whole``, stretches do not say whose profiles began with them.
    """
    while after < upto:
        with store.reading() as connection:
            entries, after = _chunk(connection, after, upto, whole)
        yield from entries


def _chunk(connection: sqlite3.Connection, after: int, upto: int, whole: bool) -> tuple[list[Entry], int]:
    """The next entries, and the seq up to which nothing is left out."""
    first = after + 1
    batches, end = _batches(connection, first, upto)
    records, end = _records(connection, first, end)
    kept = [batch for batch in batches if batch.first_seq <= end]
    stretches = _stretches(connection, first, end, [record.seq for record in records])
    begun = first if whole else kept[0].first_seq if kept else end + 1
    marks = identity.MarkCursor(identity.read(connection, first, end, begun))
    entries: list[Entry] = sorted([*kept, *records, *stretches], key=_place)
    return [_marked(entry, marks) for entry in entries], end


def _records(connection: sqlite3.Connection, first: int, upto: int) -> tuple[list[Record], int]:
    """Records in the bounds; and ``upto``, or less when there are more of them. Those of scores are large."""
    found: list[Record] = []
    size = 0
    for seq, at, kind, body in connection.execute(
        "SELECT * FROM records WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, upto)
    ):
        found.append(Record(seq, at, kind, unpack_json(body, f"the record at seq {seq}")))
        size += len(body)
        if len(found) == _ROWS_AT_ONCE or size > _BYTES_AT_ONCE:
            return found, seq
    return found, upto


def _marked(entry: Entry, cursor: identity.MarkCursor) -> Entry:
    if isinstance(entry, EventBatch):
        identity.attach(entry, cursor.upto(entry.last_seq))
    elif isinstance(entry, Stretch):
        marks = cursor.upto(entry.to_seq)
        return replace(
            entry, created=marks.created, links=marks.links, aliases=marks.aliases, merges=marks.merges
        )
    return entry


def _place(entry: Entry) -> int:
    if isinstance(entry, Record):
        return entry.seq
    return entry.from_seq if isinstance(entry, Stretch) else entry.first_seq


def _batches(connection: sqlite3.Connection, first: int, upto: int) -> tuple[list[EventBatch], int]:
    """Batches from ``first`` on, cut to the bounds; and ``upto``, or less when there are more of them."""
    start = _batch_holding(connection, first)
    found: list[EventBatch] = []
    size = 0
    for first_seq, last_seq, columns, raws in connection.execute(
        "SELECT * FROM batches WHERE first_seq BETWEEN ? AND ? ORDER BY first_seq", (start, upto)
    ):
        batch = unpack_batch(first_seq, columns, raws)
        if first_seq < first or last_seq > upto:
            batch = batch.part(max(first - first_seq, 0), upto + 1 - first_seq)
        found.append(batch)
        size += len(columns) + len(raws)
        if len(found) == _ROWS_AT_ONCE or size > _BYTES_AT_ONCE:
            return found, found[-1].last_seq
    return found, upto


def _batch_holding(connection: sqlite3.Connection, seq: int) -> int:
    """The first seq of the batch that holds ``seq``, else ``seq`` itself."""
    row = connection.execute(
        "SELECT first_seq, last_seq FROM batches WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1", (seq,)
    ).fetchone()
    return row[0] if row is not None and row[1] >= seq else seq


def _stretches(connection: sqlite3.Connection, first: int, last: int, cuts: list[int]) -> list[Stretch]:
    """The parts of stretches in the bounds, cut where a record stands between their events."""
    parts: list[Stretch] = []
    for stretch in registered(connection, first, last):
        lower = max(first, stretch.from_seq)
        upper = min(last, stretch.to_seq)
        for cut in [seq for seq in cuts if lower <= seq <= upper]:
            parts.append(_bounded(connection, stretch, lower, cut - 1))
            lower = cut + 1
        parts.append(_bounded(connection, stretch, lower, upper))
    return [part for part in parts if part.count > 0]


def _bounded(connection: sqlite3.Connection, stretch: Stretch, lower: int, upper: int) -> Stretch:
    erased = connection.execute("SELECT count(*) FROM erased WHERE seq BETWEEN ? AND ?", (lower, upper))
    return replace(stretch, from_seq=lower, to_seq=upper, count=upper - lower + 1 - erased.fetchone()[0])


def registered(connection: sqlite3.Connection, first: int, last: int) -> list[Stretch]:
    """The stretches that reach into the bounds, whole and without marks."""
    found = connection.execute(
        "SELECT path, from_seq, to_seq, events, received_min, received_max, shape, digest FROM stretches"
        " WHERE to_seq >= ? AND from_seq <= ? ORDER BY from_seq",
        (first, last),
    )
    return [
        Stretch(path, start, end, events, low, high, Shape.from_text(shape), digest=digest)
        for path, start, end, events, low, high, shape, digest in found
    ]

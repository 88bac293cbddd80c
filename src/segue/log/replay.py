"""The whole log as batches and records, also where its events lie in history files."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from segue.log import entries, history, identity
from segue.log.batch import EventBatch, LazyBodies, Record, Stretch
from segue.log.store import Store

_EVENTS_AT_ONCE = 50_000
_READ = (
    "seq", "source", "row", "type", "name", "timestamp", "received_at", "message_id", "group_id", "raw",
)  # fmt: skip


def replay(store: Store, after: int, upto: int) -> Iterator[EventBatch | Record]:
    """Everything with ``after < seq <= upto`` in order, with marks."""
    reader = Reader(store.folder)
    try:
        for entry in entries.read(store, after, upto):
            if isinstance(entry, Stretch):
                yield from _marked(entry, reader)
            else:
                yield entry
    finally:
        reader.close()


def of_stretch(folder: Path, stretch: Stretch) -> Iterator[EventBatch]:
    """The events of one stretch, with marks."""
    reader = Reader(folder)
    try:
        yield from _marked(stretch, reader)
    finally:
        reader.close()


def _marked(stretch: Stretch, reader: Reader) -> Iterator[EventBatch]:
    cursor = identity.MarkCursor(identity.of_stretch(stretch))
    for batch in reader.batches(stretch):
        identity.attach(batch, cursor.upto(batch.last_seq))
        yield batch


class Reader:
    """Reads stretches; parts of one file that are asked for in order come from one pass over it.

    Records may stand between any two events of a file and cut it into as many parts, so a part
    must not cost a query.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection = history.connect()
        self._path = ""
        self._position = 0
        self._waiting: deque[EventBatch] = deque()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def batches(self, stretch: Stretch) -> Iterator[EventBatch]:
        """The events of a stretch within its bounds, without marks; E603 when the file cannot be read."""
        if stretch.path != self._path or stretch.from_seq < self._position:
            self._open(stretch)
        while (batch := self._next()) is not None:
            if batch.last_seq < stretch.from_seq:
                continue
            inside, rest = _cut(batch, stretch.to_seq + 1)
            if len(rest):
                self._waiting.appendleft(rest)
            self._position = inside.last_seq + 1
            skipped = max(0, stretch.from_seq - inside.first_seq)
            if len(inside):
                yield inside.part(skipped, len(inside)) if skipped else inside
            if len(rest):
                return

    def _open(self, stretch: Stretch) -> None:
        self._path = stretch.path
        self._position = stretch.from_seq
        self._waiting.clear()
        file = history.quoted(history.sound(self._folder, stretch))
        self._run(
            f"SELECT {stretch.shape.column_list(_READ)} FROM read_parquet({file})"
            f" WHERE seq >= {stretch.from_seq} ORDER BY seq"
        )

    def _next(self) -> EventBatch | None:
        if not self._waiting:
            self._waiting.extend(_batches_of(self._rows()))
        return self._waiting.popleft() if self._waiting else None

    def _run(self, query: str) -> None:
        try:
            self._connection.execute(query)
        except duckdb.Error as error:
            raise history.unreadable(self._path, error) from error

    def _rows(self) -> list[tuple[Any, ...]]:
        try:
            return self._connection.fetchmany(_EVENTS_AT_ONCE)
        except duckdb.Error as error:
            raise history.unreadable(self._path, error) from error


def _cut(batch: EventBatch, seq: int) -> tuple[EventBatch, EventBatch]:
    """The events before ``seq``, and those from it on."""
    if batch.last_seq < seq:
        return batch, batch.part(0, 0)
    at = max(0, seq - batch.first_seq)
    return batch.part(0, at), batch.part(at, len(batch))


def _batches_of(rows: list[tuple[Any, ...]]) -> Iterator[EventBatch]:
    """Rows in order as batches, a new one wherever the source changes or a seq is left out."""
    start = 0
    for at in range(1, len(rows) + 1):
        if at == len(rows) or rows[at][0] != rows[at - 1][0] + 1 or rows[at][1] != rows[start][1]:
            yield _batch_of(rows[start:at])
            start = at


def _batch_of(rows: list[tuple[Any, ...]]) -> EventBatch:
    seqs, sources, owners, types, names, times, received, ids, groups, raws = map(
        list, zip(*rows, strict=True)
    )
    bodies = [raw.encode() for raw in raws]
    return EventBatch(
        seqs[0], sources[0], owners, types, names, times, received, ids, groups, bodies, LazyBodies(bodies)
    )

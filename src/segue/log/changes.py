"""The change log: who entered and left what, numbered without gaps, stored with the progress that made it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segue.domain.change import Cause, Change
from segue.log import identity
from segue.log.messages import message_ids
from segue.log.pack import compress, decompress
from segue.log.store import Store

CAUSES = tuple(Cause)
"""A cause is stored as its place here; new ones go to the end."""
NO_EVENT = -1
_CHANGES_AT_ONCE = 50_000

_TYPES = (np.int32, np.int32, np.bool_, np.int64, np.uint8, np.int64)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the log has been evaluated: every seq to ``log_seq``, at ``engine_time`` (ms)."""

    log_seq: int
    engine_time: int
    next_change: int


@dataclass(frozen=True, slots=True)
class ChangeColumns:
    """Changes ``first_seq``, ``first_seq + 1``, … as columns of equal length.

    ``segments`` are places in ``names``, ``causes`` in :data:`CAUSES`; ``at`` is ms; ``event_seqs`` is the
    log seq of the event that caused it, else :data:`NO_EVENT`.
    """

    first_seq: int
    names: Sequence[str]
    rows: npt.NDArray[np.int32]
    segments: npt.NDArray[np.int32]
    entered: npt.NDArray[np.bool_]
    at: npt.NDArray[np.int64]
    causes: npt.NDArray[np.uint8]
    event_seqs: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes read back, as columns of equal length; ``seqs`` rise. A forgotten one has the id of today."""

    seqs: list[int]
    rows: list[int]
    user_ids: list[str]
    segments: list[str]
    entered: list[bool]
    at: list[int]
    causes: list[Cause]
    message_ids: list[str | None]

    def __len__(self) -> int:
        return len(self.seqs)

    def __iter__(self) -> Iterator[Change]:
        for seq, user_id, segment, entered, at, cause, message_id in zip(
            self.seqs, self.user_ids, self.segments, self.entered, self.at, self.causes, self.message_ids,
            strict=True,
        ):  # fmt: skip
            yield Change(seq, user_id, segment, entered, at, cause, message_id)


_RECORD = np.dtype(
    [
        ("row", np.int32),
        ("segment", np.int32),
        ("entered", np.bool_),
        ("at", np.int64),
        ("cause", np.uint8),
        ("event_seq", np.int64),
        ("seq", np.int64),
    ]
)
_STORED = ("row", "segment", "entered", "at", "cause", "event_seq")

_Rows = npt.NDArray[np.void]
Also = Callable[[sqlite3.Connection], None]


def progress(connection: sqlite3.Connection) -> Progress:
    """How far the log has been evaluated."""
    row = connection.execute("SELECT log_seq, engine_time, next_change FROM progress").fetchone()
    return Progress(*row)


def append(store: Store, reached: Progress, columns: ChangeColumns | None, also: Also | None = None) -> None:
    """Store changes and the progress that made them at once; ValueError on a gap or a step back.

    ``also`` writes what else was made, in the same transaction.
    """
    with store.transaction() as connection:
        if also is not None:
            also(connection)
        before = progress(connection)
        if columns is not None and len(columns):
            _require(columns.first_seq == before.next_change, before, reached)
            _insert(connection, columns)
        made = 0 if columns is None else len(columns)
        _require(reached.next_change == before.next_change + made, before, reached)
        _require(reached.log_seq >= before.log_seq, before, reached)
        _require(reached.engine_time >= before.engine_time, before, reached)
        connection.execute(
            "UPDATE progress SET log_seq = ?, engine_time = ?, next_change = ?",
            (reached.log_seq, reached.engine_time, reached.next_change),
        )


def _require(holds: bool, before: Progress, reached: Progress) -> None:
    if not holds:
        raise ValueError(f"{reached} does not follow {before}")


def _insert(connection: sqlite3.Connection, columns: ChangeColumns) -> None:
    known = identity.row_count(connection)
    if int(columns.rows.max()) >= known or int(columns.rows.min()) < 0:
        raise ValueError(f"a change is of a row beyond the {known} profiles")
    codes = np.zeros(len(columns.names), np.int32)
    for place in np.flatnonzero(np.bincount(columns.segments)).tolist():
        codes[place] = _segment_code(connection, columns.names[place])
    rows = np.empty(len(columns), _RECORD)
    rows["row"] = columns.rows
    rows["segment"] = codes[columns.segments]
    rows["entered"] = columns.entered
    rows["at"] = columns.at
    rows["cause"] = columns.causes
    rows["event_seq"] = columns.event_seqs
    for start in range(0, len(rows), _CHANGES_AT_ONCE):
        part = rows[start : start + _CHANGES_AT_ONCE]
        blob = compress(b"".join(part[name].tobytes() for name in _STORED))
        first = columns.first_seq + start
        connection.execute("INSERT INTO changes VALUES (?, ?, ?)", (first, first + len(part) - 1, blob))


def _segment_code(connection: sqlite3.Connection, name: str) -> int:
    held = connection.execute("SELECT id FROM segment_names WHERE name = ?", (name,)).fetchone()
    if held is not None:
        return int(held[0])
    added = connection.execute("INSERT INTO segment_names (name) VALUES (?)", (name,)).lastrowid
    assert added is not None
    return added


def read(
    store: Store,
    after: int,
    upto: int | None,
    segment: str | None,
    limit: int | None,
    rows: Sequence[int] | None = None,
) -> Iterator[ChangePage]:
    """Changes with ``after < seq <= upto`` in order, at most ``limit``; of one segment, some rows, or all."""
    left = limit
    while left is None or left > 0:
        with store.reading() as connection:
            last = progress(connection).next_change - 1 if upto is None else upto
            found = _rows(connection, after, last)
            if not len(found):
                return
            after = int(found["seq"][-1])
            chosen = _of_rows(_of_segment(connection, found, segment), rows)
            page = _page(store, connection, chosen[:left])
        if len(page):
            yield page
            left = None if left is None else left - len(page)


def of_row(
    store: Store, row: int, segment: str | None = None, at_most: int | None = None, last_only: bool = False
) -> list[Change]:
    """One profile's changes, newest first, up to the moment ``at_most`` (ms); of one segment or of all."""
    found: list[Change] = []
    upto: int | None = None
    while True:
        with store.reading() as connection:
            upto = progress(connection).next_change - 1 if upto is None else upto
            block = connection.execute(
                "SELECT * FROM changes WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1", (upto,)
            ).fetchone()
            if block is None:
                return found
            rows = _of_segment(connection, _unpacked(*block), segment)
            chosen = rows[rows["row"] == row]
            if at_most is not None:
                chosen = chosen[chosen["at"] <= at_most]
            if len(chosen):
                found += reversed(list(_page(store, connection, chosen)))
        if last_only and found:
            return found[:1]
        upto = block[0] - 1


def _rows(connection: sqlite3.Connection, after: int, upto: int) -> _Rows:
    """The next changes in the bounds, as many as are looked at together."""
    found: list[_Rows] = []
    size = 0
    for first, last, blob in connection.execute(
        "SELECT * FROM changes WHERE first_seq >= ? AND first_seq <= ? ORDER BY first_seq",
        (_block_holding(connection, after + 1), upto),
    ):
        found.append(_unpacked(first, last, blob))
        size += last - first + 1
        if size >= _CHANGES_AT_ONCE:
            break
    rows: _Rows = np.concatenate(found) if found else np.empty(0, _RECORD)
    chosen: _Rows = rows[(rows["seq"] > after) & (rows["seq"] <= upto)]
    return chosen


def _block_holding(connection: sqlite3.Connection, seq: int) -> int:
    """The first seq of the stored row of changes that holds ``seq`` or comes before it."""
    row = connection.execute("SELECT max(first_seq) FROM changes WHERE first_seq <= ?", (seq,)).fetchone()
    return row[0] or 0


def _unpacked(first: int, last: int, blob: bytes) -> _Rows:
    data = decompress(blob, f"the changes at seq {first}")
    rows = np.empty(last - first + 1, _RECORD)
    start = 0
    for name in _STORED:
        stop = start + len(rows) * _RECORD[name].itemsize
        rows[name] = np.frombuffer(data[start:stop], _RECORD[name])
        start = stop
    rows["seq"] = np.arange(first, last + 1)
    return rows


def _of_segment(connection: sqlite3.Connection, rows: _Rows, segment: str | None) -> _Rows:
    if segment is None:
        return rows
    code = connection.execute("SELECT id FROM segment_names WHERE name = ?", (segment,)).fetchone()
    chosen: _Rows = rows[rows["segment"] == (-1 if code is None else code[0])]
    return chosen


def _of_rows(found: _Rows, rows: Sequence[int] | None) -> _Rows:
    if rows is None:
        return found
    chosen: _Rows = found[np.isin(found["row"], rows)]
    return chosen


def _page(store: Store, connection: sqlite3.Connection, rows: _Rows) -> ChangePage:
    names = dict(connection.execute("SELECT id, name FROM segment_names").fetchall())
    ids = identity.user_ids(connection, np.unique(rows["row"]).tolist())
    events = np.unique(rows["event_seq"])
    messages = message_ids(connection, store.folder, events[events != NO_EVENT].tolist())
    owners: list[int] = rows["row"].tolist()
    return ChangePage(
        seqs=rows["seq"].tolist(),
        rows=owners,
        user_ids=[ids[row] for row in owners],
        segments=[names[code] for code in rows["segment"].tolist()],
        entered=rows["entered"].tolist(),
        at=rows["at"].tolist(),
        causes=[CAUSES[code] for code in rows["cause"].tolist()],
        message_ids=[messages.get(seq) for seq in rows["event_seq"].tolist()],
    )

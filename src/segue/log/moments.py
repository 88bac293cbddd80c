"""The time that only what is to be erased has reached.

An entry takes effect at the latest moment that any entry up to it has told. Where an entry goes and what
follows it came with an earlier moment, the moment has to stay, or what follows would take effect earlier.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from segue.log.scan import Portion, portions
from segue.log.store import Store

_SEQS_AT_ONCE = 250_000
_EARLIEST = -(2**63)
_Ints = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]


@dataclass(slots=True)
class _Reached:
    """What was reached so far: by all, and by what stays; the last entry, if it is one that goes."""

    by_all: int = _EARLIEST
    by_kept: int = _EARLIEST
    gone: int | None = None

    def lost(self, seqs: _Ints, at: _Ints, gone: _Mask) -> Iterator[tuple[int, int]]:
        """(seq, moment) of entries that go where the next one that stays needs theirs; entries in order."""
        by_all = np.maximum.accumulate(np.maximum(at, self.by_all))
        by_kept = np.maximum.accumulate(np.maximum(np.where(gone, _EARLIEST, at), self.by_kept))
        last = np.concatenate(([self.gone or 0], np.where(gone, seqs, 0)[:-1]))
        before = np.concatenate(([self.by_all], by_all[:-1]))
        kept_before = np.concatenate(([self.by_kept], by_kept[:-1]))
        wanted = ~gone & (last > 0) & (at < before) & (kept_before < before)
        for seq, moment in zip(last[wanted].tolist(), before[wanted].tolist(), strict=True):
            if moment > self.by_kept:
                self.by_kept = moment
                yield seq, moment
        self.by_all, self.by_kept = int(by_all[-1]), max(self.by_kept, int(by_kept[-1]))
        self.gone = int(seqs[-1]) if gone[-1] else None


def lost_moments(
    store: Store, records: Sequence[tuple[int, int, bool]], rows: Collection[int], upto: int
) -> list[tuple[int, int]]:
    """(seq, ms) of erased entries up to ``upto`` whose moment must stay.

    The events of ``rows`` go; ``records`` are (seq, ms, whether it goes), in order.
    """
    told = np.array(records, np.int64).reshape(-1, 3)
    reached = _Reached()
    found: list[tuple[int, int]] = []
    with duckdb.connect() as connection:
        held = portions(store, connection, 0, upto)
        for first in range(1, upto + 1, _SEQS_AT_ONCE):
            last = min(first + _SEQS_AT_ONCE - 1, upto)
            parts = [_events(connection, each, rows, first, last) for each in held]
            parts.append(told[np.searchsorted(told[:, 0], first) : np.searchsorted(told[:, 0], last + 1)])
            entries = np.concatenate(parts)
            if len(entries):
                entries = entries[np.argsort(entries[:, 0], kind="stable")]
                found += reached.lost(entries[:, 0], entries[:, 1], entries[:, 2] != 0)
    return found


def _events(
    connection: duckdb.DuckDBPyConnection, portion: Portion, rows: Collection[int], first: int, last: int
) -> _Ints:
    """[events, 3]: seq, receipt, whether it goes."""
    first, last = max(first, portion.first), min(last, portion.last)
    if first > last:
        return np.zeros((0, 3), np.int64)
    found = connection.execute(
        f'SELECT seq, received_at, "row" FROM {portion.events} WHERE seq BETWEEN {first} AND {last}'
    ).fetchnumpy()
    gone = np.isin(found["row"], np.fromiter(rows, np.int64, len(rows)))
    return np.column_stack((found["seq"], found["received_at"], gone)).astype(np.int64)


def keep(connection: sqlite3.Connection, moments: Sequence[tuple[int, int]], body: bytes) -> None:
    """Put records that let time go on in the place of erased entries."""
    connection.executemany("DELETE FROM erased WHERE seq = ?", [(seq,) for seq, _ in moments])
    connection.executemany(
        "INSERT INTO records VALUES (?, ?, 'time', ?)", [(seq, at, body) for seq, at in moments]
    )

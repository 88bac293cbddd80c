"""What people did with items, read from the whole log by the column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from segue.experiences.recommend.interest import Sight, interest_sql
from segue.experiences.recommend.known import Known
from segue.log.history import connect, objects
from segue.log.sqlite import SqliteLog

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]

DEEDS_MAX = 20_000_000
"""Of all people together, the newest; 18 bytes each."""


@dataclass(frozen=True, slots=True, eq=False)
class Deeds:
    """A line for each item of each event, by row, then in order: who, which item, which sight, when (ms)."""

    rows: Ints
    items: Ints
    sights: npt.NDArray[np.int16]
    at: Longs

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, row: int) -> slice:
        """Where the lines of a row stand."""
        start, stop = np.searchsorted(self.rows, (row, row + 1)).tolist()
        return slice(start, stop)

    def without(self, rows: Sequence[int]) -> Deeds:
        """The same without some people."""
        return self._kept(~np.isin(self.rows, np.array(rows, np.int32)))

    def newest(self, since: int, most: int) -> Deeds:
        """Those after a moment (ms), of too many the newest."""
        kept = self.at > since
        if int(kept.sum()) > most:
            kept &= self.at > np.partition(self.at[kept], -most)[-most]
        return self if kept.all() else self._kept(kept)

    def _kept(self, which: npt.NDArray[np.bool_]) -> Deeds:
        return Deeds(self.rows[which], self.items[which], self.sights[which], self.at[which])


def no_deeds() -> Deeds:
    """Nothing was done."""
    return Deeds(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int16), np.zeros(0, np.int64))


def read_deeds(log: SqliteLog, upto: int, sights: Sequence[Sight], since: int, known: Known) -> Deeds:
    """What was done after ``since`` (ms), up to and with the log position ``upto``; items get places."""
    if not sights:
        return no_deeds()
    with connect() as connection:
        events = log.scan(connection, 0, upto)
        connection.execute(
            f"CREATE TEMP TABLE deeds AS SELECT * FROM ({interest_sql(events, sights, since)})"
            f" ORDER BY happened DESC, seq DESC LIMIT {DEEDS_MAX}"
        )
        _place_items(connection, known)
        found = connection.execute(
            "SELECT d.row, p.place, d.sight, d.happened FROM deeds d JOIN places p USING (item)"
            " WHERE p.place >= 0 ORDER BY d.row, d.happened, d.seq"
        ).fetchnumpy()
    return Deeds(
        found["row"].astype(np.int32),
        found["place"].astype(np.int32),
        found["sight"].astype(np.int16),
        found["happened"].astype(np.int64),
    )


def _place_items(connection: duckdb.DuckDBPyConnection, known: Known) -> None:
    """In the order in which they were first seen, so that every run numbers them alike."""
    rows = connection.execute("SELECT item FROM deeds GROUP BY item ORDER BY min(seq), item").fetchall()
    names = [name for (name,) in rows]
    places = np.array(known.places(names), np.int32)
    connection.register("found", {"item": objects(names), "place": places})
    connection.execute("CREATE TEMP TABLE places AS SELECT item, place FROM found")
    connection.unregister("found")

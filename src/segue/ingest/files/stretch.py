"""The fast road: a table of track events becomes stretches of history without a Python object per row.

DuckDB computes times, ids, properties and fingerprints; Python learns who is new, and the table of
fingerprints tells what was seen; DuckDB writes what is left as one Parquet file a chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.domain.limits import EVENT_BYTES_MAX, LATE_MS
from segue.ingest import reject
from segue.ingest.dedupe import EVER
from segue.ingest.files.expressions import CLAMPED, literal
from segue.ingest.files.planned import doubt_sql, unknown_sql
from segue.ingest.files.portion import Destination, Portion, set_aside
from segue.ingest.files.table import Table
from segue.ingest.holding import count
from segue.ingest.identity import NEVER_AGAIN, Discoveries
from segue.ingest.intake import Intake
from segue.ingest.reject import Rejected
from segue.ingest.suppression import let_go
from segue.ingest.tally import Tally
from segue.log.batch import Stretch
from segue.log.history import copy_to, objects
from segue.log.shape import Property, Shape

CHUNK_ROWS = 500_000
_NUMBERS = (
    "(mark & 18446744073709551615::UHUGEINT)::UBIGINT AS high, (mark >> 64)::UBIGINT AS low,"
    " coalesce(received_at, 0) AS received, coalesce(timestamp, 0) AS timestamp, code IS NULL AS good,"
    " clamped, unparsed"
)
_PART = (
    "place, line, user_id, name, message_id, received AS received_at,"
    f" CASE WHEN {CLAMPED} THEN received ELSE timestamp END AS timestamp,"
    f" coalesce({CLAMPED}, false) AS clamped, sent IS NULL AS unparsed"
)

_FINDINGS = {
    reject.NO_ID: "the row names no user",
    reject.BAD_ID: "the row's user is an id that cannot be taken",
    reject.NO_EVENT_NAME: "the row names no event",
    reject.NO_TIME: "the row has no time that can be read",
    reject.BEFORE_1970: "the row's time is before 1970",
    reject.EVENT_TOO_LARGE: f"the row has more than {EVENT_BYTES_MAX:,} bytes",
}
"""What each code of a table's verdict says of a row."""

Mask = NDArray[np.bool_]
Columns = dict[str, NDArray[Any]]


def stretches(table: Table, intake: Intake, log: Destination, source: str, now: int) -> Iterator[Portion]:
    """The rows of a table, a chunk at a time; ``now`` (ms) dates what is set aside."""
    done = 0
    bad_lines = table.rejected
    while done < table.rows or bad_lines:
        upto = min(done + CHUNK_ROWS, table.rows)
        table.load(done, upto)
        chunk = _Chunk(table, intake, source, done, upto)
        tally, entry = chunk.taken(log)
        tally.rows += len(bad_lines)
        rejected = let_go(intake.identity, [*bad_lines, *chunk.rejected()], tally)
        tally.quarantined = len(rejected)
        done, bad_lines = chunk.upto, []
        yield Portion(entry, set_aside(rejected, table.path, source, now), tally, done, table.rows)


class _Chunk:
    """The rows with ``done < place <= upto``, as the table ``part``, one row for each, in order."""

    def __init__(self, table: Table, intake: Intake, source: str, done: int, upto: int) -> None:
        self.says = table.expressions
        self.connection = table.connection
        self.run = table.connection.execute
        self.intake = intake
        self.source = source
        self.done = done
        self.upto = upto

    def taken(self, log: Destination) -> tuple[Tally, Stretch | None]:
        """Judge, compare with what was seen, learn who is new, write."""
        tally = Tally(rows=self.upto - self.done)
        self._prepare()
        columns = self._fetched(f"SELECT {_NUMBERS} FROM part")
        good = columns["good"]
        fresh = self._fresh(columns)
        users, whose = self._users()
        kept = self._allowed(fresh, users, whose, columns["timestamp"], tally)
        tally.duplicate = int(good.sum()) - int(fresh.sum())
        tally.accepted = int(kept.sum())
        tally.future_clamped = int((columns["clamped"] & good).sum())
        tally.unparsed_timestamp = int((columns["unparsed"] & good).sum())
        tally.late = int((kept & (columns["received"] - columns["timestamp"] > LATE_MS)).sum())
        if not tally.accepted:
            return tally, None
        stretch = self._written(kept, users, whose, columns["received"], log)
        self._hold_to_plan(kept, tally)
        return tally, stretch

    def rejected(self) -> list[Rejected]:
        """The rows that are no events, each as the JSON object of its columns."""
        whole = self.says.json({name: name for name in self.says.fields})
        found = self.run(
            f"SELECT line + 1, code, {whole} FROM {self._cells()} POSITIONAL JOIN part WHERE code IS NOT NULL"
        ).fetchall()
        return [Rejected(code, _FINDINGS[code], raw.encode(), line) for line, code, raw in found]

    def _fetched(self, query: str) -> Columns:
        found = self.run(query).fetchnumpy()
        return {name: np.ma.getdata(column) for name, column in found.items()}

    def _bounds(self) -> str:
        return f"place > {self.done} AND place <= {self.upto}"

    def _cells(self) -> str:
        """The file's own columns of the chunk, in order."""
        cells = ", ".join(field.sql for field in self.says.fields.values())
        return f"(SELECT {cells} FROM ordered WHERE {self._bounds()})"

    def _prepare(self) -> None:
        again = self._fetched(f"SELECT place, nth FROM again WHERE {self._bounds()}")
        nth = np.ones(self.upto - self.done, np.int64)
        nth[again["place"] - self.done - 1] = again["nth"]
        self.connection.register("counted", {"nth": nth})
        prefix = literal(f"{len(self.source)}:{self.source}")
        says, mapping = self.says, self.says.mapping
        self.run(
            f"CREATE OR REPLACE TEMP TABLE part AS SELECT {_PART}, {says.verdict()} AS code,"
            f" md5_number(concat({prefix}, message_id)) AS mark FROM"
            f" (SELECT *, coalesce(sent, received) AS timestamp, {says.text(mapping.user)} AS user_id,"
            f" {says.trimmed(mapping.event)} AS name, {says.message_id(len(again['nth']) > 0)} AS message_id"
            f" FROM (SELECT * FROM ordered WHERE {self._bounds()}) POSITIONAL JOIN counted)"
        )
        self.connection.unregister("counted")

    def _fresh(self, columns: Columns) -> Mask:
        """The good rows that were not seen before, in the log or further up in the file."""
        fresh: Mask = columns["good"].copy()
        some = [np.ascontiguousarray(columns[name][fresh]) for name in ("high", "low", "received")]
        fresh[fresh] = ~self.intake.seen.seen_many(some[0], some[1], some[2], EVER)
        return fresh

    def _users(self) -> tuple[list[str], NDArray[np.int64]]:
        """The users of the chunk, and for each row which of them it is; -1 for none."""
        users = [
            user for (user,) in self.run("SELECT DISTINCT user_id FROM part WHERE code IS NULL").fetchall()
        ]
        self.connection.register("who", {"user_id": objects(users), "number": np.arange(len(users))})
        found = self._fetched("SELECT place, number FROM part JOIN who USING (user_id)")
        self.connection.unregister("who")
        whose = np.full(self.upto - self.done, -1, np.int64)
        whose[found["place"] - self.done - 1] = found["number"]
        return users, whose

    def _allowed(
        self, fresh: Mask, users: list[str], whose: NDArray[np.int64], times: NDArray[Any], tally: Tally
    ) -> Mask:
        """Without the rows of suppressed users, and of forgotten ones from before their forgetting."""
        identity = self.intake.identity
        if not identity.bars:
            return fresh
        bounds = np.array([identity.bound_of(user) for user in users] + [0], np.int64)[whose]
        kept: Mask = fresh & (times >= bounds)
        tally.suppressed = int((fresh & (bounds == NEVER_AGAIN)).sum())
        tally.refused = int((fresh & ~kept).sum()) - tally.suppressed
        return kept

    def _written(
        self, kept: Mask, users: list[str], whose: NDArray[np.int64], received: NDArray[Any], log: Destination
    ) -> Stretch:
        first_seq = log.next_seq
        seqs = first_seq - 1 + np.cumsum(kept)
        rows, found = self._rows(kept, users, whose, seqs)
        path = log.history_path(first_seq)
        held, values = self.says.columns(self.says.mapping.properties or {})
        self.connection.register("marks", {"keep": kept, "seq": seqs, "row": rows})
        copy_to(self.connection, self._history(held, values), path)
        self.connection.unregister("marks")
        last_seq, times = int(seqs[-1]), received[kept]
        return Stretch(
            path.name,
            first_seq,
            last_seq,
            last_seq - first_seq + 1,
            int(times.min()),
            int(times.max()),
            Shape(tuple(held), self.source, whole=True),
            found.created,
        )

    def _hold_to_plan(self, kept: Mask, tally: Tally) -> None:
        """Count the kept rows that break the tracking plan; those it blocks do not come by this road."""
        plan = self.intake.plan
        if plan.rests:
            return
        properties = self.says.mapping.properties or {}
        doubt = doubt_sql(plan, *self.says.columns(properties))
        self.connection.register("keeps", {"keep": kept})
        rows = f"FROM {self._cells()} POSITIONAL JOIN part POSITIONAL JOIN keeps WHERE keep AND"
        ((unknown,),) = self.run(f"SELECT count(*) {rows} {unknown_sql(plan)}").fetchall()
        doubted = self.run(f"SELECT name, {self.says.json(properties)} {rows} {doubt}").fetchall()
        self.connection.unregister("keeps")
        tally.unknown_event += unknown
        count(plan.verdicts([name for name, _ in doubted], [text.encode() for _, text in doubted]), tally)

    def _rows(
        self, kept: Mask, users: list[str], whose: NDArray[np.int64], seqs: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], Discoveries]:
        """The profile's row for each row of the chunk; users are looked up in order of their first event."""
        places = np.flatnonzero(kept)
        numbers, first = np.unique(whose[places], return_index=True)
        found = Discoveries()
        self.intake.note(found)
        profile = np.zeros(len(users) + 1, np.int32)
        order = np.argsort(first)
        for number, seq in zip(numbers[order].tolist(), seqs[places[first[order]]].tolist(), strict=True):
            profile[number] = self.intake.identity.resolve(users[number], None, None, seq, found)
        return profile[whose], found

    def _history(self, held: Sequence[Property], values: Sequence[str]) -> str:
        """The kept rows with the columns of their shape, by seq."""
        properties = "".join(f", {value} AS {each.column}" for each, value in zip(held, values, strict=True))
        return (
            f'SELECT seq, "row", name, timestamp, received_at, message_id, user_id{properties}'
            f" FROM {self._cells()} POSITIONAL JOIN part POSITIONAL JOIN marks WHERE keep"
        )

"""Forgettings that a crash cut short: the record is there, and the log still holds what it is about."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from segue.domain.ids import FORGOTTEN
from segue.engine import snapshot
from segue.log import lines, outbox_file
from segue.log.forget import Also
from segue.log.sqlite import SqliteLog

SNAPSHOT = "snapshot"
_ADDRESSES = ("traits ->> '$.email'", "context ->> '$.traits.email'", "properties ->> '$.email'")


def finish_forgettings(log: SqliteLog, upto: int) -> None:
    """Erase what is left of everyone whom a record up to a seq forgets."""
    records = [record for record in log.records("forget") if record.body["rows"] and record.seq <= upto]
    kept = log.identity().user_ids if records else []
    for record in records:
        rows = set(record.body["rows"])
        if all(kept[row].startswith(FORGOTTEN) for row in rows):
            continue
        snapshot.erase(log.folder / SNAPSHOT)
        outbox_file.erase(log.folder, rows, ())
        lines.erase(log.folder, {kept[row] for row in rows})
        log.forget(rows, record.seq, Also(addresses=addresses_of(log, rows)))


def addresses_of(log: SqliteLog, rows: set[int]) -> frozenset[str]:
    """Every e-mail address that an event of some rows tells."""
    if not rows:
        return frozenset()
    with duckdb.connect() as connection:
        return frozenset(_addresses(log, connection, rows))


def _addresses(log: SqliteLog, connection: duckdb.DuckDBPyConnection, rows: set[int]) -> Iterator[str]:
    found = connection.execute(
        f"SELECT DISTINCT unnest([{', '.join(_ADDRESSES)}]) FROM {log.scan(connection)}"
        f' WHERE "row" IN ({",".join(map(str, rows))})'
    )
    yield from (address for (address,) in found.fetchall() if address and "@" in address)

"""What accounts are left with when someone who spoke for them is forgotten: what the others said."""

from __future__ import annotations

import duckdb
import msgspec

from segue.engine.feeding.traits import Dated, write_latest
from segue.language.sql.quoting import text_sql
from segue.log.sqlite import SqliteLog

_decode = msgspec.json.Decoder(dict).decode


def accounts_of(log: SqliteLog, rows: set[int]) -> list[str]:
    """The accounts that a group call of some rows tells of."""
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT DISTINCT group_id FROM {log.scan(connection)}"
            f" WHERE type = 'group' AND \"row\" IN ({_listed(rows)}) ORDER BY ALL"
        ).fetchall()
    return [account for (account,) in found]


def left_to(
    log: SqliteLog, accounts: list[str], rows: set[int], at: int, upto: int | None = None
) -> dict[str, dict[str, Dated]]:
    """The traits of these accounts at a moment (ms), by the log up to a seq, without what these rows said."""
    left: dict[str, dict[str, Dated]] = {account: {} for account in accounts}
    if not accounts:
        return left
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT group_id, traits, timestamp, seq FROM {log.scan(connection, 0, upto)}"
            f" WHERE type = 'group' AND group_id IN ({', '.join(map(text_sql, accounts))})"
            f' AND "row" NOT IN ({_listed(rows)}) AND timestamp <= {at} ORDER BY seq'
        )
        while page := found.fetchmany(1_000):
            for account, traits, timestamp, seq in page:
                write_latest(left[account], _decode(traits), timestamp, seq)
    return left


def _listed(rows: set[int]) -> str:
    return ",".join(map(str, sorted(rows)))

"""The demo's data: a year of a real shop, cut into what is imported and what is played."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise
from pathlib import Path

import duckdb

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.domain.time import format_instant

_IN_CHECKOUT = ("examples", "online-retail")
INSTALLED = ("examples", "online_retail")
_FILE = ("data", "online_retail_2009_2010.parquet")
_MAPPING = "map.yaml"
_MONTHS = [date(2009, 12, 1), *(date(2010, month, 1) for month in range(1, 12))]
"""The first days of the months that are imported, and of the one that is played."""
_HOUR_MS = 3_600_000
_COLUMNS = "epoch_ms(ts), cast(user_id as varchar), event, invoice, sku, quantity, price, amount, country"
_PROPERTIES = ("invoice", "sku", "quantity", "price", "amount", "country")


def _sql(day: date) -> str:
    return f"timestamp '{day}'"


_PLAYED = _sql(_MONTHS[-1])


@dataclass(frozen=True, slots=True)
class Hour:
    """The calls of one hour that has any, in order; ``start`` in ms."""

    start: int
    calls: list[Json]


@dataclass(frozen=True, slots=True)
class Retail:
    """The example as it ships: a workspace, and beside it the year's events."""

    folder: Path

    @property
    def mapping(self) -> Path:
        """How a row becomes an event."""
        return self.folder / _MAPPING

    def copy_to(self, folder: Path) -> None:
        """Copies the workspace into an empty folder, which is made; E455 when there is something in it."""
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise refusal("E455", f"{folder} is there already and is not empty", "name a new folder")
        try:
            shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)
        except OSError as fault:
            hint = "name a folder that can be written to"
            raise refusal("E451", f"the demo cannot be copied to {folder}: {fault}", hint) from fault

    def write_imported(self, folder: Path) -> list[Path]:
        """Writes the months before the last one as Parquet files, in order; E451 when it cannot."""
        files = []
        with duckdb.connect() as connection:
            for start, end in pairwise(_MONTHS):
                files.append(folder / f"{start:%Y-%m}.parquet")
                rows = self._rows(connection, f"ts >= {_sql(start)} and ts < {_sql(end)}")
                try:
                    rows.write_parquet(str(files[-1]))
                except duckdb.IOException as fault:
                    hint = "make room, or name another place with the environment variable TMPDIR"
                    raise refusal("E451", f"{files[-1]} cannot be written: {fault}", hint) from fault
        return files

    def imported_rows(self) -> int:
        """How many rows these files have together."""
        with duckdb.connect() as connection:
            return len(self._rows(connection, f"ts < {_PLAYED}"))

    def played(self) -> Iterator[Hour]:
        """The last month as a client sends it, hour by hour."""
        with duckdb.connect() as connection:
            rows = self._rows(connection, f"ts >= {_PLAYED}").project(_COLUMNS).fetchall()
        calls = (_call(number, *row) for number, row in enumerate(rows))
        for start, pairs in groupby(calls, key=lambda pair: pair[0] - pair[0] % _HOUR_MS):
            yield Hour(start, [call for _, call in pairs])

    def busiest(self) -> str:
        """The user with the most orders in the last month."""
        orders = "user_id, count(distinct invoice) as orders"
        with duckdb.connect() as connection:
            by_orders = (
                self._rows(connection, f"ts >= {_PLAYED}").aggregate(orders).order("orders desc, user_id")
            )
            ((user, _),) = by_orders.limit(1).fetchall()
        return str(user)

    def _rows(self, connection: duckdb.DuckDBPyConnection, condition: str) -> duckdb.DuckDBPyRelation:
        file = self.folder.joinpath(*_FILE)
        return connection.read_parquet(str(file)).filter(condition)


def shipped() -> Retail:
    """The example of the checkout that this code stands in, else the one that was installed with it."""
    package = Path(__file__).parents[2]
    places = (package.parents[1].joinpath(*_IN_CHECKOUT), package.joinpath(*INSTALLED))
    for place in places:
        if place.joinpath(*_FILE).is_file():
            return Retail(place)
    raise refusal("E401", f"the demo's data is not in {places[-1]}", "install Segue again")


def _call(number: int, at: int, user: str, event: str, *values: Json) -> tuple[int, Json]:
    """(when, the track call): its id is its place in the month."""
    time = format_instant(at)
    return at, {
        "type": "track",
        "messageId": f"played-{number}",
        "userId": user,
        "event": event,
        "timestamp": time,
        "receivedAt": time,
        "properties": dict(zip(_PROPERTIES, values, strict=True)),
    }

"""Scores as they are handed in: read from a file or a request, each value looked at alone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import duckdb

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.domain.limits import ID_CHARACTERS_MAX, NAME_CHARACTERS_MAX
from segue.domain.number import micro_of
from segue.ingest.files import faults
from segue.ingest.files.expressions import identifier
from segue.ingest.files.mapping import USUAL
from segue.ingest.files.table import columns_of, exact_path, look_at, sentence

USER_COLUMNS = USUAL["user"]
VALUE_COLUMNS = ("score", "value", "prediction", "cluster")
_CSV = (".csv", ".tsv")
_PARQUET = (".parquet", ".pq")
_ROWS_AT_ONCE = 100_000
REFUSED_SHOWN = 10


@dataclass(slots=True)
class Handed:
    """Values by user id, of a user named twice the later one; None takes a value back.

    ``rows`` counts what was handed in. ``refused`` are the first that could not be taken, with their number
    (counted from 1) and why; ``refused_count`` counts all of them.
    """

    gives: str
    values: dict[str, Json] = field(default_factory=dict)
    rows: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    refused_count: int = 0

    def take(self, user: Json, value: Json) -> None:
        """One row."""
        self.rows += 1
        why = self._wrong(user, value)
        if why is None:
            self.values[user] = _settled(self.gives, value)
            return
        self.refused_count += 1
        if len(self.refused) < REFUSED_SHOWN:
            self.refused.append((self.rows, why))

    def _wrong(self, user: Json, value: Json) -> str | None:
        if not isinstance(user, str) or not user.strip():
            return "it names no user"
        if len(user) > ID_CHARACTERS_MAX:
            return "its user id is too long"
        if value is None or value == "":
            return None
        if self.gives == "score":
            return None if micro_of(value) is not None else "its score is no number"
        fits = isinstance(value, str) and len(value) <= NAME_CHARACTERS_MAX
        return None if fits else f"its group is no text of at most {NAME_CHARACTERS_MAX} characters"


def _settled(gives: str, value: Json) -> Json:
    if value is None or value == "":
        return None
    return float(value) if gives == "score" else value


def of_rows(gives: str, rows: Iterable[tuple[Json, Json]]) -> Handed:
    """What a request hands in, as (user id, value)."""
    found = Handed(gives)
    for user, value in rows:
        found.take(user, value)
    return found


def of_file(gives: str, path: Path) -> Handed:
    """What a CSV or Parquet file hands in; E540 to E547 when it cannot be read, E879 without its columns."""
    look_at(path)
    sql = _sql(path)
    found = Handed(gives)
    with duckdb.connect() as connection:
        try:
            user, value = _columns(path, list(columns_of(connection, sql)))
            rows = connection.execute(f"SELECT {identifier(user)}, {identifier(value)} FROM {sql}")
            while part := rows.fetchmany(_ROWS_AT_ONCE):
                for each, said in part:
                    found.take(_text(each), _plain(said))
        except duckdb.Error as fault:
            raise faults.unreadable(path, sentence(fault)) from fault
    return found


def _sql(path: Path) -> str:
    ending = path.suffix.lower()
    if ending in _CSV:
        return f"read_csv({exact_path(path)}, header = true, all_varchar = true)"
    if ending in _PARQUET:
        return f"read_parquet({exact_path(path)})"
    message = f"{path} has an ending that tells no format of scores"
    raise refusal(faults.UNKNOWN_FORMAT, message, "scores come as .csv, .tsv or .parquet")


def _columns(path: Path, columns: list[str]) -> tuple[str, str]:
    user = next((name for name in USER_COLUMNS if name in columns), None)
    value = next((name for name in VALUE_COLUMNS if name in columns), None)
    if user is None or value is None:
        hint = "name them in its head: user_id,score"
        message = f"{path} has no column of user ids and one of scores; it has {', '.join(columns[:20])}"
        raise refusal("E879", message, hint)
    return user, value


def _plain(value: Json) -> Json:
    """A decimal of a Parquet file as the number it is nearest to; NaN is missing."""
    if isinstance(value, Decimal):
        return float(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def _text(user: Json) -> Json:
    """An id as text; a whole number in a column of doubles without its point."""
    if isinstance(user, float) and user.is_integer():
        return str(int(user))
    return str(user) if isinstance(user, int) and not isinstance(user, bool) else user

"""The SQL twin run on a history: the contract's tables in a DuckDB in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import duckdb

from segue.domain.event import Event, Json
from segue.language.interpret import Definition, Override, Rules
from segue.language.sql import segment_sql

Row = int

_TABLES = """
CREATE TABLE events (seq BIGINT, user_id VARCHAR, type VARCHAR, name VARCHAR, timestamp TIMESTAMP,
  received_at TIMESTAMP, properties JSON, context JSON, traits JSON, group_id VARCHAR, message_id VARCHAR);
CREATE TABLE lists (list VARCHAR, user_id VARCHAR);
CREATE TABLE scores (user_id VARCHAR, model VARCHAR, score DOUBLE, cluster VARCHAR);
CREATE TABLE overrides (user_id VARCHAR, segment VARCHAR, member BOOLEAN, until TIMESTAMP);
"""


def moment(ms: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(milliseconds=ms)  # noqa: DTZ001


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


class Twin:
    """Tables filled with what is known by some moment; users are named by their rows."""

    def __init__(
        self,
        events: Mapping[Row, Iterable[Event]],
        lists: Mapping[Row, Iterable[str]],
        overrides: Mapping[Row, Mapping[str, Override]],
        predictions: Mapping[Row, Mapping[tuple[str, str], Json]] | None = None,
    ) -> None:
        self.database = duckdb.connect(config={"threads": 1})
        self.database.execute(_TABLES)
        for row, each in events.items():
            self._fill("events", [self._event(row, event) for event in each])
        for row, names in lists.items():
            self._fill("lists", [(name, str(row)) for name in names])
        for row, said in (predictions or {}).items():
            self._fill(
                "scores",
                [
                    (str(row), model, *((value, None) if owner == "score" else (None, value)))
                    for (owner, model), value in said.items()
                ],
            )
        for row, standing in overrides.items():
            self._fill(
                "overrides",
                [
                    (
                        str(row),
                        name,
                        override.member,
                        None if override.until is None else moment(override.until),
                    )
                    for name, override in standing.items()
                ],
            )

    def _fill(self, table: str, rows: list[tuple[object, ...]]) -> None:
        if rows:
            marks = ", ".join("?" for _ in rows[0])
            self.database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def _event(self, row: Row, event: Event) -> tuple[object, ...]:
        return (
            event.seq, str(row), event.type, event.name, moment(event.timestamp), moment(event.received_at),
            as_json(event.properties), as_json(event.context), as_json(event.traits), event.group_id,
            event.message_id,
        )  # fmt: skip

    def members(self, name: str, definitions: Sequence[Definition], rules: Rules, now: int) -> set[Row]:
        sql = segment_sql(name, definitions, rules.zone, rules.session_gap_ms)
        return {int(row[0]) for row in self.database.execute(sql, {"now": moment(now)}).fetchall()}

    def close(self) -> None:
        self.database.close()

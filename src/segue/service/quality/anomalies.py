"""What looks wrong in the events of the last weeks, although each event by itself is sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import duckdb
import numpy as np

from segue.domain.event import Json
from segue.domain.time import DAY, format_instant
from segue.service.core import Core
from segue.service.quality.numbers import steadily

DAYS = 29
"""The last whole day, and the four weeks before it that say what is usual."""
_DAYS_TO_KNOW = 7
"""Days that an event must have been seen on before its rate can be unusual."""
_SPREAD = 6.0
"""How many spreads away from the median is unusual; for a Poisson count about one day in a billion."""
_LEAST = 10
_LISTED_MAX = 20
_USERS_MAX = 10


@dataclass(frozen=True, slots=True)
class Anomaly:
    """``kind``: rate, shared_email or likely_duplicates; ``text`` names no person, ``facts`` may."""

    kind: str
    text: str
    facts: dict[str, Json]

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        return {"kind": self.kind, "text": self.text, **self.facts}


def anomalies(core: Core) -> list[Anomaly]:
    """All that is found in the last :data:`DAYS` days of engine time, at most 20 of a kind."""
    now = core.engine.now
    today = now - now % DAY
    with duckdb.connect() as connection:
        _register_owners(connection, core)

        def looked() -> list[Anomaly]:
            events = f"(SELECT * FROM {core.log.scan(connection)} WHERE received_at >= {today - DAYS * DAY})"
            seen = _Seen(connection, events, today, core.intake.identity.user_id)
            return [found for look in LOOKS for found in look(seen)]

        return steadily(looked)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Events to stand after FROM, beside the table ``owners`` ("row", whole); ``today`` began at that ms."""

    connection: duckdb.DuckDBPyConnection
    events: str
    today: int
    user_id: Callable[[int], str]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives."""
        return self.connection.execute(query).fetchall()


def _register_owners(connection: duckdb.DuckDBPyConnection, core: Core) -> None:
    """The row that holds each row's events now."""
    whole = np.array(core.intake.identity.into, np.int32)
    connection.register("owners", {"row": np.arange(len(whole), dtype=np.int32), "whole": whole})


def _rates(seen: _Seen) -> Iterator[Anomaly]:
    """Event names of which there were unusually many or few on the last whole day."""
    query = (
        f"SELECT name, ({seen.today} - 1 - received_at) // {DAY} AS ago, count(*) FROM {seen.events}"
        f" WHERE type = 'track' AND received_at < {seen.today} GROUP BY ALL"
    )
    by_name: dict[str, dict[int, int]] = {}
    for name, ago, number in seen.rows(query):
        by_name.setdefault(name, {})[int(ago)] = number
    unusual = [(name, *found) for name, counts in by_name.items() if (found := _unusual(counts))]
    for name, number, low, high in sorted(unusual)[:_LISTED_MAX]:
        day = format_instant(seen.today - DAY)[:10]
        text = f'"{name}" was received {number:,} times on {day}, usually {low:,} to {high:,} times a day'
        yield Anomaly("rate", text, {"event": name, "day": day, "count": number, "usual": [low, high]})


def _unusual(counts: dict[int, int]) -> tuple[int, int, int] | None:
    """(the last day's count, lowest and highest usual one) if it is outside; ``counts`` by days ago."""
    known = max(counts)
    past = [counts.get(ago, 0) for ago in range(1, known + 1)]
    if len(past) < _DAYS_TO_KNOW:
        return None
    middle = median(past)
    spread = max(1.4826 * median(abs(each - middle) for each in past), middle**0.5, 1.0)
    low, high = max(0, int(middle - _SPREAD * spread)), int(middle + _SPREAD * spread) + _LEAST
    last = counts.get(0, 0)
    gone = last == 0 and middle >= _LEAST
    return (last, low, high) if last > high or last < low or gone else None


def _shared_emails(seen: _Seen) -> Iterator[Anomaly]:
    """E-mail addresses that several profiles have as a trait."""
    query = (
        "SELECT email, count(DISTINCT whole) AS users, list_sort(list(DISTINCT whole)) FROM"
        " (SELECT lower(trim(traits ->> '$.email')) AS email, whole"
        f" FROM {seen.events} JOIN owners USING (\"row\") WHERE type = 'identify')"
        f" WHERE email <> '' GROUP BY email HAVING users > 1 ORDER BY users DESC, email LIMIT {_LISTED_MAX}"
    )
    for email, users, rows in seen.rows(query):
        named = [seen.user_id(row) for row in rows[:_USERS_MAX]]
        text = f"{users:,} profiles share an e-mail address"
        yield Anomaly("shared_email", text, {"email": masked(email), "count": users, "users": named})


def masked(email: str) -> str:
    """An address that those who know it know again."""
    name, at, host = email.rpartition("@")
    return f"{name[:1]}…{at}{host}"


def _likely_duplicates(seen: _Seen) -> Iterator[Anomaly]:
    """Events of one profile that are the same in name, time and properties, but not in message id."""
    query = (
        "SELECT name, sum(copies - 1)::BIGINT AS surplus, min_by(ids, whole), min(whole) FROM"
        " (SELECT whole, coalesce(name, type) AS name, count(*) AS copies,"
        f' min([message_id]) || max([message_id]) AS ids FROM {seen.events} JOIN owners USING ("row")'
        " GROUP BY whole, type, name, timestamp, md5(properties), md5(traits) HAVING copies > 1)"
        f" GROUP BY name ORDER BY surplus DESC, name LIMIT {_LISTED_MAX}"
    )
    for name, surplus, ids, row in seen.rows(query):
        times = "1 event" if surplus == 1 else f"{surplus:,} events"
        text = f'{times} "{name}" look like copies under other message ids'
        facts = {"event": name, "count": surplus, "user_id": seen.user_id(row), "message_ids": ids}
        yield Anomaly("likely_duplicates", text, facts)


LOOKS: Sequence[Callable[[_Seen], Iterator[Anomaly]]] = (_rates, _shared_emails, _likely_duplicates)
"""Every kind of look; docs/quality.md explains each."""

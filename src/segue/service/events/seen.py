"""The names of track events that came in, beside those that are planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.language.findings import closest
from segue.log.sqlite import SqliteLog
from segue.segments.workspace import Workspace
from segue.service.quality.numbers import steadily

PLANNED, UNPLANNED, NEVER_SEEN = "planned", "not planned", "never seen"


@dataclass(frozen=True, slots=True)
class Seen:
    """One name: how often it came, from when to when (ms of receipt), of how many profiles' rows."""

    name: str
    count: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A name that was seen, or planned, or both; ``meant`` is a planned name that looks like it."""

    name: str
    status: str
    seen: Seen | None
    meant: str | None = None

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        found: dict[str, Json] = {"event": self.name, "status": self.status, "count": 0}
        if self.seen is not None:
            found["count"] = self.seen.count
            found |= {"first": format_instant(self.seen.first), "last": format_instant(self.seen.last)}
        return found | ({"did_you_mean": self.meant} if self.meant else {})


def seen(log: SqliteLog) -> list[Seen]:
    """Every name of a track event in the log, the most frequent first."""
    with duckdb.connect() as connection:
        rows = steadily(
            lambda: connection.execute(
                "SELECT name, count(*) AS times, min(received_at), max(received_at)"
                f" FROM {log.scan(connection)} WHERE type = 'track' GROUP BY name ORDER BY times DESC, name"
            ).fetchall()
        )
    return [Seen(*row) for row in rows]


def listed(log: SqliteLog, workspace: Workspace) -> Iterator[Listed]:
    """What was seen, then what is planned and was never seen."""
    plan = workspace.plan
    names = set()
    for each in seen(log):
        names.add(each.name)
        known = each.name in plan
        meant = None if known else closest(each.name, plan)
        yield Listed(each.name, PLANNED if known else UNPLANNED, each, meant)
    for name in sorted(plan.keys() - names):
        yield Listed(name, NEVER_SEEN, None)

"""All that is held of one person, as they may ask for it.

Events are read a page at a time: however many they have, a page is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import duckdb

from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.ingest.suppression import names_in
from segue.log.batch import EventBatch, Stretch
from segue.log.sqlite import SqliteLog
from segue.service.as_sent import as_sent, event_as_sent
from segue.service.quality.numbers import steadily
from segue.service.service import Service
from segue.service.views import UserView, replaced_json

PAGE_EVENTS = 2_000
HEAD, CHANGE, QUARANTINED, EVENT = "head", "change", "quarantined", "event"
Part = tuple[str, Json]
"""Which kind of part, and the part."""


def parts_of_user(service: Service, user_id: str) -> Iterator[Part]:
    """All that is held of one person: the head, then changes, what was set aside, events in log order."""
    row = service.row_of(user_id)
    yield HEAD, _head(service, user_id, row)
    if row is None:
        return
    identity = service.core.intake.identity
    rows, names = identity.rows_of(row), {user_id, *identity.names_of(row)}
    for each in sorted(rows):
        for change in service.log.changes_of(each):
            yield CHANGE, change.to_json()
    for held in service.quarantine(None):
        if names.intersection(names_in(held.event.raw)):
            raw = held.event.raw.decode("utf-8", "replace")
            received_at = format_instant(held.event.received_at)
            yield QUARANTINED, {"received_at": received_at, "code": held.event.code, "raw": raw}
    for event in _events(service.log, rows):
        yield EVENT, event


def _head(service: Service, user_id: str, row: int | None) -> dict[str, Json]:
    identity, feed = service.core.intake.identity, service.engine.feed
    with service.core.turn:
        look = service.profiles.held(user_id)
        view = UserView(user_id, known=False) if look is None else look.view
        lists = sorted(feed.lists.get(row, ())) if row is not None else []
        overrides = {} if row is None else dict(feed.overrides.get(row, {}))
        replaced = {} if row is None else dict(feed.predictions.words_of(row))
    return {
        **view.to_json(),
        "ids": [] if row is None else identity.names_of(row),
        "suppressed": identity.suppresses(user_id),
        "lists": lists,
        "overrides": [
            {
                "segment": name,
                "member": each.member,
                "until": None if each.until is None else format_instant(each.until),
            }
            for name, each in sorted(overrides.items())
        ],
        "score_overrides": [replaced_json(model, replaced[model]) for model in sorted(replaced)],
    }


def _events(log: SqliteLog, rows: set[int]) -> Iterator[dict[str, Json]]:
    """The events of some rows up to now, as they were sent."""
    with duckdb.connect() as connection:
        for entry in log.read(0, log.next_seq - 1):
            if isinstance(entry, EventBatch):
                mine = [at for at, row in enumerate(entry.rows) if row in rows]
                yield from (event_as_sent(entry, at) for at in mine)
            elif isinstance(entry, Stretch):
                yield from _of_stretch(log, connection, entry, rows)


def _of_stretch(
    log: SqliteLog, connection: duckdb.DuckDBPyConnection, stretch: Stretch, rows: set[int]
) -> Iterator[dict[str, Json]]:
    after = stretch.from_seq - 1
    while page := steadily(partial(_page, log, connection, rows, after, stretch.to_seq)):
        for _, raw, *rest in page:
            yield as_sent(raw.encode(), *rest)
        after = page[-1][0]


def _page(
    log: SqliteLog, connection: duckdb.DuckDBPyConnection, rows: set[int], after: int, upto: int
) -> list[tuple[Any, ...]]:
    """The next events after a place, from the first file that has any."""
    chosen = ",".join(map(str, sorted(rows)))
    for portion in log.portions(connection, after, upto):
        page = connection.execute(
            f"SELECT seq, raw, type, message_id, timestamp, received_at FROM {portion.events}"
            f' WHERE "row" IN ({chosen}) AND seq > {max(after, portion.first - 1)} AND seq <= {portion.last}'
            f" ORDER BY seq LIMIT {PAGE_EVENTS}"
        ).fetchall()
        if page:
            return page
    return []

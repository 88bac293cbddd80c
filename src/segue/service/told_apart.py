"""Message ids on their way out: those that stand in a log more than once, told apart.

An id counts once within a source and within seven days, so that a log may hold it again. Where an export is
imported all of it is one source, and an import compares with the whole log.
"""

from __future__ import annotations

from collections import Counter

import duckdb
import numpy as np

from segue.domain.event import Json
from segue.log.sqlite import SqliteLog
from segue.service.quality.numbers import steadily


class ToldApart:
    """Names the events of a log up to a position, in its order."""

    def __init__(self, log: SqliteLog, upto: int) -> None:
        self._repeated = steadily(lambda: repeated_ids(log, upto))
        self._met: Counter[str] = Counter()

    def named(self, event: dict[str, Json]) -> dict[str, Json]:
        """The event under its id; from the second of an id on with its number, the same in every export."""
        message_id = event["messageId"]
        if message_id in self._repeated:
            self._met[message_id] += 1
            if self._met[message_id] > 1:
                event["messageId"] = f"{message_id}~{self._met[message_id]}"
        return event


def repeated_ids(log: SqliteLog, upto: int) -> frozenset[str]:
    """Every message id that two events have, with a few that have a hash in common."""
    with duckdb.connect() as connection:
        events = log.scan(connection, 0, upto)
        hashes = connection.execute(f"SELECT hash(message_id) AS found FROM {events}").fetchnumpy()["found"]
        hashes = np.sort(np.asarray(hashes))
        twice = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
        if not len(twice):
            return frozenset()
        connection.register("twice", {"found": twice})
        ids = f"SELECT DISTINCT message_id FROM {events} WHERE hash(message_id) IN (SELECT found FROM twice)"
        return frozenset(name for (name,) in connection.execute(ids).fetchall())

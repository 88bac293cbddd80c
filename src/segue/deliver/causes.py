"""The events that made triggers fire, read back from the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from segue.domain.event import Event
from segue.log.batch import EventBatch
from segue.log.sqlite import SqliteLog

_GAP_MAX = 1_000
"""Positions between two events that are rather read over than asked for anew."""


def events_at(log: SqliteLog, seqs: Iterable[int]) -> dict[int, Event]:
    """Events by their position; those that were erased are left out."""
    found: dict[int, Event] = {}
    for run in _runs(sorted(set(seqs))):
        wanted = set(run)
        for entry in log.replay(run[0] - 1, run[-1]):
            if isinstance(entry, EventBatch):
                for place in range(len(entry)):
                    if entry.first_seq + place in wanted:
                        found[entry.first_seq + place] = entry.event(place)
    return found


def _runs(seqs: list[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for seq in seqs:
        if run and seq - run[-1] > _GAP_MAX:
            yield run
            run = []
        run.append(seq)
    if run:
        yield run

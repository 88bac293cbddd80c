"""The events that made triggers fire, read back from the log."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from segue.domain.event import Event
from segue.log.batch import EventBatch, Stretch
from segue.log.sqlite import SqliteLog

_GAP_MAX = 1_000
"""Positions between two events that are rather read over than asked for anew."""


def events_at(log: SqliteLog, seqs: Iterable[int]) -> dict[int, Event]:
    """Events by their position; those that were erased are left out."""
    found: dict[int, Event] = {}
    for run in _runs(sorted(set(seqs))):
        for entry in log.read(run[0] - 1, run[-1], whole=False):
            if isinstance(entry, EventBatch):
                found |= _picked(entry, run)
            elif isinstance(entry, Stretch):
                for batch in log.read_stretch(entry):
                    found |= _picked(batch, run)
    return found


def _picked(batch: EventBatch, seqs: list[int]) -> dict[int, Event]:
    """Those of some rising positions that lie in a batch."""
    first, last = bisect_left(seqs, batch.first_seq), bisect_right(seqs, batch.last_seq)
    return {seq: batch.event(seq - batch.first_seq) for seq in seqs[first:last]}


def _runs(seqs: list[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for seq in seqs:
        if run and seq - run[-1] > _GAP_MAX:
            yield run
            run = []
        run.append(seq)
    if run:
        yield run

"""A process that appends to a log until it is done or killed, and says each seq that it was promised."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from segue.log.batch import Record
from segue.log.changes import CAUSES, ChangeColumns, Progress
from segue.log.sqlite import SqliteLog
from tests.log.stories import stretch_of, tracks


def _changes(first_seq: int) -> ChangeColumns:
    return ChangeColumns(
        first_seq=first_seq,
        names=["s"],
        rows=np.zeros(2, np.int32),
        segments=np.zeros(2, np.int32),
        entered=np.array([True, False]),
        at=np.array([first_seq, first_seq + 1]),
        causes=np.full(2, CAUSES.index(CAUSES[1]), np.uint8),
        event_seqs=np.full(2, -1),
    )


def main(folder: Path, turns: int) -> None:
    """Append batches of growing size, close stretches now and then, store changes."""
    with SqliteLog.open(folder, running="the appending test") as log:
        for turn in range(turns):
            seq = log.next_seq
            events = tracks(seq, 1 + turn % 7)
            events.created = [(0, 0, "u0")] if seq == 1 else []
            if turn % 11 == 10:
                log.append_stretch(stretch_of(log, events))
            else:
                log.append([events, Record(events.last_seq + 1, turn, "time", turn)])
            before = log.progress()
            log.append_changes(
                Progress(log.next_seq - 1, before.engine_time + 1, before.next_change + 2),
                _changes(before.next_change),
            )
            sys.stdout.write(f"{log.next_seq - 1} {log.progress().next_change - 1}\n")
            sys.stdout.flush()
            if turn % 20 == 19:
                log.close_stretch(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

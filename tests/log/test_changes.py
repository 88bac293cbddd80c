"""Changes keep their numbers, and know who and by what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from segue.domain.change import Cause, Change
from segue.log.batch import EventBatch, Record
from segue.log.changes import CAUSES, NO_EVENT, ChangeColumns, Progress
from segue.log.sqlite import SqliteLog
from tests.log.stories import opened, stretch_of, tracks

Line = tuple[int, str, bool, int, Cause, int]


def columns(first_seq: int, *lines: Line) -> ChangeColumns:
    names = sorted({line[1] for line in lines}, reverse=True)
    return ChangeColumns(
        first_seq=first_seq,
        names=names,
        rows=np.array([line[0] for line in lines], np.int32),
        segments=np.array([names.index(line[1]) for line in lines], np.int32),
        entered=np.array([line[2] for line in lines], np.bool_),
        at=np.array([line[3] for line in lines], np.int64),
        causes=np.array([CAUSES.index(line[4]) for line in lines], np.uint8),
        event_seqs=np.array([line[5] for line in lines], np.int64),
    )


def people(count: int) -> EventBatch:
    """A first event for each of ``count`` profiles."""
    events = tracks(1, count)
    events.rows = list(range(count))
    events.created = [(row, row, f"u{row}") for row in range(count)]
    return events


def listed(log: SqliteLog, **bounds: object) -> list[Change]:
    return [change for page in log.changes(**bounds) for change in page]  # type: ignore[arg-type]


THREE: tuple[Line, ...] = (
    (0, "big", True, 2_001, Cause.EVENT, 1),
    (1, "big", True, 2_002, Cause.EVENT, 2),
    (0, "new", True, 2_002, Cause.TIME, NO_EVENT),
)
FOURTH: Line = (0, "big", False, 3_000, Cause.MERGE, NO_EVENT)
EXPECTED = [
    Change(1, "u0", "big", True, 2_001, Cause.EVENT, "m1"),
    Change(2, "u1", "big", True, 2_002, Cause.EVENT, "m2"),
    Change(3, "u0", "new", True, 2_002, Cause.TIME),
    Change(4, "u0", "big", False, 3_000, Cause.MERGE),
]


def _told(log: SqliteLog) -> None:
    log.append([people(2)])
    log.append_changes(Progress(2, 2_002, 4), columns(1, *THREE))
    log.append_changes(Progress(2, 3_000, 5), columns(4, FOURTH))


def test_changes_are_read_back_with_ids(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        _told(log)
        assert listed(log) == EXPECTED
    with opened(tmp_path) as log:
        assert listed(log) == EXPECTED
        assert log.progress() == Progress(2, 3_000, 5)


def test_changes_are_cut_to_what_was_asked(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        _told(log)
        assert listed(log, after=1, upto=3) == EXPECTED[1:3]
        assert listed(log, after=3) == EXPECTED[3:]
        assert listed(log, after=4) == []
        assert listed(log, segment="big") == [EXPECTED[0], EXPECTED[1], EXPECTED[3]]
        assert listed(log, segment="big", limit=2) == EXPECTED[:2]
        assert listed(log, segment="none") == []
        assert listed(log, limit=0) == []


def test_message_ids_are_found_wherever_the_event_lies(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([people(2), Record(3, 0, "time", 0), tracks(4, 2)])
        log.close_stretch(1)
        log.append_stretch(stretch_of(log, tracks(6, 2)))
        log.append([tracks(8, 1), tracks(9, 2)])
        wanted = [1, 2, 5, 6, 7, 8, 10]
        lines = [(0, "s", True, 0, Cause.EVENT, seq) for seq in reversed(wanted)]
        log.append_changes(Progress(10, 0, 1 + len(lines)), columns(1, *lines))
        assert [change.message_id for change in listed(log)] == [f"m{seq}" for seq in reversed(wanted)]


def test_a_hundred_thousand_changes_come_in_pages(tmp_path: Path) -> None:
    count = 60_000
    block = ChangeColumns(
        first_seq=1,
        names=["s"],
        rows=np.zeros(count, np.int32),
        segments=np.zeros(count, np.int32),
        entered=np.arange(count) % 2 == 0,
        at=np.arange(count),
        causes=np.full(count, CAUSES.index(Cause.TIME), np.uint8),
        event_seqs=np.full(count, NO_EVENT),
    )
    with opened(tmp_path) as log:
        log.append([people(1)])
        log.append_changes(Progress(1, 1, count + 1), block)
        log.append_changes(Progress(1, 1, count + 2), columns(count + 1, FOURTH))
        pages = list(log.changes())
        assert [len(page) for page in pages] == [50_000, 10_001]
        assert [seq for page in pages for seq in page.seqs] == list(range(1, count + 2))
        assert [at for page in pages for at in page.at][:count] == list(range(count))
        assert pages[0].entered[:3] == [True, False, True]
        assert [change.seq for change in listed(log, segment="big", limit=5)] == [count + 1]


@pytest.mark.parametrize(
    "reached",
    [
        Progress(2, 3_000, 6),  # a number left out
        Progress(2, 3_000, 4),  # a number given twice
        Progress(1, 3_000, 5),  # the log taken back
        Progress(2, 2_001, 5),  # time taken back
    ],
)
def test_progress_that_does_not_follow_is_refused(tmp_path: Path, reached: Progress) -> None:
    with opened(tmp_path) as log:
        log.append([people(2)])
        log.append_changes(Progress(2, 2_002, 4), columns(1, *THREE))
        with pytest.raises(ValueError, match="does not follow"):
            log.append_changes(reached, columns(4, FOURTH))
        with pytest.raises(ValueError, match="does not follow"):
            log.append_changes(Progress(2, 3_000, 5), columns(5, FOURTH))
        assert len(listed(log)) == 3
        assert log.progress() == Progress(2, 2_002, 4)


def test_a_change_of_nobody_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([people(2)])
        with pytest.raises(ValueError, match="2 profiles"):
            log.append_changes(Progress(2, 1, 2), columns(1, (2, "s", True, 1, Cause.TIME, NO_EVENT)))
        assert log.progress() == Progress(0, 0, 1)


def test_progress_alone_is_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([people(1)])
        log.append_changes(Progress(1, 7, 1))
        assert (log.progress(), listed(log)) == (Progress(1, 7, 1), [])

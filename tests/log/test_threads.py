"""One thread appends while others read, close stretches and forget."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import duckdb

from segue.domain.change import Cause
from segue.domain.event import Event
from segue.log.changes import Progress
from segue.log.sqlite import SqliteLog
from tests.log.stories import opened, seqs, told, tracks
from tests.log.test_changes import columns, people

TURNS = 60


def _appending(log: SqliteLog) -> None:
    for turn in range(TURNS):
        seq = log.next_seq
        log.append([tracks(seq, 3, 1), tracks(seq + 3, 1, 2)])
        before = log.progress()
        line = (1, "s", turn % 2 == 0, turn, Cause.EVENT, seq)
        log.append_changes(Progress(seq + 3, turn, before.next_change + 1), columns(before.next_change, line))


def _reading(log: SqliteLog) -> None:
    last = log.next_seq - 1
    assert seqs(log.read(0, last)) == list(range(1, last + 1))


def _changing(log: SqliteLog) -> None:
    found = [change for page in log.changes() for change in page]
    assert [change.seq for change in found] == list(range(1, len(found) + 1))
    assert all(change.message_id is not None for change in found)


def _scanning(log: SqliteLog) -> None:
    with duckdb.connect(config={"threads": 1}) as connection:
        last = log.next_seq - 1
        found = connection.execute(f"SELECT seq FROM {log.scan(connection, 0, last)} ORDER BY seq").fetchall()
        assert [seq for (seq,) in found] == list(range(1, last + 1))


def _closing(log: SqliteLog) -> None:
    log.close_stretch(20)


def _together(log: SqliteLog, *others: Callable[[SqliteLog], None]) -> None:
    """Run the others over and over while events are appended; raise what any of them raised."""
    done = threading.Event()
    failed: list[BaseException] = []

    def watch(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)
            raise

    def again(other: Callable[[SqliteLog], None]) -> None:
        while not done.is_set():
            other(log)

    threads = [threading.Thread(target=watch, args=(lambda other=other: again(other),)) for other in others]
    for thread in threads:
        thread.start()
    try:
        _appending(log)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failed == []


def test_readers_see_whole_numbers_while_stretches_close(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([people(3)])
        _together(log, _reading, _changing, _scanning, _closing)
        _reading(log)
        _changing(log)


def test_changes_are_read_while_someone_is_forgotten(tmp_path: Path) -> None:
    def forgetting(log: SqliteLog) -> None:
        log.close_stretch(20)
        log.forget({2}, log.next_seq - 1)

    with opened(tmp_path) as log:
        log.append([people(3)])
        _together(log, _changing, forgetting)
        log.forget({2}, log.next_seq - 1)
        _changing(log)
        events = [line[1] for line in told(log) if line[0] == "event"]
        assert {event.row for event in events if isinstance(event, Event)} == {0, 1}

"""Fingerprints between two runs: what is read back is what was written, or nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from segue.domain.limits import DEDUPE_MS
from segue.ingest import remembered
from segue.ingest.dedupe import Seen
from segue.ingest.files.reading import read_file
from segue.ingest.opening import KEPT_AFTER, Opening
from segue.log.batch import Stretch
from segue.log.sqlite import SqliteLog

NOW = 1_800_000_000_000


def table(count: int, since: int = 0) -> Seen:
    numbers = np.arange(count, dtype=np.uint64)
    seen = Seen(since=since)
    seen.learn(numbers * np.uint64(2**40 + 1), numbers, NOW + np.arange(count))
    return seen


def known(seen: Seen, count: int) -> int:
    numbers = np.arange(count, dtype=np.uint64)
    repeated = seen.seen_many(numbers * np.uint64(2**40 + 1), numbers, np.full(count, NOW), DEDUPE_MS)
    return int(repeated.sum())


@pytest.mark.parametrize("count", [0, 1, 5_000])
def test_what_was_written_is_read_back(tmp_path: Path, count: int) -> None:
    remembered.save(tmp_path, table(count), upto=7)
    seen, upto = remembered.load(tmp_path, since=0, upto=7)
    assert (len(seen), upto) == (count, 7)
    assert known(seen, count + 1) == count


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-100] ^= 1
    file.write_bytes(data)


def _scribble(file: Path) -> None:
    file.write_text("{}")


@pytest.mark.parametrize("damage", [_cut, _flip, _scribble, Path.unlink])
def test_a_damaged_file_is_left_aside(tmp_path: Path, damage: object) -> None:
    remembered.save(tmp_path, table(100), upto=7)
    assert callable(damage)
    damage(tmp_path / remembered.NAME)
    seen, upto = remembered.load(tmp_path, since=0, upto=7)
    assert (len(seen), upto) == (0, 0)


def test_a_file_that_knows_less_than_is_asked_for_is_left_aside(tmp_path: Path) -> None:
    remembered.save(tmp_path, table(100, since=NOW), upto=7)
    assert remembered.load(tmp_path, since=NOW - 1, upto=7)[1] == 0
    assert remembered.load(tmp_path, since=NOW, upto=6)[1] == 0
    seen, upto = remembered.load(tmp_path, since=NOW + 1, upto=8)
    assert (len(seen), upto, seen.since) == (100, 7, NOW)


def _lines(file: Path, first: int, count: int) -> Path:
    said = '{"type":"track","event":"E","userId":"u","messageId":"m%d","timestamp":"2026-01-01T00:00:00Z"}\n'
    file.write_text("".join(said % number for number in range(first, first + count)))
    return file


def _taken(opening: Opening, log: SqliteLog, file: Path) -> int:
    intake, accepted = opening.ready(), 0
    for portion in read_file(file, None, intake, log, "file", NOW):
        assert not isinstance(portion.entry, Stretch)
        log.append([portion.entry] if portion.entry else [])
        intake.settle()
        accepted += portion.tally.accepted
    return accepted


@pytest.mark.parametrize("forgets", [False, True])
def test_the_next_run_knows_what_was_seen(tmp_path: Path, forgets: bool) -> None:
    first, more = KEPT_AFTER + 10, 50
    file = _lines(tmp_path / "first.jsonl", 0, first)
    with SqliteLog.open(tmp_path / "data") as log:
        opening = Opening(log, None)
        assert _taken(opening, log, file) == first
        if forgets:
            opening.forget()
        opening.keep()
        assert (log.folder / remembered.NAME).exists() is not forgets
        late = Opening(log, None)
        assert _taken(late, log, _lines(tmp_path / "more.jsonl", first - more, 2 * more)) == more
        log.close_stretch(1)
    with SqliteLog.open(tmp_path / "data") as log:
        again = Opening(log, None)
        assert _taken(again, log, _lines(tmp_path / "all.jsonl", 0, first + more + 1)) == 1

"""Killed at any moment, the log keeps what it promised, and all of it is whole."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from segue.domain.event import Event
from segue.log.sqlite import SqliteLog
from tests.log.stories import seqs, told

ROOT = Path(__file__).parents[2]
ROUNDS = 5


def _killed(folder: Path, wait_s: float) -> tuple[int, int]:
    """(last seq, last change) promised by a process that was killed after a while."""
    command = [sys.executable, "-m", "tests.log.appending", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(wait_s)
        process.kill()
        lines = (first + process.stdout.read()).splitlines(keepends=True)
    whole = [line for line in lines if line.endswith(b"\n")]
    seq, change = whole[-1].split()
    return int(seq), int(change)


def test_kill_9_loses_nothing_that_was_promised(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    folder = tmp_path / ".segue"
    for _ in range(ROUNDS):
        promised_seq, promised_change = _killed(folder, chance.uniform(0.1, 0.6))
        with SqliteLog.open(folder) as log:
            last = log.next_seq - 1
            assert last >= promised_seq
            assert seqs(log.read(0)) == list(range(1, last + 1))
            assert _events_and_records(log) == list(range(1, last + 1))
            numbers = [change.seq for page in log.changes() for change in page]
            assert numbers == list(range(1, len(numbers) + 1))
            assert len(numbers) >= promised_change
            assert log.progress().next_change == len(numbers) + 1
            assert log.progress().log_seq <= last
    assert any((folder / "history").iterdir())


def _events_and_records(log: SqliteLog) -> list[int]:
    """The seqs of every event and record, each decoded in full."""
    return [
        line[1].seq if isinstance(line[1], Event) else int(str(line[1]))
        for line in told(log)
        if line[0] in {"event", "record"}
    ]

"""Killed at any moment, the log keeps what it promised, and all of it is whole."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from segue.domain.event import Event
from segue.log.sqlite import SqliteLog
from tests.log.stories import seqs, told

ROOT = Path(__file__).parents[2]
ROUNDS = 5
FAILING_ROUNDS = 5
TURNS = 45


def _command(folder: Path, turns: int) -> list[str]:
    return [sys.executable, "-m", "tests.log.appending", str(folder), str(turns)]


def _killed(folder: Path, wait_s: float) -> tuple[int, int]:
    """(last seq, last change) promised by a process that was killed after a while."""
    with subprocess.Popen(_command(folder, 1_000_000), stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(wait_s)
        process.kill()
        return _promised(first + process.stdout.read())


def _promised(said: bytes) -> tuple[int, int]:
    whole = [line for line in said.splitlines(keepends=True) if line.endswith(b"\n")]
    seq, change = whole[-1].split() if whole else (0, 0)
    return int(seq), int(change)


def _require_whole(folder: Path, promised_seq: int, promised_change: int) -> None:
    """Everything promised is there, numbered without a gap, and can be decoded."""
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


def _chance() -> random.Random:
    seed = random.randrange(2**32)
    print("seed", seed)
    return random.Random(seed)


def test_kill_9_loses_nothing_that_was_promised(tmp_path: Path) -> None:
    chance = _chance()
    folder = tmp_path / ".segue"
    for _ in range(ROUNDS):
        promised = _killed(folder, chance.uniform(0.1, 0.6))
        assert promised[0] > 0
        _require_whole(folder, *promised)
    assert any((folder / "history").iterdir())


@pytest.mark.parametrize(
    ("call", "error", "calls"),
    [("fdatasync", "EIO", 50), ("pwrite64", "ENOSPC", 300), ("pwrite64", "EIO", 300), ("fsync", "EIO", 6)],
)
def test_a_disk_that_fails_once_is_said_and_loses_nothing(
    tmp_path: Path, call: str, error: str, calls: int
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("failing calls need strace")
    chance = _chance()
    refused = 0
    for turn in range(FAILING_ROUNDS):
        number = chance.randrange(1, calls)
        folder = tmp_path / str(turn)
        failing = ["strace", "-f", "-o", "/dev/null", "-e", f"inject={call}:error={error}:when={number}"]
        ended = subprocess.run(
            [*failing, *_command(folder, TURNS)], capture_output=True, cwd=ROOT, check=False
        )
        said = ended.stderr.decode()
        assert ended.returncode == 0 or "E604" in said, said
        refused += "E604" in said
        _require_whole(folder, *_promised(ended.stdout))
    assert refused


def _events_and_records(log: SqliteLog) -> list[int]:
    """The seqs of every event and record, each decoded in full."""
    return [
        line[1].seq if isinstance(line[1], Event) else int(str(line[1]))
        for line in told(log)
        if line[0] in {"event", "record"}
    ]

"""The n-th write, sync or rename fails, for every n: whatever was acknowledged is there afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.serving import write_workspace
from tests.faults.disk import library
from tests.service.crashing import chance

SAMPLED = 8
"""So many n of each kind each time, beside the first and one too many; all of them in the night."""
NEVER = 1_000_000
KINDS = {
    "write, no room": (1, 28),
    "write, broken": (1, 5),
    "short write": (1, 0),
    "sync": (2, 5),
    "rename": (3, 5),
}

_ROUNDS = Path(__file__).with_name("rounds.py")


def run(folder: Path, kind: str, numbers: list[int], control: bool = False) -> list[dict[str, int]]:
    """What came of the rounds: for each n how often it hit, what was acknowledged, and what is missing."""
    number, error = KINDS[kind]
    asked = {"kind": number, "errno": error, "numbers": numbers, "control": control}
    command = [sys.executable, "-m", "tests.faults.rounds", str(folder), json.dumps(asked)]
    variables = {**os.environ, "LD_PRELOAD": str(library()), "DISK_FOLDER": str(folder / "data")}
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def chosen(folder: Path, kind: str, every: bool) -> list[int]:
    """From the first call of a kind that a round makes to one more than there are."""
    numbers = range(1, run(folder, kind, [NEVER])[0]["calls"] + 2)
    if every or len(numbers) <= SAMPLED:
        return list(numbers)
    return sorted({1, numbers[-1], *chance().sample(numbers, SAMPLED)})


def hold(folder: Path, kind: str, every: bool) -> None:
    write_workspace(folder / "workspace")
    found = run(folder, kind, chosen(folder, kind, every))
    assert [each for each in found if each["missing"] or each["doubled"]] == []
    assert any(each["hits"] for each in found) or kind == "rename"
    assert any(each["acknowledged"] for each in found)


@pytest.mark.parametrize("kind", KINDS)
def test_no_acknowledgement_without_the_data(tmp_path: Path, kind: str) -> None:
    hold(tmp_path, kind, every=False)


@pytest.mark.torture
@pytest.mark.parametrize("kind", KINDS)
def test_no_acknowledgement_without_the_data_for_every_n(tmp_path: Path, kind: str) -> None:
    hold(tmp_path, kind, every=True)


def test_a_server_that_passes_errors_over_is_found_out(tmp_path: Path) -> None:
    """The control: posts are acknowledged also when their transaction has failed."""
    write_workspace(tmp_path / "workspace")
    found = run(tmp_path, "write, no room", list(range(40, 90, 6)), control=True)
    assert any(each["missing"] for each in found)

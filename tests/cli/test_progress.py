"""Bars are for terminals alone, and never in the answer."""

from __future__ import annotations

import os
import pty
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.cli.segue import PROGRAM
from tests.cli.shop import EVENTS, Shop, opened, serving


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return opened(tmp_path / "shop")


def watched(shop: Shop, *arguments: str | Path) -> tuple[str, str]:
    """What a command prints, and what the terminal on its stderr shows."""
    reading, writing = pty.openpty()
    command = [*PROGRAM, *map(str, arguments), "--workspace", str(shop.folder)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=writing, env=environment) as process:
        os.close(writing)
        shown = b""
        while piece := _read(reading):
            shown += piece
        assert process.stdout is not None
        out = process.stdout.read().decode()
    os.close(reading)
    assert process.returncode == 0, shown.decode()
    return out, shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how a terminal says that its other end is closed
        return b""


def test_import(shop: Shop) -> None:
    out, shown = watched(shop, "import", shop.file("events.jsonl", *EVENTS))
    assert "5 of 5 rows" in shown
    assert "rows/s" not in out
    assert out.count("\n") == 1


@pytest.mark.parametrize("where", ["alone", "beside"])
def test_verify(shop: Shop, where: str) -> None:
    shop("import", shop.file("events.jsonl", *EVENTS))
    with serving(shop) if where == "beside" else nullcontext():
        out, shown = watched(shop, "verify")
    assert "5 of 5 events" in shown
    assert out == "4 segments verified: 0 differences\n"


def test_nobody_watches(shop: Shop) -> None:
    assert shop("import", shop.file("events.jsonl", *EVENTS)).err == ""

"""How much memory a server has held at most, as the system counts it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.api.serving import Running


def _held(pid: int, what: str) -> int:
    text = (Path("/proc") / str(pid) / "status").read_text(encoding="ascii")
    found = re.search(rf"^{what}:\s+(\d+) kB$", text, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


ROUNDS = 3


def extra(server: Running, work: Callable[[], None]) -> int:
    """What the server held at most, in bytes, on top of what it held before, while work was done.

    The least of three rounds: what else goes on in a server, such as a snapshot, is not the work's.
    """
    pid = server.process.pid
    before = _held(pid, "VmRSS")
    peaks = []
    for _ in range(ROUNDS):
        (Path("/proc") / str(pid) / "clear_refs").write_text("5", encoding="ascii")
        work()
        peaks.append(_held(pid, "VmHWM"))
    return min(peaks) - before


def open_files(server: Running) -> int:
    """Descriptors that the server holds."""
    return len(list((Path("/proc") / str(server.process.pid) / "fd").iterdir()))

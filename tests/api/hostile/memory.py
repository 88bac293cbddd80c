"""How much memory a server has held at most, as the system counts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.api.serving import Running


class Peak:
    """``extra`` is what was held on top of what was held before, in bytes."""

    extra = 0


def _held(pid: int, what: str) -> int:
    text = (Path("/proc") / str(pid) / "status").read_text(encoding="ascii")
    found = re.search(rf"^{what}:\s+(\d+) kB$", text, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


@contextmanager
def peak(server: Running) -> Iterator[Peak]:
    """Watches while the block runs."""
    pid = server.process.pid
    (Path("/proc") / str(pid) / "clear_refs").write_text("5", encoding="ascii")
    before, found = _held(pid, "VmRSS"), Peak()
    yield found
    found.extra = max(0, _held(pid, "VmHWM") - before)


def open_files(server: Running) -> int:
    """Descriptors that the server holds."""
    return len(list((Path("/proc") / str(server.process.pid) / "fd").iterdir()))

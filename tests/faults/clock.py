"""A wall clock that can be set while the server runs."""

from __future__ import annotations

from pathlib import Path


def settable(file: Path) -> str:
    """Python for the server's process: its clock is off by the ms that stand in the file."""
    file.write_text("0", encoding="utf-8")
    return f"""
import pathlib, time
_real_ns, _real = time.time_ns, time.time
def _off():
    return int(pathlib.Path({str(file)!r}).read_text() or 0)
time.time_ns = lambda: _real_ns() + _off() * 1_000_000
time.time = lambda: _real() + _off() / 1_000
"""


def set_off(file: Path, ms: int) -> None:
    """From now on the clock is off by so much."""
    fresh = file.with_suffix(".new")
    fresh.write_text(str(ms), encoding="utf-8")
    fresh.replace(file)

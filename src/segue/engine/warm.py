"""Compiles the kernel ahead of its first use: ``python -m segue.engine.warm``.

The compiled code is kept in the user's cache folder, so this is slow once for each version.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np

from segue.engine.program.compile import compile_definitions
from segue.engine.state.differences import differences
from segue.engine.state.machine import Machine
from segue.engine.state.selection import select
from segue.engine.state.splice import spliced
from segue.language.interpret import Rules
from segue.log.lane import warm as lane

NOTICE = "compiling the kernel, once: up to a minute"
"""What to tell who waits for a first start."""


def is_compiled() -> bool:
    """Whether the next start finds the kernel and the lane in the cache."""
    kernel = any(Path(numba.config.CACHE_DIR).rglob("run.*.nbc"))  # type: ignore[attr-defined]
    return kernel and lane.is_compiled()


def warm() -> float:
    """Have everything compiled; the seconds it took."""
    began = time.perf_counter()
    lane.warm()
    compiled = compile_definitions((), Rules())
    first, other = (Machine(compiled, lambda _records: None) for _ in range(2))
    first.advance(0)
    first.compact()
    joined = spliced(first, other, compiled, select(compiled, compiled))
    joined.since(np.zeros(0, np.int32), 0)
    differences(first, joined)
    return time.perf_counter() - began


def ready(say: Callable[[str], None]) -> None:
    """Have everything compiled before it is needed; ``say`` is told when that takes time."""
    if not is_compiled():
        say(NOTICE)
        warm()


if __name__ == "__main__":
    print(f"the kernel is compiled ({warm():.0f} s)")

"""Compiles the kernel ahead of its first use: ``python -m segue.engine.warm``.

The compiled code is kept in the user's cache folder, so this is slow once for each version.
"""

from __future__ import annotations

import time

from segue.engine.compile import compile_definitions
from segue.engine.machine import Machine
from segue.language.interpret import Rules


def warm() -> float:
    """Have everything compiled; the seconds it took."""
    began = time.perf_counter()
    Machine(compile_definitions((), Rules()), lambda _records: None).advance(0)
    return time.perf_counter() - began


if __name__ == "__main__":
    print(f"the kernel is compiled ({warm():.0f} s)")

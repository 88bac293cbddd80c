"""All sets, or those named: ``python -m benchmarks.ml [cdnow retail telco hillstrom rees46]``."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence

from benchmarks.figures import Figure, line
from benchmarks.ml.sets import MissingDataError

SETS = ("cdnow", "retail", "telco", "hillstrom", "rees46")
"""Modules with ``run() -> Iterable[Figure]``."""


def main(arguments: Sequence[str]) -> int:
    """Run and print; 1 if a bar is not kept, 2 without the data."""
    names = list(arguments) or list(SETS)
    if unknown := [name for name in names if name not in SETS]:
        print(f"there is no set {', '.join(unknown)}; there are {', '.join(SETS)}")
        return 2
    missed: list[Figure] = []
    for name in names:
        began = time.perf_counter()
        print(f"\n{name}", flush=True)
        try:
            for figure in importlib.import_module(f"benchmarks.ml.{name}").run():
                print(line(figure), flush=True)
                missed += [] if figure.holds else [figure]
        except MissingDataError as missing:
            print(f"  {missing}")
            return 2
        print(f"  ({time.perf_counter() - began:.0f} s)")
    print(f"\n{len(missed)} bars not kept" if missed else "\nall bars kept")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

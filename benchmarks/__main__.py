"""All benches, or those named: ``python -m benchmarks [--record] [name …]``."""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import line

BENCHES = (
    "decode", "kernel", "segments", "scale", "imports", "restart", "definitions", "live", "posts", "reads",
    "stream", "observe", "scores", "recommend", "decide", "triggers", "page"
)  # fmt: skip
"""Modules with ``run() -> Iterable[Figure]``."""

BASELINE = Path(__file__).with_name("baseline.json")


def main(arguments: Sequence[str]) -> int:
    """Run, print beside the recorded figures, record when asked; 1 if a bound is not kept."""
    record = "--record" in arguments
    names = [name for name in arguments if not name.startswith("--")] or list(BENCHES)
    if unknown := [name for name in names if name not in BENCHES]:
        print(f"there is no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}")
        return 2
    recorded = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    kept = True
    for name in names:
        print(f"\n{name}", flush=True)
        found: dict[str, dict[str, float | str]] = {}
        before = recorded.get(name, {})
        for figure in importlib.import_module(f"benchmarks.{name}").run():
            print(line(figure, before.get(figure.name, {}).get("value")), flush=True)
            found[figure.name] = {"value": float(f"{figure.value:.4g}"), "unit": figure.unit}
            kept &= figure.holds
        recorded[name] = found
    if record:
        recorded["machine"] = {"processor": platform.machine(), "cores": os.cpu_count()}
        BASELINE.write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

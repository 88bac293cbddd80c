"""A process that opens a full data folder: how soon it answers, how much it holds, how fast it previews.

``SEGUE_BENCH_EVENTS`` and ``SEGUE_BENCH_USERS`` set the size; the bounds are those of 10 million events of
1 million profiles.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.store import imported, resident_mb, size
from segue.service.service import Service

EVENTS, USERS = 1_000_000, 100_000
SECONDS_MAX, MEMORY_MB_MAX, PREVIEW_SECONDS_MAX, READ_MS_MAX = 5.0, 1_500.0, 1.0, 0.1
PREVIEWED = 'count("Product Viewed", last 30d) >= 4 and sum("Order Completed".amount) > 100'
"""Over columns that the workspace's own features keep."""
READS = 20_000
ROUNDS = 3


def opened(folder: Path) -> dict[str, float]:
    """Measured in a process of its own: seconds to open, MB, seconds of a preview, ms of a read."""
    start, used = time.perf_counter(), time.process_time()
    with Service.open(folder / "workspace", folder / "data") as service:
        opening, used = time.perf_counter() - start, time.process_time() - used
        memory = resident_mb()
        service.preview('count("Product Viewed", last 30d) >= 5')
        start = time.perf_counter()
        service.preview(PREVIEWED)
        previewing = time.perf_counter() - start
        names = [f"user-{number:07}" for number in range(0, service.status().profiles, 7)][:READS]
        reads = []
        for name in names:
            start = time.perf_counter()
            service.user(name)
            reads.append(time.perf_counter() - start)
        return {
            "opening": opening,
            "processor": used,
            "memory": memory,
            "memory after": resident_mb(),
            "previewing": previewing,
            "reading": sorted(reads)[len(reads) * 99 // 100] * 1000,
        }


def run() -> Iterator[Figure]:
    """The best of several processes, one after the other."""
    events, users = size("EVENTS", EVENTS), size("USERS", USERS)
    folder = imported(events, users)
    found = [_in_a_process(folder) for _ in range(ROUNDS)]
    best = {name: min(each[name] for each in found) for name in found[0]}
    what = f"{events:,} events, {users:,} profiles: "
    yield Figure(what + "restart from snapshot", best["opening"], "s", SECONDS_MAX)
    yield Figure(what + "restart from snapshot, processor time", best["processor"], "s")
    yield Figure(what + "resident once open", best["memory"], "MB", MEMORY_MB_MAX)
    yield Figure(what + "resident after a preview and reads", best["memory after"], "MB")
    yield Figure(what + "preview over kept features", best["previewing"], "s", PREVIEW_SECONDS_MAX)
    yield Figure(what + "a profile read, p99", best["reading"], "ms", READ_MS_MAX)


def _in_a_process(folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.restart", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    print(json.dumps(opened(Path(sys.argv[1]))))

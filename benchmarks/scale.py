"""Many at once: a million leaving in one millisecond, memory, reads, previews."""

from __future__ import annotations

import multiprocessing
import random
import re
import resource
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, best_of
from benchmarks.shop import START, Tally, batches, conditions, program
from segue.domain.time import DAY
from segue.engine.kernel import layout as k
from segue.engine.kernel.run import holders
from segue.engine.kernel.world import world_of
from segue.engine.state.machine import NOTHING, Machine

PROFILES = 1_000_000
EVENTS = 10_000_000
READS = 100_000


def leaving() -> Iterator[Figure]:
    """A million members whose window ends in the same millisecond."""
    compiled = program(['count("Seen", last 1d) >= 1'])
    code = compiled.codes.find("track", "Seen")
    tally = Tally(compiled, PROFILES)
    ops = np.zeros(PROFILES, k.OPERATION)
    ops["op"], ops["a"], ops["row"] = k.OP_EVENT, code.number, np.arange(PROFILES)
    ops["time"], ops["value"] = START + 1, np.arange(1, PROFILES + 1)
    steps = np.zeros(PROFILES, k.STEP)
    steps["op_at"], steps["op_end"] = np.arange(PROFILES), np.arange(1, PROFILES + 1)
    steps["time"], steps["seq"] = START + 1, ops["value"]
    tally.machine.run(k.Batch(steps, ops, np.zeros(1, np.int64)))
    entered = tally.changes
    start = time.perf_counter()
    tally.machine.advance(START + 1 + DAY)
    took = time.perf_counter() - start
    yield Figure("members that left at one moment", tally.changes - entered, "")
    yield Figure("until all had left", took, "s", 2.0)


def resident() -> float:
    """The most memory that this process held so far, in GB."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def full(pipe: Connection) -> None:
    """In a process of its own: a month of the shop, then reads and a preview."""
    before = resident()
    tally = Tally(program(conditions()), PROFILES)
    for batch in batches(tally.machine.compiled, PROFILES, EVENTS, 30 * DAY / EVENTS, 100_000):
        tally.machine.run(batch)
    machine = tally.machine
    figures = [
        Figure("1 M profiles, 10 M events of 30 days: peak memory", resident(), "GB", 1.5),
        Figure("of that, Python and its libraries", before, "GB"),
        Figure("entries kept", float(machine.state.registers[k.R_ENTRIES]), ""),
        Figure("memberships", float(machine.state.since_homes["count"].sum()), ""),
        *[Figure(f"state: {name}", size, "MB") for name, size in _largest(machine)],
        _reading(machine),
        *_preview(machine),
    ]
    pipe.send(figures)


def _largest(machine: Machine) -> list[tuple[str, float]]:
    sizes = [(name, array.nbytes / 1e6) for name, array in machine.state._asdict().items()]
    return sorted(sizes, key=lambda each: -each[1])[:6]


def _reading(machine: Machine) -> Figure:
    rows = random.Random(3).choices(range(PROFILES), k=READS)
    took: list[float] = []
    for row in rows:
        start = time.perf_counter()
        machine.since_of(row, machine.segments_of(row))
        took.append(time.perf_counter() - start)
    took.sort()
    return Figure("a profile read, 99th percentile", took[READS * 99 // 100] * 1e3, "ms", 0.1)


def _preview(machine: Machine) -> Iterator[Figure]:
    """Over features that exist: the machine's columns under a program with one segment more."""
    text = f"({conditions()[40]}) or ({conditions()[90]})"

    def previewed() -> None:
        compiled = program([*conditions(), text])
        holders(world_of(machine.program, machine.state, NOTHING), len(compiled.names) - 1)

    yield Figure("preview over existing features", best_of(3, previewed), "s", 1.0)


def run() -> Iterator[Figure]:
    """A million profiles."""
    yield from leaving()
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=full, args=(sending,))
    child.start()
    yield from receiving.recv()
    child.join()

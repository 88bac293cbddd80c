"""Ten thousand segments that nothing changes: what they cost an event, and how long they take to load."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from benchmarks.figures import Figure
from benchmarks.shop import START, Tally, program
from segue.domain.time import SECOND
from segue.engine.compile import Compiled
from segue.engine.kernel import layout as k

MANY, FEW = 10_000, 100
PROFILES = 10_000
BATCHES, SIZE = 40, 10_000

KINDS = {
    "idle": 'count("Never {n}") > 3 and count("Often", last 1h) >= 2',
    "idle, one event": 'count("Never") > {n} and count("Often", last 1h) >= 2',
    "idle, no event of it": 'count("Never {n}", last 7d) >= 1',
}


def often(compiled: Compiled, turn: int) -> k.Batch:
    """Events of the name that all the conditions ask about; two an hour for each profile."""
    code = compiled.codes.find("track", "Often")
    random = np.random.default_rng(turn)
    ops = np.zeros(SIZE, k.OPERATION)
    ops["op"], ops["a"] = k.OP_EVENT, code.number
    ops["row"] = random.integers(0, PROFILES, SIZE)
    ops["value"] = turn * SIZE + np.arange(1, SIZE + 1)
    ops["time"] = START + ops["value"] * (1800 * SECOND // PROFILES)
    steps = np.zeros(SIZE, k.STEP)
    steps["op_at"], steps["op_end"] = np.arange(SIZE), np.arange(1, SIZE + 1)
    steps["time"], steps["seq"] = ops["time"], ops["value"]
    return k.Batch(steps, ops, np.zeros(1, np.int64))


def compared(one: Compiled, other: Compiled) -> tuple[float, float]:
    """(ns an event of one, of the other): the best batch of each, taken in turns."""
    tallies = [Tally(one, PROFILES), Tally(other, PROFILES)]
    shortest = [float("inf"), float("inf")]
    for turn in range(BATCHES):
        for place, compiled in enumerate((one, other)):
            batch = often(compiled, turn)
            start = time.thread_time()
            tallies[place].machine.run(batch)
            shortest[place] = min(shortest[place], (time.thread_time() - start) / SIZE * 1e9)
    return shortest[0], shortest[1]


def run() -> Iterator[Figure]:
    """For each kind of idle condition."""
    moving = ['count("Often", last 1h) >= 3', 'sum("Often".amount, last 1h) > 10']
    for name, text in KINDS.items():
        few = program([*moving, *(text.format(n=n) for n in range(FEW))])
        start = time.thread_time()
        many = program([*moving, *(text.format(n=n) for n in range(MANY))])
        yield Figure(f"{name}: loading {MANY:,}", time.thread_time() - start, "s", 10.0)
        one, other = compared(few, many)
        yield Figure(f"{name}: {FEW}", one, "ns/event")
        yield Figure(f"{name}: {MANY:,}", other, "ns/event")
        yield Figure(f"{name}: {MANY:,} / {FEW}", other / one, "", 1.1)

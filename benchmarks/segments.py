"""Ten thousand segments that nothing changes: what they cost an event, and how long they take to load."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.shop import Tally, batches, program, selective
from segue.domain.time import DAY
from segue.engine.program.compile import Compiled

MANY, FEW = 10_000, 100
PROFILES = 10_000
COUNT, SIZE = 300_000, 10_000

FREQUENT = 'count("Product Viewed", last 1h) >= 2'
KINDS = {
    "many unknown events and a frequent one": 'count("Never {n}") > 3 and ' + FREQUENT,
    "one unknown event, a frequent one": 'count("Never") > {n} and ' + FREQUENT,
    "many unknown events": 'count("Never {n}", last 7d) >= 1',
}


def compared(one: Compiled, other: Compiled) -> tuple[float, float]:
    """(ns an event of one, of the other): the best batch of each, taken in turns."""
    gap = 3 * DAY / PROFILES
    tallies = [Tally(one, PROFILES), Tally(other, PROFILES)]
    shortest = [float("inf"), float("inf")]
    both = zip(
        batches(one, PROFILES, COUNT, gap, SIZE), batches(other, PROFILES, COUNT, gap, SIZE), strict=True
    )
    for turn, pair in enumerate(both):
        for place, batch in enumerate(pair):
            start = time.thread_time()
            tallies[place].machine.run(batch)
            took = (time.thread_time() - start) / SIZE * 1e9
            if turn >= COUNT // SIZE // 2:
                shortest[place] = min(shortest[place], took)
    return shortest[0], shortest[1]


def run() -> Iterator[Figure]:
    """For each kind of idle condition, beside 200 segments over 20 features."""
    for name, text in KINDS.items():
        few = program([*selective(), *(text.format(n=n) for n in range(FEW))])
        start = time.thread_time()
        many = program([*selective(), *(text.format(n=n) for n in range(MANY))])
        yield Figure(f"{name}: loading {MANY:,}", time.thread_time() - start, "s", 10.0)
        one, other = compared(few, many)
        yield Figure(f"{name}: {FEW}", one, "ns/event")
        yield Figure(f"{name}: {MANY:,}", other, "ns/event")
        yield Figure(f"{name}: {MANY:,} / {FEW}", other / one, "", 1.1)

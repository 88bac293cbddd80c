"""The kernel with 20 features and 200 segments against decoding: ns an event, steady state."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from benchmarks.decode import decoding_ns
from benchmarks.figures import Figure
from benchmarks.shop import Tally, batches, conditions, program, selective
from segue.domain.time import DAY
from segue.engine.kernel import layout as k

EVENTS_PER_PROFILE_DAY = 1 / 3


def steady(name: str, texts: Sequence[str], profiles: int, before: int, measured: int) -> Iterator[Figure]:
    """Events after enough of them that windows empty as fast as they fill, where ``before`` allows."""
    compiled = program(texts)
    tally = Tally(compiled, profiles)
    gap = DAY / (profiles * EVENTS_PER_PROFILE_DAY)
    all_batches = batches(compiled, profiles, before + measured, gap)
    shortest, changes = float("inf"), 0
    registers = tally.machine.state.registers
    done = 0
    for batch in all_batches:
        if done == before:
            changes, evaluations = tally.changes, int(registers[k.R_EVALUATIONS])
        start = time.thread_time()
        tally.machine.run(batch)
        took = time.thread_time() - start
        done += len(batch.ops)
        if done > before:
            shortest = min(shortest, took / len(batch.ops))
    made = (tally.changes - changes) / measured
    looked = (int(registers[k.R_EVALUATIONS]) - evaluations) / measured
    yield Figure(f"{name}, {profiles:,} profiles: kernel", shortest * 1e9, "ns/event")
    yield Figure(f"{name}, {profiles:,} profiles: membership changes", made, "per event")
    yield Figure(f"{name}, {profiles:,} profiles: conditions evaluated", looked, "per event")
    yield Figure(f"{name}, {profiles:,} profiles: kernel / decoding", shortest * 1e9 / decoding_ns(), "", 1.0)


def run() -> Iterator[Figure]:
    """Profiles that fit the cache, and far too many for it; segments that change seldom, and often."""
    yield Figure("features", len(program(conditions()).registry.feature_keys), "")
    for name, texts in (("selective", selective()), ("lively", conditions())):
        yield from steady(name, texts, 10_000, 300_000, 300_000)
        yield from steady(name, texts, 1_000_000, 3_000_000, 500_000)

"""Import end to end: JSON lines against decoding them, and Parquet on one core.

``durable`` stops at the log; ``with memberships`` has every event evaluated and every change stored. Ratios
are of processor time on both sides, so that neighbours on the machine do not decide them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from benchmarks.decode import decode_event
from benchmarks.figures import Figure
from benchmarks.shop import conditions
from benchmarks.store import (
    RETAIL,
    scratch,
    size,
    sparse_conditions,
    write_lines,
    write_retail,
    write_workspace,
)
from segue.ingest.files.mapping import Mapping, read_mapping
from segue.ingest.files.reading import read_file
from segue.ingest.opening import open_intake
from segue.log.batch import Stretch
from segue.log.body import decode_body
from segue.log.sqlite import SqliteLog
from segue.service.service import Service

LINES, USERS, COPIES = 150_000, 20_000, 2
RATIO_MIN, PARQUET_MIN = 0.25, 500_000.0
ROUNDS = 2


@contextmanager
def one_core() -> Iterator[None]:
    """This process and all it starts on the first core it may use."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def durable(file: Path, mapping: Mapping | None) -> dict[str, float]:
    """Events a second, by the clock and by the processor, into a log without a service."""
    with scratch() as folder, closing(SqliteLog.open(folder / "data", create=True, running="bench")) as log:
        intake = open_intake(log, None)
        accepted, wall, used = 0, time.perf_counter(), time.process_time()
        for portion in read_file(file, mapping, intake, log, "bench", 0):
            if isinstance(portion.entry, Stretch):
                log.append_stretch(portion.entry, portion.quarantined)
            elif portion.entry is not None:
                log.append([portion.entry], portion.quarantined)
            intake.settle()
            accepted += portion.tally.accepted
        wall, used = time.perf_counter() - wall, time.process_time() - used
    return {"rate": accepted / wall, "processor": accepted / used, "changes": 0.0}


def evaluated(workspace: Path, file: Path, mapping: Mapping | None) -> dict[str, float]:
    """The same into a service of its own, with every event evaluated and every change stored."""
    with scratch() as folder, Service.open(workspace, folder / "data") as service:
        wall, used = time.perf_counter(), time.process_time()
        rows = service.import_file(file, mapping, "bench", lambda _done, _total: None).accepted
        wall, used = time.perf_counter() - wall, time.process_time() - used
        changes = service.status().changes
    return {"rate": rows / wall, "processor": rows / used, "changes": changes / rows}


def best(work: Callable[[], dict[str, float]]) -> dict[str, float]:
    """The best of several runs, figure by figure."""
    found = [work() for _ in range(ROUNDS)]
    return {name: max(each[name] for each in found) for name in found[0]}


def run() -> Iterator[Figure]:
    """JSON lines, then Parquet."""
    with scratch() as folder:
        yield from _lines(folder)
        yield from _parquet(folder)


def _lines(folder: Path) -> Iterator[Figure]:
    file = write_lines(folder / "events.jsonl", size("LINES", LINES), USERS)
    lines = file.read_bytes().splitlines()
    decoders: dict[str, Callable[[bytes], object]] = {
        "typed, open objects left as text": decode_body,
        "typed, open objects too": decode_event,
        "generic": msgspec.json.decode,
    }
    sparse = write_workspace(folder / "sparse", sparse_conditions())
    dense = write_workspace(folder / "dense", conditions())
    ways = {
        "durable": best(lambda: durable(file, None)),
        "with memberships": best(lambda: evaluated(sparse, file, None)),
        "with memberships that change all the time": best(lambda: evaluated(dense, file, None)),
    }
    raw = {name: max(_decoding(one, lines) for _ in range(5)) for name, one in decoders.items()}
    yield Figure("bytes of a line", sum(map(len, lines)) / len(lines), "bytes")
    for name, rate in raw.items():
        yield Figure(f"decoding, {name}", rate, "events/s")
    for way, found in ways.items():
        yield Figure(f"JSON lines, {way}: changes", found["changes"], "per event")
        yield Figure(f"JSON lines, {way}", found["rate"], "events/s")
        yield Figure(f"JSON lines, {way}, by processor time", found["processor"], "events/s")
        for name, rate in raw.items():
            bound = RATIO_MIN if way == "with memberships" else None
            yield Figure(
                f"JSON lines, {way} / decoding, {name}", found["processor"] / rate, "", bound, at_least=True
            )


def _decoding(decode: Callable[[bytes], object], lines: list[bytes]) -> float:
    """Lines a second of processor time."""
    start = time.process_time()
    for line in lines:
        decode(line)
    return len(lines) / (time.process_time() - start)


def _parquet(folder: Path) -> Iterator[Figure]:
    file = write_retail(folder / "retail.parquet", size("COPIES", COPIES))
    mapping = read_mapping(str(RETAIL / "map.yaml"))
    with one_core():
        ways = {
            "durable": best(lambda: durable(file, mapping)),
            "with memberships": best(lambda: evaluated(RETAIL, file, mapping)),
        }
    for way, found in ways.items():
        yield Figure(f"Parquet on one core, {way}: changes", found["changes"], "per event")
        yield Figure(f"Parquet on one core, {way}", found["rate"], "events/s")
        what = f"Parquet on one core, {way}, by processor time"
        yield Figure(what, found["processor"], "events/s", PARQUET_MIN, at_least=True)

"""A real server under load: from a post to the membership it causes, and acknowledgements in a bad moment.

The server is a process of its own, this one is the client, over kept-alive loopback connections; every
time is taken by the client's own clock.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import duckdb

from benchmarks.figures import Figure
from benchmarks.store import MAPPING, scratch, segment, size, sparse_conditions, write_workspace
from segue.domain.time import HOUR
from segue.ingest.files.mapping import read_mapping
from segue.runners.serve import Started, serve
from segue.service.service import Service

RATE, SECONDS, BATCH, PROBES = 2_000, 8, 10, 20
"""Events a second, for how long, events in a post, posts a second whose effect is looked for."""
USERS = 20_000
MEMBERS = 1_000_000
VISIBLE_MS_MAX, ACKNOWLEDGED_MS_MAX = 10.0, 50.0
Took = tuple[float, float]
"""When a post began, by ``perf_counter``, and the seconds until it was answered."""
LEAD_SECONDS = 60
"""From the making of the file to the moment when all its members fall due."""


def _serving(folder: Path, tell: Connection) -> None:
    def ready(started: Started) -> None:
        tell.send(started.url)

    serve(folder / "workspace", folder / "data", port=0, clock="wall", ready=ready)


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """The port of a server over ``workspace`` and ``data`` in a folder."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serving, args=(folder, there))
    process.start()
    try:
        yield int(here.recv().rsplit(":", 1)[1])
    finally:
        process.terminate()
        process.join()


@dataclass
class Client:
    """One kept-alive connection, one request at a time."""

    port: int
    reader: asyncio.StreamReader = field(init=False)
    writer: asyncio.StreamWriter = field(init=False)

    async def open(self) -> Client:
        """Connect."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The body of the answer; ValueError if it is no 200."""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        self.writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        headers = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = int(headers.split(b"content-length:")[1].split(b"\r")[0])
        answer = await self.reader.readexactly(length)
        if not headers.startswith(b"http/1.1 200"):
            raise ValueError(f"{headers!r} {answer!r}")
        return answer


def _event(number: int, name: str, user: str) -> dict[str, object]:
    return {
        "type": "track", "event": name, "userId": user, "messageId": f"live-{number}",
        "properties": {"amount": 129.9, "currency": "EUR", "sku": f"SKU-{number % 5000:06}", "items": 3},
        "context": {"ip": "203.0.113.7", "library": {"name": "analytics.js", "version": "4.1"}},
    }  # fmt: skip


async def _load(port: int, end: float, acknowledged: list[Took], lane: int, lanes: int) -> None:
    """Batches at their share of the rate; (when, seconds until acknowledged) of each."""
    client = await Client(port).open()
    gap, number = BATCH * lanes / RATE, lane * 10_000_000
    due = time.perf_counter() + gap * lane / lanes
    while due < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        batch = [
            _event(number + at, "Product Viewed", f"user-{(number + at) * 7919 % USERS}")
            for at in range(BATCH)
        ]
        number += BATCH
        start = time.perf_counter()
        await client.ask("POST", "/v1/batch", json.dumps({"batch": batch}).encode())
        acknowledged.append((start, time.perf_counter() - start))
        due += gap


async def posts(port: int, ended: Callable[[], bool]) -> None:
    """Batches of one client, at the usual rate, until told to end."""
    client, number, due = await Client(port).open(), 500_000_000, time.perf_counter()
    while not ended():
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        batch = [_event(number + at, "Product Viewed", f"user-{at * 7919 % USERS:07}") for at in range(BATCH)]
        await client.ask("POST", "/v1/batch", json.dumps({"batch": batch}).encode())
        number, due = number + BATCH, due + BATCH / RATE


async def _probe(port: int, end: float, visible: list[float], lane: int) -> None:
    """New users whose one event makes them members; seconds from the post until a read says so."""
    client = await Client(port).open()
    number = 0
    while time.perf_counter() < end:
        number += 1
        user = f"probe-{lane}-{number}"
        body = json.dumps(_event(900_000_000 + lane * 1_000_000 + number, "Probed", user)).encode()
        start = time.perf_counter()
        await client.ask("POST", "/v1/track", body)
        while b'"probed"' not in await client.ask("GET", f"/v1/users/{user}/segments"):
            await asyncio.sleep(0.0002)
        took = time.perf_counter() - start
        visible.append(took)
        await asyncio.sleep(max(0.0, 2 / PROBES - took))


async def _under_load(port: int, seconds: float) -> tuple[list[Took], list[float]]:
    end = time.perf_counter() + seconds
    acknowledged: list[Took] = []
    visible: list[float] = []
    await asyncio.gather(
        *(_load(port, end, acknowledged, lane, 4) for lane in range(4)),
        *(_probe(port, end, visible, lane) for lane in range(2)),
    )
    return acknowledged, visible


def percentile(values: list[float], percent: int) -> float:
    """Of some seconds, in ms."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)] * 1000


def run() -> Iterator[Figure]:
    """Twenty features and two hundred segments, one more for the probes."""
    with scratch() as folder:
        write_workspace(folder / "workspace", sparse_conditions())
        _add(folder, segment("probed", 'count("Probed") > 0'))
        with server(folder) as port:
            asyncio.run(_under_load(port, 2))
            rounds = [asyncio.run(_under_load(port, SECONDS)) for _ in range(2)]
    acknowledged, visible = min(rounds, key=lambda found: percentile(found[1], 99))
    yield Figure("events a second", len(acknowledged) * BATCH / SECONDS, "events/s")
    yield Figure("post acknowledged, median", percentile([took for _, took in acknowledged], 50), "ms")
    yield Figure("post acknowledged, p99", percentile([took for _, took in acknowledged], 99), "ms")
    yield Figure("post to readable membership, median", percentile(visible, 50), "ms")
    yield Figure("post to readable membership, p99", percentile(visible, 99), "ms", VISIBLE_MS_MAX)
    yield from _all_at_once(size("MEMBERS", MEMBERS))


def _all_at_once(members: int) -> Iterator[Figure]:
    """Everyone leaves a segment in the same millisecond, while posts go on."""
    with scratch() as folder:
        write_workspace(folder / "workspace", ['count("Seen", last 1h) > 0'])
        due = time.time() + LEAD_SECONDS
        with duckdb.connect() as connection:
            connection.execute(
                f"COPY (SELECT 'm' || i AS message_id, 'user-' || i AS user_id, 'Seen' AS event,"
                f" make_timestamp({int(due * 1000) - HOUR} * 1000) AS timestamp, 1 AS amount, 'x' AS sku"
                f" FROM range({members}) t(i)) TO '{folder / 'seen.parquet'}' (FORMAT parquet)"
            )
        (folder / "map.yaml").write_text(MAPPING)
        with Service.open(folder / "workspace", folder / "data", clock="wall") as service:
            mapping = read_mapping(str(folder / "map.yaml"))
            service.import_file(folder / "seen.parquet", mapping, "x", lambda _done, _total: None)
        with server(folder) as port:
            late = time.time() - due
            moment = time.perf_counter() - late
            acknowledged, left = asyncio.run(_posting(port, max(6.0, 6.0 - late)))
    yield Figure("members due at once", members, "")
    yield Figure("server ready before they were due", -late, "s", 0.0, at_least=True)
    yield Figure("members left six seconds after", left, "", 0.0)
    during = [took for at, took in acknowledged if moment - 0.5 <= at <= moment + 4]
    yield Figure("posts meanwhile", len(during), "")
    yield Figure("post acknowledged meanwhile, median", percentile(during, 50), "ms")
    yield Figure("post acknowledged meanwhile, p99", percentile(during, 99), "ms", ACKNOWLEDGED_MS_MAX)
    yield Figure("post acknowledged meanwhile, longest", max(during) * 1000, "ms")


async def _posting(port: int, seconds: float) -> tuple[list[Took], int]:
    """How the posts fared, and how many members were left in the end."""
    end = time.perf_counter() + seconds
    acknowledged: list[Took] = []
    await asyncio.gather(*(_load(port, end, acknowledged, lane, 4) for lane in range(4)))
    client = await Client(port).open()
    left: int = json.loads(await client.ask("GET", "/v1/segments/s000"))["members"]
    return acknowledged, left


def _add(folder: Path, definition: dict[str, str]) -> None:
    (folder / "workspace/segments" / f"{definition['segment']}.json").write_text(json.dumps(definition))

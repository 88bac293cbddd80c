"""Reads of one user's segments over HTTP, beside a bare server that answers a constant of the same size.

The load generator shares the machine's cores with the server. ``wrk`` when it is there; it costs a
quarter of what a client in Python costs, which would measure itself.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from benchmarks.figures import Figure
from benchmarks.live import Client, percentile, posts, server
from benchmarks.store import imported, scratch, size

USERS, EVENTS = 20_000, 200_000
CONNECTIONS, SECONDS, ROUNDS = 32, 4, 3
READS_MIN, P99_MS_MAX, RATIO_MIN = 10_000, 5.0, 0.5

SCRIPT = """
local number = 0
request = function()
  number = number + 7919
  return wrk.format("GET", string.format("/v1/users/user-%07d/segments", number % {users}))
end
"""


@dataclass(frozen=True)
class Load:
    """What a round of reading came to."""

    rate: float
    p99_ms: float


def constant(body: bytes) -> Callable[..., Awaitable[None]]:
    """The least an ASGI application can do."""
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))],
    }
    rest = {"type": "http.response.body", "body": body}

    async def application(_scope: Any, _receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        await send(start)
        await send(rest)

    return application


def _bare(body: bytes, listener: socket.socket) -> None:
    config = uvicorn.Config(
        constant(body), http="httptools", lifespan="off", log_config=None, access_log=False, ws="none"
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve([listener]))


@contextmanager
def bare(body: bytes) -> Iterator[int]:
    """The port of a server that answers this and nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = multiprocessing.get_context("spawn").Process(target=_bare, args=(body, listener))
        process.start()
        try:
            yield listener.getsockname()[1]
        finally:
            process.terminate()
            process.join()


def loaded(port: int, folder: Path) -> Load:
    """A round of reads, each of another user."""
    if shutil.which("wrk") is None:
        return asyncio.run(_read(port))
    script = folder / "read.lua"
    script.write_text(SCRIPT.format(users=USERS))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", str(script)]
    said = subprocess.run(
        [*command, f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in said:
        raise ValueError(said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    late = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert rate is not None
    assert late is not None
    return Load(float(rate[1]), float(late[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[late[2]])


async def _read(port: int) -> Load:
    took: list[float] = []
    end = time.perf_counter() + SECONDS

    async def lane(number: int) -> None:
        client = await Client(port).open()
        while (start := time.perf_counter()) < end:
            number += 7919
            await client.ask("GET", f"/v1/users/user-{number % USERS:07}/segments")
            took.append(time.perf_counter() - start)

    await asyncio.gather(*(lane(each) for each in range(CONNECTIONS)))
    return Load(len(took) / SECONDS, percentile(took, 99))


@contextmanager
def posting(port: int) -> Iterator[None]:
    """Events go in meanwhile, 2,000 a second."""
    done = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(posts(port, done.is_set)))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def run() -> Iterator[Figure]:
    """Two hundred segments over twenty features; no answer is asked for twice in a row."""
    folder = imported(size("READ_EVENTS", EVENTS), USERS)
    with scratch() as place, server(folder) as port:
        body = asyncio.run(_one(port))
        with bare(body) as other:
            asyncio.run(_one(other))
            rounds = [(loaded(port, place), loaded(other, place)) for _ in range(ROUNDS)]
        with posting(port):
            busy = loaded(port, place)
    best = max((ours for ours, _ in rounds), key=lambda load: load.rate)
    constant_rate = max(theirs.rate for _, theirs in rounds)
    yield Figure("bytes of an answer", len(body), "B")
    yield Figure("reads of a user's segments", best.rate, "reads/s", READS_MIN, at_least=True)
    yield Figure("read, p99", min(ours.p99_ms for ours, _ in rounds), "ms", P99_MS_MAX)
    yield Figure("a bare server with a constant of that size", constant_rate, "reads/s")
    yield Figure(
        "ours as a share of the bare server's", best.rate / constant_rate, "", RATIO_MIN, at_least=True
    )
    yield Figure("reads while 2,000 events/s come in", busy.rate, "reads/s")
    yield Figure("read meanwhile, p99", busy.p99_ms, "ms")


async def _one(port: int) -> bytes:
    return await (await Client(port).open()).ask("GET", "/v1/users/user-0000001/segments")

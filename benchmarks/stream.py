"""Changes on the wire: from a post to the message that its event causes, and what open connections cost.

The server, the listeners and the poster are processes of their own; all clocks are the machine's one.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.live import Client, percentile, server
from benchmarks.store import scratch, segment, size, sparse_conditions, write_workspace

RATE, SECONDS, BATCH, LANES = 2_000, 10, 10, 4
"""Events a second, for how long, events in a post, connections that post."""
LISTENERS, USERS, OPEN = 1_000, 20_000, 10_000
LATENCY_MS_MAX, OPEN_MB_MAX, PATIENCE_SECONDS = 10.0, 1_000.0, 60
_HANDSHAKE = (
    "GET /v1/stream?user_id={user} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_MARK = b'"message_id":"s-'


class Ear(asyncio.Protocol):
    """One WebSocket that notes when the message of an event came, and answers pings."""

    def __init__(self, user: str, heard: dict[int, float], joined: asyncio.Semaphore) -> None:
        self._user = user
        self._heard = heard
        self._joined = joined
        self._buffer = b""
        self._opened = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(_HANDSHAKE.format(user=self._user).encode())

    def data_received(self, data: bytes) -> None:
        """Take all frames that are there in full; a server's are not masked."""
        now = time.perf_counter()
        self._buffer += data
        if not self._opened:
            _, ended, rest = self._buffer.partition(b"\r\n\r\n")
            if not ended:
                return
            self._opened, self._buffer = True, rest
        while len(self._buffer) >= 4:
            start, size = 2, self._buffer[1]
            if size == 126:
                start, size = 4, int.from_bytes(self._buffer[2:4])
            if len(self._buffer) < start + size:
                return
            kind, body = self._buffer[0] & 15, self._buffer[start : start + size]
            self._buffer = self._buffer[start + size :]
            self._take(kind, body, now)

    def _take(self, kind: int, body: bytes, now: float) -> None:
        if kind == 9:
            self._transport.write(bytes((0x8A, 0x80 | len(body), 0, 0, 0, 0)) + body)
        elif _MARK in body:
            part = body.split(_MARK)[1]
            self._heard.setdefault(int(part[: part.index(b'"')]), now)
        elif b'"listening"' in body:
            self._joined.release()


async def _listen(port: int, count: int, pipe: Connection) -> None:
    loop, heard, joined = asyncio.get_running_loop(), dict[int, float](), asyncio.Semaphore(0)
    for number in range(count):
        await loop.create_connection(partial(Ear, f"user-{number}", heard, joined), "127.0.0.1", port)
        await joined.acquire()
    pipe.send("listening")
    while await loop.run_in_executor(None, pipe.recv) != "enough":
        pipe.send(dict(heard))


def _listening(port: int, count: int, pipe: Connection) -> None:
    _many_files()
    asyncio.run(_listen(port, count, pipe))


def _event(number: int, each: int, turned: dict[int, bool]) -> dict[str, object]:
    """One in ``each`` is of somebody who is listened to, and makes them enter or leave."""
    if number % each:
        return {
            "type": "track", "event": "Product Viewed", "userId": f"user-{LISTENERS + number * 7919 % USERS}",
            "messageId": f"s-{number}", "properties": {"amount": 129.9, "sku": f"SKU-{number % 5000:06}"},
        }  # fmt: skip
    who = number // each % LISTENERS
    turned[who] = not turned.get(who, False)
    return {
        "type": "track", "event": "Turned", "userId": f"user-{who}", "messageId": f"s-{number}",
        "properties": {"side": "left" if turned[who] else "right"},
    }  # fmt: skip


@dataclass
class Sent:
    """When each event was sent, by its number, and how many seconds each post took to be acknowledged.

    ``turned`` says who is on the left side now.
    """

    turned: dict[int, bool]

    at: dict[int, float] = field(default_factory=dict)
    acknowledged: list[float] = field(default_factory=list)


async def _post(port: int, first: int, end: float, each: int, lane: int, sent: Sent) -> None:
    client, gap = await Client(port).open(), BATCH * LANES / RATE
    number, due = first + lane * BATCH, time.perf_counter() + gap * lane / LANES
    while due < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        body = json.dumps({"batch": [_event(number + at, each, sent.turned) for at in range(BATCH)]}).encode()
        start = time.perf_counter()
        sent.at.update(dict.fromkeys(range(number, number + BATCH), start))
        await client.ask("POST", "/v1/batch", body)
        sent.acknowledged.append(time.perf_counter() - start)
        number, due = number + BATCH * LANES, due + gap


async def _load(port: int, first: int, seconds: float, each: int, turned: dict[int, bool]) -> Sent:
    sent = Sent(turned)
    end = time.perf_counter() + seconds
    await asyncio.gather(*(_post(port, first, end, each, lane, sent) for lane in range(LANES)))
    return sent


def _latencies(port: int, first: int, each: int, turned: dict[int, bool]) -> tuple[list[float], list[float]]:
    """Seconds from each post to its change at the listener, and to its acknowledgement.

    ValueError when a change never came.
    """
    here, there = multiprocessing.Pipe()
    listeners = multiprocessing.get_context("spawn").Process(target=_listening, args=(port, LISTENERS, there))
    listeners.start()
    here.recv()
    sent = asyncio.run(_load(port, first, SECONDS, each, turned))
    wanted = [number for number in sent.at if number % each == 0]
    heard: dict[int, float] = {}
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and not all(number in heard for number in wanted):
        time.sleep(1)
        here.send("so far")
        heard = here.recv()
    here.send("enough")
    listeners.join()
    missing = [number for number in wanted if number not in heard]
    if missing:
        raise ValueError(f"{len(missing)} of {len(wanted)} changes never came")
    return [heard[number] - sent.at[number] for number in wanted], sent.acknowledged


def _resident_mb(port: int) -> float:
    """Of the one server whose socket listens there, by its own word."""
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        pid = line.parent.name
        try:
            is_child = "multiprocessing" in line.read_text()
            tables = (line.parent / "net" / "tcp").read_text() if is_child else ""
        except OSError:
            continue
        if is_child and _holds(pid, port, tables):
            return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
    raise ValueError("no such server")


def _holds(pid: str, port: int, tables: str) -> bool:
    inodes = {row.split()[9] for row in tables.splitlines()[1:] if row.split()[1].endswith(f":{port:04X}")}
    held = (str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir())
    return any(f"socket:[{inode}]" in held for inode in inodes if inode != "0")


def _many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _opened(port: int, count: int) -> float:
    """MB that the server holds with so many open connections, nobody of whom hears anything."""
    here, there = multiprocessing.Pipe()
    listeners = multiprocessing.get_context("spawn").Process(target=_listening, args=(port, count, there))
    listeners.start()
    here.recv()
    found = _resident_mb(port)
    here.send("enough")
    listeners.join()
    return found


def run() -> Iterator[Figure]:
    """Twenty features and two hundred segments beside the one that changes."""
    _many_files()
    with scratch() as folder:
        write_workspace(folder / "workspace", sparse_conditions())
        turning = folder / "workspace" / "segments" / "turned.yaml"
        turning.write_text(json.dumps(segment("turned", 'latest("Turned".side) == "left"')), encoding="utf-8")
        with server(folder) as port:
            turned: dict[int, bool] = {}
            asyncio.run(_load(port, 1, 2, 1_000_000, turned))
            first = 1_000_000
            for each, name in ((10, "one event in ten"), (1, "each event")):
                rounds = [_latencies(port, first + part * 1_000_000, each, turned) for part in range(2)]
                first += 2_000_000
                found, acknowledged = min(rounds, key=lambda taken: percentile(taken[0], 99))
                yield Figure(f"{name} heard of: changes a second", len(found) / SECONDS, "changes/s")
                yield Figure(f"{name} heard of: post to change, median", percentile(found, 50), "ms")
                bound = LATENCY_MS_MAX if each > 1 else None
                yield Figure(f"{name} heard of: post to change, p99", percentile(found, 99), "ms", bound)
                yield Figure(f"{name} heard of: post acknowledged, p99", percentile(acknowledged, 99), "ms")
            before, count = _resident_mb(port), size("OPEN", OPEN)
            opened = _opened(port, count)
    yield Figure("open connections", count, "")
    yield Figure("resident with them", opened, "MB", OPEN_MB_MAX)
    yield Figure("a connection", (opened - before) * 1e3 / count, "KB")

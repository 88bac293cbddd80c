"""From a post to the message that its event fires, in a real RabbitMQ and at a webhook.

The server, the broker, the receivers and the poster are processes of their own; all clocks are the machine's
one. What is timed ends with the receiver having the message, which is later than its being published.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

import aio_pika
import pytest
from tests.deliver.sinks.brokers import LOOPBACK, RabbitServer

from benchmarks.figures import Figure
from benchmarks.live import percentile, server
from benchmarks.store import scratch, segment, sparse_conditions, write_workspace
from benchmarks.stream import PATIENCE_SECONDS, SECONDS, _load

LATENCY_MS_MAX = 20.0
Receiving = Callable[[int, Connection], None]


def _number(body: str) -> int:
    """Which of the posted events a message is about."""
    return int(json.loads(body)["cause"]["message_id"].removeprefix("s-"))


def _taking_from_rabbit(port: int, pipe: Connection) -> None:
    heard: dict[int, float] = {}

    async def take() -> None:
        connection = await aio_pika.connect(f"amqp://guest:guest@{LOOPBACK}:{port}/")
        channel = await connection.channel()
        await channel.set_qos(1_000)
        exchange = await channel.declare_exchange("segue", aio_pika.ExchangeType.TOPIC)
        queue = await channel.declare_queue("bench")
        await queue.bind(exchange, "#")

        async def heard_of(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            now = time.perf_counter()
            heard.setdefault(_number(message.body.decode()), now)
            await message.ack()

        await queue.consume(heard_of)
        pipe.send("listening")
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, pipe.recv) != "enough":
            pipe.send(dict(heard))
        await connection.close()

    asyncio.run(take())


def _taking_posts(port: int, pipe: Connection) -> None:
    heard: dict[int, float] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            heard.setdefault(_number(body), time.perf_counter())
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name it overrides
            """Says nothing."""

    listener = ThreadingHTTPServer((LOOPBACK, port), Handler)
    Thread(target=listener.serve_forever, daemon=True).start()
    pipe.send("listening")
    while pipe.recv() != "enough":
        pipe.send(dict(heard))


class Receiver:
    """A process that notes when it had which message."""

    def __init__(self, taking: Receiving, port: int) -> None:
        self._pipe, there = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=taking, args=(port, there))
        self._process.start()
        self._pipe.recv()

    def heard(self, wanted: list[int]) -> dict[int, float]:
        """When each message came; ValueError when one never did."""
        end, found = time.monotonic() + PATIENCE_SECONDS, dict[int, float]()
        while time.monotonic() < end and not all(number in found for number in wanted):
            time.sleep(0.5)
            self._pipe.send("so far")
            found = self._pipe.recv()
        missing = [number for number in wanted if number not in found]
        if missing:
            raise ValueError(f"{len(missing)} of {len(wanted)} messages never came")
        return found

    def close(self) -> None:
        """End the process."""
        self._pipe.send("enough")
        self._process.join()


def _write(folder: Path, rabbit: int, hook: int) -> None:
    """A workspace that tells both ends whenever somebody turns."""
    workspace = write_workspace(folder, sparse_conditions())
    turned = segment("turned", 'latest("Turned".side) == "left"')
    (workspace / "segments" / "turned.yaml").write_text(json.dumps(turned), encoding="utf-8")
    said = {"owner": "bench@shop.example", "description": "A bench."}
    ends: list[dict[str, object]] = [
        {"destination": "queue", "kind": "rabbitmq", "address": f"amqp://{LOOPBACK}:{rabbit}", **said},
        {"destination": "hook", "kind": "webhook", "address": f"http://{LOOPBACK}:{hook}/", **said},
    ]
    ends[0] |= {"exchange": "segue", "username": "RABBIT_USER", "password": "RABBIT_PASSWORD"}
    ends[1] |= {"secrets": ["HOOK_SECRET"]}
    trigger = {"trigger": "turns", "on": 'segment("turned") entered or left', "to": ["queue", "hook"], **said}
    for kind, definitions in (("destinations", ends), ("triggers", [trigger])):
        (workspace / kind).mkdir()
        (workspace / kind / "bench.yaml").write_text(json.dumps(definitions), encoding="utf-8")


def _rounds(port: int, ends: dict[str, Receiver]) -> Iterator[Figure]:
    turned: dict[int, bool] = {}
    asyncio.run(_load(port, 1, 2, 1_000_000, turned))
    first = 1_000_000
    for each, name in ((10, "one event in ten fires"), (2, "every second event fires")):
        found: dict[str, list[list[float]]] = {end: [] for end in ends}
        for _ in range(2):
            sent = asyncio.run(_load(port, first, SECONDS, each, turned))
            wanted = [number for number in sent.at if number % each == 0]
            for end, receiver in ends.items():
                heard = receiver.heard(wanted)
                found[end].append([heard[number] - sent.at[number] for number in wanted])
            first += 1_000_000
        for end, rounds in found.items():
            best = min(rounds, key=lambda taken: percentile(taken, 99))
            bound = LATENCY_MS_MAX if each == 10 else None
            yield Figure(f"{name}: messages a second", len(best) / SECONDS, "/s")
            yield Figure(f"{name}: post to message, {end}, median", percentile(best, 50), "ms")
            yield Figure(f"{name}: post to message, {end}, p99", percentile(best, 99), "ms", bound)


def run() -> Iterator[Figure]:
    """Two thousand events a second; nothing where there is no RabbitMQ."""
    with scratch() as folder, pytest.MonkeyPatch.context() as environment:
        (folder / "rabbit").mkdir()
        try:
            broker = RabbitServer(folder / "rabbit")
        except pytest.skip.Exception as missing:
            print(f"  left out: {missing}")
            return
        broker.start()
        try:
            with ThreadingHTTPServer((LOOPBACK, 0), BaseHTTPRequestHandler) as free:
                hook = free.server_port
            ends = {
                "RabbitMQ": Receiver(_taking_from_rabbit, broker.port),
                "webhook": Receiver(_taking_posts, hook),
            }
            names = {
                "RABBIT_USER": "guest",
                "RABBIT_PASSWORD": "guest",
                "HOOK_SECRET": "a secret of this bench",
            }
            for name, value in {**names, "SEGUE_PRIVATE_TARGETS": f"{LOOPBACK}/32"}.items():
                environment.setenv(name, value)
            _write(folder / "workspace", broker.port, hook)
            with server(folder) as port:
                yield from _rounds(port, ends)
            for end in ends.values():
                end.close()
        finally:
            broker.end()

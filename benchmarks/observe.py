"""What observing costs: the calls that record a post, beside all that is done for it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.store import scratch, sparse_conditions, write_workspace
from segue.ingest.decode import decode_batch
from segue.observe import recording
from segue.service.service import Service

POSTS, ROUNDS = 300, 7
SHARE_MAX = 0.02


def _body(number: int, events: int) -> bytes:
    batch = [
        {
            "type": "track", "event": "Product Viewed", "userId": f"user-{(number + at) * 7919 % 20_000}",
            "messageId": f"o-{number + at}", "properties": {"amount": 129.9, "sku": f"SKU-{at:06}"},
        }
        for at in range(events)
    ]  # fmt: skip
    return json.dumps({"batch": batch}).encode()


def _seconds(service: Service, numbers: Iterator[int], events: int) -> float:
    """Of all the process's threads, for some posts one after the other, with what a door records of each."""
    bodies = [_body(next(numbers) * events, events) for _ in range(POSTS)]
    start = time.process_time()
    for body in bodies:
        service.post(decode_batch(body), "bench").result()
        recording.answered("/v1/batch", "POST", 200, 0.001)
    service.core.drain()
    return time.process_time() - start


def _recorded_alone(events: int) -> float:
    """Seconds of the calls that one post makes, by themselves."""
    start = time.thread_time()
    for _ in range(10_000):
        recording.taken((("bench", "accepted", events),))
        recording.durable((start,))
        recording.evaluated(start)
        recording.answered("/v1/batch", "POST", 200, 0.001)
    return (time.thread_time() - start) / 10_000


def run() -> Iterator[Figure]:
    """Posts of one event, which suffer most, and of a hundred."""
    for events in (1, 100):
        with scratch() as folder:
            write_workspace(folder / "workspace", sparse_conditions())
            with Service.open(Path(folder / "workspace"), folder / "data", clock="wall") as service:
                service.start()
                numbers = count()
                _seconds(service, numbers, events)
                least = min(_seconds(service, numbers, events) for _ in range(ROUNDS))
        name = f"posts of {events}"
        yield Figure(f"{name}: processor time", least / POSTS * 1e6, "us/post")
        share = _recorded_alone(events) / (least / POSTS)
        yield Figure(f"{name}: share of the calls that record", share, "", SHARE_MAX)

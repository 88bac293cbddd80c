"""A new segment over a full log while events keep flowing: how soon it is live, what posts notice of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.live import percentile
from benchmarks.store import imported, segment, size
from segue.ingest.decode import decode_single
from segue.service.service import Service

EVENTS, USERS = 1_000_000, 100_000
POSTS_A_SECOND = 200
SECONDS_MAX = 10.0
ADDED = {
    "over kept features": 'count("Product Viewed", last 7d) >= 4 and sum("Order Completed".amount) > 500',
    "over a new feature": 'count("Order Completed" where amount > 150, last 14d) >= 2',
}


@contextmanager
def flowing(service: Service, acknowledged: list[float]) -> Iterator[None]:
    """Posts at a steady rate beside; seconds until each was acknowledged."""
    ended = threading.Event()

    def post() -> None:
        number = 0
        while not ended.wait(1 / POSTS_A_SECOND):
            number += 1
            user = f"user-{number % USERS:07}"
            said = {"userId": user, "event": "Product Viewed", "properties": {"amount": 12.5, "sku": "SKU-1"}}
            start = time.perf_counter()
            service.post(decode_single(json.dumps(said).encode(), "track"), "live").result()
            acknowledged.append(time.perf_counter() - start)

    thread = threading.Thread(target=post)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def run() -> Iterator[Figure]:
    """Each kind of new segment added to what is there, then taken away again."""
    events, users = size("EVENTS", EVENTS), size("USERS", USERS)
    yield from measured(imported(events, users), f"{events:,} events, {users:,} profiles: ")


def measured(folder: Path, what: str) -> Iterator[Figure]:
    """The figures of one folder, whose workspace is left as it was."""
    added = folder / "workspace/segments/added.json"
    with Service.open(folder / "workspace", folder / "data") as service:
        service.start()
        for kind, when in ADDED.items():
            acknowledged: list[float] = []
            with flowing(service, acknowledged):
                added.write_text(json.dumps(segment("added", when)))
                start, used = time.perf_counter(), time.process_time()
                service.apply()
                took, used = time.perf_counter() - start, time.process_time() - used
            members = service.segment("added").members
            added.unlink()
            service.apply()
            yield Figure(what + f"new segment {kind} live after", took, "s", SECONDS_MAX)
            yield Figure(what + "processor time meanwhile, posts included", used, "s")
            yield Figure(what + "its members", members, "")
            yield Figure(what + "posts acknowledged meanwhile, p99", percentile(acknowledged, 99), "ms")

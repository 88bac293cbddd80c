"""Decisions: in the process, and over HTTP with and without their record, beside events that come in.

The server is a process of its own; every time is taken by the client's own clock.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.live import Client, percentile, server
from benchmarks.reads import posting
from benchmarks.shop import selective
from benchmarks.store import imported, scratch, size
from segue.experiences.asked import Asked, asked
from segue.experiences.deciding import Deciding
from segue.experiences.remembering import Answers
from segue.service.service import Service

USERS, EVENTS = 20_000, 200_000
SLOTS, VARIANTS = 10, 8
ASKED = 5_000
RATE, SECONDS = 500, 8
"""Questions a second over eight connections."""
LANES, WARMING = 8, 200
P99_MS_MAX, RECORDED_P99_MS_MAX = 10.0, 20.0
CONTEXT = {"page": {"path": "/shoes"}, "device": "mobile", "locale": "de-AT"}


def write_experiences(folder: Path) -> None:
    """Ten slots of eight variants: conditions, devices, draws, a cap and a holdout in each."""
    conditions = selective()
    found = []
    for slot in range(SLOTS):
        variants = [
            {
                "variant": f"v{at}", "priority": VARIANTS - at,
                "audience": f'request.device == "mobile" and {conditions[slot * VARIANTS + at]}',
                "payload": {"title": f"Variant {at}", "image": f"/img/{slot}/{at}.jpg"},
            }
            for at in range(VARIANTS - 2)
        ]  # fmt: skip
        variants[0]["cap"] = "3 per 7d"
        variants += [{"variant": name, "weight": 50, "payload": {"title": name}} for name in ("calm", "loud")]
        found.append(
            {
                "experience": f"e{slot}", "owner": "bench@shop.example", "description": "Measured.",
                "slot": f"s{slot}", "holdout": 0.1, "fallback": {}, "variants": variants,
            }
        )  # fmt: skip
    (folder / "experiences").mkdir()
    (folder / "experiences/all.json").write_text(json.dumps(found))


def question(number: int, record: bool = False, **more: object) -> dict[str, object]:
    """Two slots of one user's page."""
    slots = [f"s{number % SLOTS}", f"s{(number + 3) % SLOTS}"]
    user = f"user-{number * 7919 % USERS:07}"
    return {"user_id": user, "slots": slots, "context": CONTEXT, "record": record, **more}


def _each(questions: list[Asked], answer: Callable[[Asked], object]) -> list[float]:
    took = []
    for each in questions:
        start = time.perf_counter()
        answer(each)
        took.append(time.perf_counter() - start)
    return took


def _within(folder: Path) -> Iterator[Figure]:
    """In the process: decided anew, kept and given again, and with recent events."""
    with Service.open(folder / "workspace", folder / "data") as service:
        deciding, answers = Deciding(service.core), Answers(service.core)
        questions = [asked(question(number)) for number in range(ASKED)]
        anew = _each(questions, deciding.decide)
        for each in questions:
            answers.answer(each, False)
        kept = _each(questions, lambda each: answers.fresh(each, False) or answers.answer(each, False))
        recent = [{"event": "Product Viewed", "properties": {"sku": "SKU-000001"}}]
        with_events = [asked(question(number, events=recent)) for number in range(500)]
        tried = _each(with_events, deciding.decide)
        told_apart = [{**recent[0], "messageId": "m"}]
        slow = _each([asked(question(number, events=told_apart)) for number in range(30)], deciding.decide)
    yield Figure("two slots decided anew, median", percentile(anew, 50) * 1e3, "us")
    yield Figure("the same, p99", percentile(anew, 99) * 1e3, "us")
    yield Figure("the same from what is kept, median", percentile(kept, 50) * 1e3, "us")
    yield Figure("the same, p99", percentile(kept, 99) * 1e3, "us")
    yield Figure("with a recent event, tried on a copy of the profile, median", percentile(tried, 50), "ms")
    yield Figure("the same, p99", percentile(tried, 99), "ms")
    yield Figure(
        "with a recent event that has an id, by the log's history, median", percentile(slow, 50), "ms"
    )


async def _asking(port: int, record: bool) -> list[float]:
    """Questions at their rate, each of another user; a late answer delays only its own lane."""
    warm = await Client(port).open()
    for number in range(WARMING):
        await warm.ask("POST", "/v1/decide", json.dumps(question(number, record)).encode())
    took: list[float] = []
    end = time.perf_counter() + SECONDS

    async def lane(number: int) -> None:
        client = await Client(port).open()
        gap = LANES / RATE
        due = time.perf_counter() + gap * number / LANES
        at = number
        while due < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            body = json.dumps(question(at, record)).encode()
            await client.ask("POST", "/v1/decide", body)
            # From when it was due: a server that stalls is not asked less.
            took.append(time.perf_counter() - due)
            at, due = at + LANES, due + gap

    await asyncio.gather(*(lane(each) for each in range(LANES)))
    return took


def run() -> Iterator[Figure]:
    """Ten slots of eight variants beside two hundred segments."""
    with scratch() as folder:
        shutil.copytree(imported(size("DECIDE_EVENTS", EVENTS), USERS), folder / "shop")
        shop = folder / "shop"
        write_experiences(shop / "workspace")
        yield from _within(shop)
        with server(shop) as port:
            quiet = asyncio.run(_asking(port, record=False))
            recorded = asyncio.run(_asking(port, record=True))
            with posting(port):
                busy = asyncio.run(_asking(port, record=False))
                both = asyncio.run(_asking(port, record=True))
    asks = f"{RATE} questions/s"
    yield Figure(f"decide over HTTP, {asks}, median", percentile(quiet, 50), "ms")
    yield Figure("the same, p99", percentile(quiet, 99), "ms", P99_MS_MAX)
    yield Figure("recorded before it is answered, median", percentile(recorded, 50), "ms")
    yield Figure("the same, p99", percentile(recorded, 99), "ms", RECORDED_P99_MS_MAX)
    yield Figure("while 2,000 events/s come in, p99", percentile(busy, 99), "ms", P99_MS_MAX)
    yield Figure("recorded meanwhile, p99", percentile(both, 99), "ms", RECORDED_P99_MS_MAX)

"""From a click in a page to the page that follows it: the example shop in a real browser.

The click, the banner and the clock are all in the page, so the time holds everything between: what the
tracker waits for more events to send along, the way to the server, durability, evaluation, the push, and the
change. Others' events are there to see what they cost; the bound is for a shop of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from tests.api.serving import eventually
from tests.browser.chromium import Tab, chromium, found
from tests.browser.personal import visible
from tests.browser.shopping import MEASURED, Demo, demo

from benchmarks.figures import Figure
from benchmarks.live import percentile
from benchmarks.store import scratch

CLICKS, MS_MAX = 100, 300.0
POSTED, PAUSE_SECONDS = 10, 0.01
"""Beside the visitor, others send this many events at once, with this pause between their posts."""


def run() -> Iterator[Figure]:
    """The middle and the slowest of a hundred clicks, alone and while others are busy."""
    if found() is None:
        return
    with scratch() as folder, demo(folder) as shop, chromium() as browser, browser.visitor():
        tab = shop.visit(browser)
        yield from _figures("click to banner", _clicks(tab), MS_MAX)
        with _others(shop) as sent:
            yield from _figures("the same while others are busy", _clicks(tab))
        yield Figure("events of others meanwhile", sum(sent), "")


def _figures(name: str, times: list[float], most: float | None = None) -> Iterator[Figure]:
    yield Figure(f"{name}, median", percentile(times, 50), "ms")
    yield Figure(f"{name}, p99", percentile(times, 99), "ms", most)


def _clicks(tab: Tab) -> list[float]:
    times = []
    for _ in range(CLICKS):
        times.append(tab.run(MEASURED)["ms"] / 1_000)
        tab.run("document.querySelector('#empty').click()")
        eventually(lambda: not visible(tab, "#basket-banner"))
    return times


@contextmanager
def _others(shop: Demo) -> Iterator[list[int]]:
    """Visitors who look at things, until the block ends; how many events were taken."""
    ending = threading.Event()
    sent: list[int] = []

    def post() -> None:
        properties = {"product_id": "22423", "category": "baking", "price": 12.75}
        with httpx.Client(base_url=shop.server.http.base_url) as client:
            while not ending.wait(PAUSE_SECONDS):
                events = [
                    {"type": "track", "userId": f"other-{(len(sent) * POSTED + n) % 5_000}",
                     "event": "Product Viewed", "properties": properties}
                    for n in range(POSTED)
                ]  # fmt: skip
                assert client.post("/v1/batch", json={"batch": events}).status_code == 200
                sent.append(POSTED)

    thread = threading.Thread(target=post)
    thread.start()
    try:
        yield sent
    finally:
        ending.set()
        thread.join()

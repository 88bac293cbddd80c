"""How things that happen are written into the metrics, at little cost and with a bounded number of labels."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache

from prometheus_client import Counter, Histogram

from segue.observe import metrics

SOURCES_MAX = 100
"""Sources that have a line of their own; a stranger who invents write keys must not invent lines."""
OTHERS = "other"
_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}
_sources: set[str] = set()


def taken(counts: Iterable[tuple[str, str, int]]) -> None:
    """Events that are on disk or were let go: (source, outcome, how many)."""
    for source, outcome, count in counts:
        _events(_bounded(source), outcome).inc(count)


def _bounded(source: str) -> str:
    if source not in _sources:
        if len(_sources) >= SOURCES_MAX:
            return OTHERS
        _sources.add(source)
    return source


@lru_cache(maxsize=8 * SOURCES_MAX)
def _events(source: str, outcome: str) -> Counter:
    return metrics.EVENTS.labels(source, outcome)


def durable(received: Iterable[float]) -> None:
    """Posts are on disk that were received at these moments of ``time.perf_counter``."""
    now = time.perf_counter()
    for moment in received:
        metrics.DURABLE.observe(now - moment)


def evaluated(received: float) -> None:
    """The changes of posts are stored, the first of which was received then."""
    metrics.EVALUATED.observe(time.perf_counter() - received)


def pushed(at: int, count: int) -> None:
    """So many changes were handed to listeners, the first true since ``at`` (ms by the wall clock)."""
    metrics.PUSHED.observe(max(0.0, time.time() - at / 1000))
    metrics.CHANGES_PUSHED.inc(count)


def answered(route: str, method: str, status: int, seconds: float | None) -> None:
    """A request has its answer; without ``seconds`` it is one that goes on."""
    _requests(route, method if method in _METHODS else OTHERS, status).inc()
    if seconds is not None:
        _request_seconds(route).observe(seconds)


@lru_cache(maxsize=4096)
def _requests(route: str, method: str, status: int) -> Counter:
    return metrics.REQUESTS.labels(route, method, str(status))


@lru_cache(maxsize=1024)
def _request_seconds(route: str) -> Histogram:
    return metrics.REQUEST_SECONDS.labels(route)

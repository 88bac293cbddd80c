"""What a cache still has to hear: bounded, complete, and never in the engine's way."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from segue.deliver import pending
from segue.deliver.pending import Pending
from segue.deliver.purge import Purger
from segue.deliver.tags import EVERYTHING, Tags
from segue.log.changes import ChangeColumns
from segue.observe import metrics


def changes(rows: list[int], names: list[str]) -> ChangeColumns:
    count = len(rows)
    return ChangeColumns(
        first_seq=1,
        names=names,
        rows=np.array(rows, np.int32),
        segments=np.arange(count, dtype=np.int32) % len(names),
        entered=np.ones(count, np.bool_),
        at=np.zeros(count, np.int64),
        causes=np.zeros(count, np.uint8),
        event_seqs=np.full(count, -1, np.int64),
    )


class Listening:
    """A cache that writes down what it is told; it refuses for as long as it is told to."""

    def __init__(self) -> None:
        self.heard: list[list[str]] = []
        self.methods: set[str] = set()
        self.refusing = False
        self.refused = 0
        self.free = threading.Event()
        self.free.set()

    def tags(self) -> set[str]:
        return {tag for tags in self.heard for tag in tags}


@contextmanager
def listening() -> Iterator[tuple[Listening, str]]:
    """A real HTTP server as the cache."""
    cache = Listening()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def hear(self) -> None:
            cache.free.wait(60)
            if cache.refusing:
                cache.refused += 1
            else:
                cache.methods.add(self.command)
                cache.heard.append(self.headers["Surrogate-Key"].split())
            self.send_response(503 if cache.refusing else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_PURGE = do_BAN = hear  # noqa: N815 -- http.server's names

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield cache, f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def purging(*addresses: str, method: str = "PURGE") -> Iterator[Purger]:
    purger = Purger(addresses, method, Tags())
    purger.start()
    try:
        yield purger
    finally:
        purger.close()


def until(found: object) -> None:
    """Waits for what has to come."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if callable(found) and found():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def test_every_profile_and_segment_is_told_at_once_and_once_more() -> None:
    with listening() as (cache, address), purging(address) as purger:
        until(lambda: cache.heard == [[EVERYTHING]])
        purger.changed(changes([3, 5, 3], ["buyers", "firms"]))
        wanted = {purger.tags.profile(3), purger.tags.profile(5), "s-buyers", "s-firms"}
        until(lambda: wanted <= cache.tags())
        until(lambda: sum(purger.tags.profile(3) in tags for tags in cache.heard) == 2)


def test_many_changes_are_few_requests() -> None:
    with listening() as (cache, address), purging(address) as purger:
        until(lambda: cache.heard)
        for row in range(5_000):
            purger.changed(changes([row], ["buyers"]))
        until(lambda: {purger.tags.profile(row) for row in range(5_000)} <= cache.tags())
        assert len(cache.heard) < 1_000
        assert max(len(tags) for tags in cache.heard) <= 100


def test_a_cache_that_is_down_hears_it_all_when_it_comes_back() -> None:
    with listening() as (cache, address), purging(address) as purger:
        until(lambda: cache.heard)
        cache.refusing = True
        purger.changed(changes([1], ["buyers"]))
        until(lambda: cache.refused >= 2)
        purger.changed(changes([2], ["buyers"]))
        cache.refusing = False
        until(lambda: {purger.tags.profile(1), purger.tags.profile(2)} <= cache.tags())


def test_one_that_is_down_does_not_hold_up_the_others() -> None:
    with listening() as (good, address), listening() as (bad, other):
        bad.refusing = True
        with purging(other, address) as purger:
            until(lambda: bad.refused)
            purger.changed(changes([1], ["buyers"]))
            until(lambda: purger.tags.profile(1) in good.tags())
            assert not bad.heard


def test_the_evaluator_never_waits_for_a_cache() -> None:
    """It has reported all its changes while the cache has not yet answered one request."""
    with listening() as (cache, address), purging(address) as purger:
        told = {purger.tags.profile(row) for row in range(1_000)}
        cache.free.clear()
        for row in range(1_000):
            purger.changed(changes([row], ["buyers"]))
        assert not told & cache.tags()
        cache.free.set()
        until(lambda: told <= cache.tags())


def test_the_method_is_the_setting() -> None:
    with listening() as (cache, address), purging(address, method="BAN"):
        until(lambda: cache.methods == {"BAN"})


def test_too_many_changes_are_told_as_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "PURGED_CHANGES_MAX", 10)
    waiting = Pending(Tags())
    for row in range(11):
        waiting.put(changes([row], ["buyers"]))
    assert waiting.take() == frozenset((EVERYTHING,))


def test_too_many_tags_are_told_as_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "PURGED_TAGS_MAX", 10)
    waiting = Pending(Tags())
    waiting.put(changes(list(range(11)), ["buyers"]))
    assert waiting.take() == frozenset((EVERYTHING,))


def test_what_is_left_is_given_out_when_it_ends() -> None:
    tags = Tags()
    waiting = Pending(tags)
    waiting.put(changes([1], ["buyers"]))
    waiting.close()
    told = []
    while (found := waiting.take()) is not None:
        told.append(found)
    assert told == [{tags.profile(1), "s-buyers"}] * 2


def test_keys_are_words_that_tell_nothing() -> None:
    one, other = Tags(), Tags()
    assert one.profile(1) == one.profile(1) != one.profile(2)
    assert one.profile(1) != other.profile(1)
    assert all(each.isalnum() or each in "-_" for each in one.profile(1) + one.segment("big_buyers"))


def test_what_a_cache_takes_is_counted() -> None:
    before = {outcome: counted(outcome) for outcome in ("taken", "failed")}
    with listening() as (cache, address), purging(address) as purger:
        until(lambda: cache.heard)
        cache.refusing = True
        purger.changed(changes([1], ["buyers"]))
        until(lambda: cache.refused)
        cache.refusing = False
        until(lambda: len(cache.heard) == 2)
    assert counted("taken") >= before["taken"] + 2
    assert counted("failed") > before["failed"]


def counted(outcome: str) -> float:
    return metrics.REGISTRY.get_sample_value("segue_purges_total", {"outcome": outcome}) or 0

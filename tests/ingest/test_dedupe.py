"""The table of fingerprints against a plain dictionary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.domain.limits import DEDUPE_MS
from segue.ingest.dedupe import EVER, Archive, Seen
from segue.log.fingerprint import fingerprint
from segue.log.lane.cuts import put_together
from segue.log.lane.digest import fingerprints

Batch = list[tuple[int, int]]
"""(which event, received at)"""

# Few places to look at, so that entries crowd: h2 is the place, h1 tells them apart.
BATCHES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 50)), max_size=25)
WINDOW = 10


def words(batch: Batch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    which = np.array([event for event, _ in batch], np.uint64)
    return which << np.uint64(42), 4095 - which % np.uint64(5), np.array([at for _, at in batch], np.int64)


def plainly(book: dict[int, int], batch: Batch, window: int) -> list[bool]:
    repeated = []
    for event, at in batch:
        again = event in book and at - book[event] <= window
        if not again:
            book[event] = at
        repeated.append(again)
    return repeated


def contents(seen: Seen) -> list[tuple[int, ...]]:
    return sorted(map(tuple, seen.saved().tolist()))


@given(st.lists(BATCHES, max_size=6), st.sampled_from([WINDOW, EVER]))
def test_it_remembers_as_a_dictionary_does(batches: list[Batch], window: int) -> None:
    seen, book = Seen(), dict[int, int]()
    for batch in batches:
        assert seen.seen_many(*words(batch), window).tolist() == plainly(book, batch, window)
    assert len(seen) == len(book)


@given(st.lists(BATCHES, max_size=4), st.lists(BATCHES, max_size=4), BATCHES)
def test_what_is_taken_back_was_never_seen(kept: list[Batch], lost: list[Batch], after: Batch) -> None:
    seen, book = Seen(), dict[int, int]()
    for batch in kept:
        seen.seen_many(*words(batch), WINDOW)
        plainly(book, batch, WINDOW)
    seen.settle()
    before = contents(seen)
    for batch in lost:
        seen.seen_many(*words(batch), WINDOW)
    seen.take_back()
    assert contents(seen) == before
    assert seen.seen_many(*words(after), WINDOW).tolist() == plainly(book, after, WINDOW)


@given(st.lists(st.lists(BATCHES, max_size=4), max_size=4), BATCHES, st.sampled_from([WINDOW, EVER]))
def test_an_archive_beside_the_table_changes_nothing(
    runs: list[list[Batch]], after: Batch, window: int
) -> None:
    seen, book = Seen(), dict[int, int]()
    for batches in runs:
        for batch in batches:
            assert seen.seen_many(*words(batch), window).tolist() == plainly(book, batch, window)
        saved = seen.saved()
        assert len(saved) == len(book)
        assert (np.diff(saved[:, 0].astype(object)) >= 0).all()
        seen = Seen(archive=Archive.of(saved))
    assert seen.seen_many(*words(after), window).tolist() == plainly(book, after, window)


@given(st.lists(BATCHES, max_size=4), BATCHES, BATCHES)
def test_what_is_taken_back_beside_an_archive_was_never_seen(
    kept: list[Batch], lost: Batch, after: Batch
) -> None:
    seen, book = Seen(), dict[int, int]()
    for batch in kept:
        seen.seen_many(*words(batch), WINDOW)
        plainly(book, batch, WINDOW)
    seen = Seen(archive=Archive.of(seen.saved()))
    seen.seen_many(*words(lost), WINDOW)
    seen.take_back()
    assert seen.seen_many(*words(after), WINDOW).tolist() == plainly(book, after, WINDOW)


@given(BATCHES, BATCHES)
def test_the_log_restores_it_in_any_order(before: Batch, after: Batch) -> None:
    newest = {event: max(at for other, at in before if other == event) for event, _ in before}
    seen = Seen()
    seen.learn(*words(before))
    assert len(seen) == len(newest)
    assert seen.seen_many(*words(after), WINDOW).tolist() == plainly(newest, after, WINDOW)


def many(count: int, received: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(count)
    high, low = random.integers(0, 2**64, (2, count), np.uint64)
    return high, low, np.full(count, received, np.int64)


def test_an_archive_of_many() -> None:
    old, new = many(100_000, 100), many(30_000, 200)
    seen = Seen()
    seen.seen_many(*old)
    seen = Seen(archive=Archive.of(seen.saved()))
    assert not seen.seen_many(*new).any()
    assert seen.seen_many(*old).all()
    seen = Seen(archive=Archive.of(seen.saved()))
    assert seen.seen_many(*new).all()
    assert seen.seen_many(*old).all()
    assert len(seen) == 130_000


def test_it_grows_and_prunes() -> None:
    seen = Seen()
    old, new = many(50_000, 100), many(30_000, 200)
    assert not seen.seen_many(*old).any()
    assert not seen.seen_many(*new).any()
    assert seen.seen_many(*old).all()
    seen.settle()
    seen.prune(before=200)
    assert len(seen) == 30_000
    assert seen.seen_many(*new).all()
    assert not seen.seen_many(*old).any()


def test_taking_back_survives_growth() -> None:
    seen = Seen()
    seen.seen_many(*many(1_000, 1))
    seen.settle()
    before = contents(seen)
    for size in (3_000, 30_000):
        seen.seen_many(*many(size, 2))
    seen.take_back()
    assert contents(seen) == before


@pytest.mark.parametrize(("later", "again"), [(DEDUPE_MS, True), (DEDUPE_MS + 1, False), (-5, True)])
def test_seven_days_to_the_millisecond(later: int, again: bool) -> None:
    seen, start = Seen(), 1_795_341_600_000
    event = np.array([7], np.uint64)
    seen.seen_many(event, event, np.array([start]))
    assert seen.seen_many(event, event, np.array([start + later])).tolist() == [again]


@given(st.text(max_size=10), st.lists(st.text(max_size=200), max_size=40))
def test_many_fingerprints_are_those_of_the_log(source: str, names: list[str]) -> None:
    high, low = fingerprints(source, *put_together([name.encode() for name in names]))
    expected = [fingerprint(source, name) for name in names]
    assert list(zip(high.tolist(), low.tolist(), strict=True)) == expected

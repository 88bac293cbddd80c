"""The models against what they are defined as, said plainly over dense matrices."""

from __future__ import annotations

import threading
import time
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

from segue.domain.errors import SegueError
from segue.experiences.recommend.models import neighbours
from segue.experiences.recommend.models.ease import fit_ease
from segue.experiences.recommend.models.fitting import (
    EASE_ITEMS_MAX,
    Interactions,
    Job,
    chosen,
    fit_apart,
)
from segue.experiences.recommend.models.links import Links, moved, placed
from segue.experiences.recommend.models.neighbours import fit_neighbours

Matrix = npt.NDArray[np.float32]

matrices = arrays.arrays(
    np.float32,
    st.tuples(st.integers(2, 12), st.integers(1, 9)),
    elements=st.sampled_from([0.0, 0.0, 0.5, 1.0, 2.0]),
)


def dense(links: Links, size: int) -> Matrix:
    found = np.zeros((size, size), np.float32)
    for item in range(len(links)):
        span = slice(links.starts[item], links.starts[item + 1])
        found[item, links.targets[span]] = links.weights[span]
    return found


@given(matrices, st.sampled_from([0.5, 10.0, 300.0]))
def test_ease_is_its_closed_form(matrix: Matrix, regularization: float) -> None:
    size = matrix.shape[1]
    found = dense(fit_ease(sparse.csr_matrix(matrix), regularization, size), size)
    inverse = np.linalg.inv(matrix.T.astype(np.float64) @ matrix + regularization * np.eye(size))
    wanted = -inverse / np.diag(inverse)
    np.fill_diagonal(wanted, 0)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("size", [255, 256, 257, 600])
def test_ease_over_more_than_one_block(size: int) -> None:
    dice = np.random.default_rng(size)
    matrix = (dice.random((300, size)) < 0.05).astype(np.float32)
    found = dense(fit_ease(sparse.csr_matrix(matrix), 5.0, size), size)
    inverse = np.linalg.inv(matrix.T.astype(np.float64) @ matrix + 5 * np.eye(size))
    wanted = -inverse / np.diag(inverse)
    np.fill_diagonal(wanted, 0)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@given(matrices)
def test_neighbours_are_cosines_that_few_people_shrink(matrix: Matrix) -> None:
    size = matrix.shape[1]
    found = dense(fit_neighbours(sparse.csr_matrix(matrix), size), size)
    lengths = np.linalg.norm(matrix, axis=0)
    lengths[lengths == 0] = 1
    alike = (matrix.T @ matrix) / np.outer(lengths, lengths)
    together = (matrix > 0).astype(np.float32).T @ (matrix > 0)
    wanted = alike * together / (together + neighbours.SHRINKING)
    np.fill_diagonal(wanted, 0)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@given(matrices, st.integers(1, 4))
def test_only_the_strongest_are_kept(matrix: Matrix, kept: int) -> None:
    size = matrix.shape[1]
    whole = dense(fit_ease(sparse.csr_matrix(matrix), 1.0, size), size)
    some = dense(fit_ease(sparse.csr_matrix(matrix), 1.0, kept), size)
    for row in range(size):
        held = np.flatnonzero(some[row])
        assert len(held) <= kept
        np.testing.assert_array_equal(some[row, held], whole[row, held])
        left = np.setdiff1d(np.arange(size), held)
        least = np.abs(some[row, held]).min(initial=np.inf) if len(held) == kept else 0
        assert np.abs(whole[row, left]).max(initial=0) <= least or len(held) < kept


@given(matrices, st.data())
def test_serving_is_the_product_with_what_one_did(matrix: Matrix, data: Any) -> None:
    size = matrix.shape[1]
    links = fit_ease(sparse.csr_matrix(matrix), 1.0, size)
    items = np.array(data.draw(st.lists(st.integers(0, size + 1), unique=True, max_size=5)), np.int32)
    weights = np.linspace(1, 2, len(items)).astype(np.float32)
    likes = np.zeros(size + 2, np.float32)
    likes[items] = weights
    wanted = likes[:size] @ dense(links, size)
    np.testing.assert_allclose(links.scores(items, weights, size), wanted, atol=1e-5)
    strongest = links.strongest(items, weights, np.arange(size, dtype=np.int32), size)
    plain = dense(links, size)
    for target in range(size):
        parts = [weights[n] * plain[item, target] if item < size else 0.0 for n, item in enumerate(items)]
        if strongest[target] < 0:
            assert max(parts, default=0.0) <= 0
        else:
            assert parts[strongest[target]] == pytest.approx(max(parts), abs=1e-6)


@given(matrices, st.integers(0, 3))
def test_links_find_their_places_in_a_larger_set(matrix: Matrix, more: int) -> None:
    size = matrix.shape[1]
    links = fit_ease(sparse.csr_matrix(matrix), 1.0, size)
    places = np.arange(size, dtype=np.int32) * 2 + 1
    whole = size * 2 + more
    wanted = np.zeros((whole, whole), np.float32)
    wanted[np.ix_(places, places)] = dense(links, size)
    np.testing.assert_array_equal(dense(placed(links, places, whole), whole), wanted)
    np.testing.assert_array_equal(dense(moved(links, places, whole), whole), wanted)


@given(matrices, st.randoms(use_true_random=False), st.integers(0, 3))
def test_links_move_to_any_places_and_some_have_none(matrix: Matrix, dice: Random, more: int) -> None:
    size = matrix.shape[1]
    links = fit_ease(sparse.csr_matrix(matrix), 1.0, size)
    places = np.array(dice.sample(range(size + more), size), np.int32)
    places[[n for n in range(size) if dice.random() < 0.2]] = -1
    real = np.flatnonzero(places >= 0)
    wanted = np.zeros((size + more, size + more), np.float32)
    wanted[np.ix_(places[real], places[real])] = dense(links, size)[np.ix_(real, real)]
    np.testing.assert_array_equal(dense(moved(links, places, size + more), size + more), wanted)


# ---- apart -----------------------------------------------------------------------------------


def some(items: int = 40) -> Interactions:
    dice = np.random.default_rng(1)
    pairs = np.unique(np.stack([dice.integers(0, 100, 900), dice.integers(0, items, 900)]), axis=1)
    ones = np.ones(pairs.shape[1], np.float32)
    return Interactions(pairs[0].astype(np.int32), pairs[1].astype(np.int32), ones, items)


@pytest.mark.parametrize("kind", ["ease", "neighbours"])
def test_a_process_of_its_own_finds_the_same(kind: str) -> None:
    given_ = some()
    fitted = fit_apart(given_, kind, 10.0, 1, Job())
    matrix = sparse.csr_matrix((given_.values, (given_.users, given_.items)))
    here = fit_ease(matrix, 10.0) if kind == "ease" else fit_neighbours(matrix)
    np.testing.assert_allclose(dense(fitted.links, 40), dense(here, 40), atol=1e-6)
    assert fitted.kind == kind
    assert fitted.memory_bytes > 1_000_000


def test_auto_takes_ease_up_to_its_bound() -> None:
    assert chosen("auto", 100) == "ease"
    assert chosen("auto", EASE_ITEMS_MAX + 1) == "neighbours"
    assert chosen("neighbours", 100) == "neighbours"


def test_what_cannot_be_fitted_is_said() -> None:
    broken = Interactions(np.zeros(3, np.int32), np.zeros(3, np.int32), np.ones(2, np.float32), 1)
    with pytest.raises(SegueError, match="E845"):
        fit_apart(broken, "ease", 1.0, 1, Job())


def test_a_training_that_is_stopped_ends_at_once() -> None:
    job = Job()
    large = Interactions(
        np.repeat(np.arange(4_000, dtype=np.int32), 8),
        np.random.default_rng(1).integers(0, 9_000, 32_000).astype(np.int32),
        np.ones(32_000, np.float32),
        9_000,
    )
    ended: list[BaseException] = []

    def fit() -> None:
        try:
            fit_apart(large, "ease", 1.0, 1, job)
        except SegueError as refused:
            ended.append(refused)

    thread = threading.Thread(target=fit)
    thread.start()
    while job.running is None:
        time.sleep(0.01)
    process = job.running
    job.stop()
    thread.join()
    assert len(ended) == 1
    assert process.poll() is not None
    with pytest.raises(SegueError):
        fit_apart(some(), "ease", 1.0, 1, job)

"""k-means with the same answer each time, and names that outlive a refit."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.learned.grouping import centroids_of, matched, moved, nearest, steadiness

CENTRES = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]])
labellings = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


def clouds(spread: float, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    parts = [
        centre + spread * random.standard_normal((size, 2))
        for centre, size in zip(CENTRES, (300, 200, 100), strict=True)
    ]
    return np.concatenate(parts)


def test_groups_are_found_and_numbered_by_size() -> None:
    assert centroids_of(clouds(0.5), 3, seed=1) == pytest.approx(CENTRES, abs=0.2)


def test_the_same_points_and_seed_give_the_same_centres_to_the_last_bit() -> None:
    points = clouds(4.0)
    assert np.array_equal(centroids_of(points, 5, seed=9), centroids_of(points, 5, seed=9))


def test_another_seed_finds_the_same_groups() -> None:
    points = clouds(0.5)
    one, other = (nearest(points, centroids_of(points, 3, seed)) for seed in (1, 2))
    assert np.array_equal(one, other)


def test_a_point_alone_falls_where_it_falls_among_others() -> None:
    points = clouds(4.0)
    centres = centroids_of(points, 5, seed=1)
    together = nearest(points, centres)
    assert [int(nearest(points[at : at + 1], centres)[0]) for at in range(0, 600, 7)] == together[
        ::7
    ].tolist()


def test_fewer_different_points_than_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="fewer than 3"):
        centroids_of(np.repeat([[0.0], [1.0]], 50, axis=0), 3, seed=1)


@given(labellings)
def test_groups_are_continued_so_that_the_fewest_people_move(pairs: list[tuple[int, int]]) -> None:
    before, after = (np.array(each, np.intp) for each in zip(*pairs, strict=True))
    fewest = min(np.mean(np.array(names)[after] != before) for names in permutations(range(4)))
    assert moved(before, after, 4) == pytest.approx(fewest)


def test_a_group_more_than_before_is_new() -> None:
    before = np.array([0, 0, 0, 1, 1, 1], np.intp)
    after = np.array([2, 2, 0, 1, 1, 1], np.intp)
    assert matched(before, after, 2, 3) == [None, 1, 0]


def test_clear_groups_are_steady_and_slices_of_one_cloud_are_not() -> None:
    clear = clouds(0.5)
    steady = steadiness(clear, centroids_of(clear, 3, 1), rounds=5, seed=1)
    assert steady.agreement_min > 0.99
    assert steady.moved_max < 0.01
    one = np.random.default_rng(2).standard_normal((600, 2))
    shaky = steadiness(one, centroids_of(one, 7, 1), rounds=5, seed=1)
    assert shaky.agreement < 0.8
    assert shaky.moved > 0.1


def test_a_sample_with_too_few_different_points_counts_as_unsteady() -> None:
    points = np.array([[0.0], [1.0], [5.0]])
    found = steadiness(points, points, rounds=20, seed=1)
    assert found.moved_max == 1
    assert found.agreement_min == 0

"""Where a score stands: never above more people than scored less."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.learned.percentiles import Percentiles, percentile
from segue.learned.registry import Registry
from segue.learned.version import Version
from tests.learned.test_registry import tampered

BOUNDS = [each / 100 for each in range(101)]


@pytest.mark.parametrize(
    ("score", "place"), [(-1.0, 0), (0.0, 0), (0.005, 0), (0.5, 49), (0.505, 50), (1.0, 99), (1.1, 100)]
)
def test_a_score_stands_above_those_who_scored_less(score: float, place: int) -> None:
    assert percentile(BOUNDS, score) == place


def test_without_bounds_there_is_no_place() -> None:
    assert percentile((), 0.5) is None


def test_whoever_scores_like_everybody_stands_above_nobody() -> None:
    assert percentile([0.5] * 101, 0.5) == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(-0.1, 1.1))
def test_no_more_is_said_than_is_so(said: list[float], score: float) -> None:
    bounds = np.quantile(said, np.linspace(0, 1, 101), method="inverted_cdf").tolist()
    place = percentile(bounds, score)
    assert place is not None
    assert place <= 100 * sum(each < score for each in said) / len(said) + 1e-9


def test_a_version_is_read_once_and_one_that_was_tampered_with_gives_no_place(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    for _ in range(2):
        registry.add(Version("churn", 0, "churn", "score", 1_000, {}, {"percentiles": BOUNDS}))
    places = Percentiles(tmp_path)
    assert places.of("churn", 1, 0.505) == 50
    tampered(
        tmp_path, "DROP TRIGGER versions_stand", "UPDATE versions SET card = replace(card, '0.5', '0.9')"
    )
    assert places.of("churn", 1, 0.505) == 50
    assert places.of("churn", 2, 0.505) is None
    assert places.of("churn", 3, 0.505) is None

"""Chances are put right on a later slice, and nobody changes places."""

from __future__ import annotations

import numpy as np
import pytest

from segue.domain.errors import SegueError
from segue.learned.calibration import Calibration, fit_calibration
from segue.learned.metrics import Doubles, calibration_error


def drawn(slope: float, shift: float, count: int = 20_000) -> tuple[Doubles, Doubles]:
    """Log odds, and labels of which the truth is a line through them."""
    random = np.random.default_rng(5)
    log_odds = random.normal(0, 2, count)
    truth = 1 / (1 + np.exp(-(slope * log_odds + shift)))
    return log_odds, (random.random(count) < truth).astype(np.float64)


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.5, -1.0), (2.0, 0.7)])
def test_the_line_is_found(slope: float, shift: float) -> None:
    log_odds, labels = drawn(slope, shift)
    found = fit_calibration(log_odds, labels)
    assert found.slope == pytest.approx(slope, rel=0.06)
    assert found.shift == pytest.approx(shift, abs=0.06)
    assert calibration_error(labels, found.chances(log_odds)) < 0.02


def test_the_order_stays() -> None:
    log_odds, labels = drawn(0.4, 2.0)
    chances = fit_calibration(log_odds, labels).chances(log_odds)
    assert (np.diff(chances[np.argsort(log_odds)]) >= 0).all()


@pytest.mark.parametrize("turned", [-1.0, 0.0])
def test_log_odds_that_say_nothing_or_the_opposite_are_only_shifted(turned: float) -> None:
    log_odds, labels = drawn(1.0, -1.0, 4_000)
    found = fit_calibration(turned * log_odds, labels)
    assert found.slope > 0
    assert found.chances(turned * log_odds).mean() == pytest.approx(labels.mean(), abs=0.02)


@pytest.mark.parametrize("labels", [np.zeros(50), np.ones(50)])
def test_one_label_alone_is_no_certainty(labels: Doubles) -> None:
    chances = fit_calibration(np.linspace(-1, 1, 50), labels).chances(np.linspace(-1, 1, 50))
    assert (chances > 0).all()
    assert (chances < 1).all()


def test_missing_stays_missing() -> None:
    found = fit_calibration(np.array([np.nan, -1.0, 1.0, 2.0]), np.array([1.0, 0.0, 1.0, 1.0]))
    assert np.isnan(found.chances(np.array([np.nan]))[0])


def test_a_document_that_turns_the_ranking_round_is_none() -> None:
    assert Calibration.read(Calibration(2.0, -1.0).document()) == Calibration(2.0, -1.0)
    with pytest.raises(SegueError, match="E865"):
        Calibration.read({"slope": -1.0, "shift": 0.0})

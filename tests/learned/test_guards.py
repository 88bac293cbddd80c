"""A refusal for want of history says what is there, what is missing, and what would do instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from segue.domain.time import DAY, parse_duration
from segue.learned.dataset import cut_offs
from segue.learned.guards import too_short
from segue.learned.models import KINDS
from tests.learned.tables import spec_of


def said(days: float, horizon_days: float, kind: str = "propensity") -> tuple[str, str]:
    spec = replace(spec_of(kind), horizon_ms=round(horizon_days * DAY))
    found = too_short(spec, KINDS[kind], 5 * DAY, round((5 + days) * DAY)).diagnostics[0]
    assert found.code == "E861"
    return found.message, found.hint


def test_39_weeks_of_39_weeks_say_what_is_missing_and_what_to_use() -> None:
    message, hint = said(546.5, 273)
    assert message == (
        "m looks 39w ahead and the log holds 78w; it takes 3 times as long (one to look back on, "
        "one of labels to learn from, a later one to be judged by): 39w more are missing"
    )
    assert hint == (
        "let it look 26w ahead at most; or use `kind: value`, which learns no labels and needs one horizon "
        "to be judged by; or use a rule until there is a longer history"
    )


def test_without_a_horizon_of_history_no_kind_is_of_use() -> None:
    message, hint = said(100, 273)
    assert "719d more are missing" in message
    assert hint == "let it look 33d ahead at most; or use a rule until there is a longer history"


def test_a_kind_that_learns_no_labels_needs_what_it_is_judged_by() -> None:
    message, hint = said(90, 90, "value")
    assert "it takes more than that" in message
    assert hint == "let it look 89d ahead at most; or use a rule until there is a longer history"


def test_without_events_there_is_nothing_to_look_back_on() -> None:
    message, hint = said(0, 90)
    assert "no events" in message
    assert "ahead" not in hint


@pytest.mark.parametrize("days", [0.5, 1.0, 2.9, 3.0, 7.0, 100.0, 269.0, 546.5])
def test_the_horizon_that_is_named_does(days: float) -> None:
    _, hint = said(days, 600)
    longest = parse_duration(hint.removeprefix("let it look ").partition(" ")[0])
    assert longest is not None
    moments = cut_offs(5 * DAY, round((5 + days) * DAY), longest)
    assert moments is not None
    assert moments.training[-1] + longest <= moments.test

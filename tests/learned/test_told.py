"""Drivers from elsewhere are taken when they add up, and not bent into shape when they do not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from segue.domain.event import Json
from segue.learned.told import UntoldError, nothing, read, together

SCORES = np.array([0.5, np.nan, 1.5])
ANSWER: dict[str, Any] = {
    "base": 0.25,
    "contributions": [[0.125, 0.125], None, [1, 0.25]],
    "typical": [3, None],
}


def chance(raw: float) -> float:
    return 1 / (1 + math.exp(-raw))


def test_what_adds_up_is_taken() -> None:
    found = read(ANSWER, SCORES, 2)
    assert (found.base, found.link) == (0.25, "identity")
    assert np.array_equal(found.contributions, [[0.125, 0.125], [np.nan] * 2, [1, 0.25]], equal_nan=True)
    assert np.array_equal(found.typical, [3, np.nan], equal_nan=True)


@pytest.mark.parametrize(("link", "meant"), [("logit", chance), ("log", math.exp)])
def test_they_add_up_before_the_link(link: str, meant: Any) -> None:
    scores = np.array([meant(0.5), np.nan, meant(1.5)])
    assert read({**ANSWER, "link": link}, scores, 2).link == link
    with pytest.raises(UntoldError, match="do not add up"):
        read({**ANSWER, "link": link}, SCORES, 2)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"contributions": ...}, "tells none"),
        ({"base": None}, "base"),
        ({"base": True}, "base"),
        ({"base": 10**400}, "base"),
        ({"link": "probit"}, "link"),
        ({"link": []}, "link"),
        ({"contributions": [[0.125, 0.125], None]}, "one list"),
        ({"contributions": "x"}, "one list"),
        ({"contributions": [[0.125, 0.125], None, [1]]}, "number for each feature"),
        ({"contributions": [[0.125, 0.125], None, [1, "x"]]}, "number for each feature"),
        ({"contributions": [[0.125, 0.125], None, [1, 10**400]]}, "number for each feature"),
        ({"contributions": [[0.125, 0.125], None, None]}, "others"),
        ({"contributions": [[0.125, 0.125], [0, 0], [1, 0.25]]}, "others"),
        ({"contributions": [[0.125, 0.125], None, [1, 0.2501]]}, "do not add up"),
        ({"typical": [1]}, "typical"),
        ({"typical": [1, "x"]}, "typical"),
        ({"base": 1e308, "contributions": [[1e308, 1e308], None, [1, 1]]}, "do not add up"),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, Json], why: str) -> None:
    answer = {key: each for key, each in {**ANSWER, **changed}.items() if each is not ...}
    with pytest.raises(UntoldError, match=why), np.errstate(over="ignore"):
        read(answer, SCORES, 2)


@pytest.mark.parametrize("answer", [None, [], 7, "x"])
def test_an_answer_that_is_no_object_tells_none(answer: Json) -> None:
    with pytest.raises(UntoldError, match="tells none"):
        read(answer, SCORES, 2)


def test_answers_are_put_together_when_they_count_from_one_base() -> None:
    one = read(ANSWER, SCORES, 2)
    assert together([one, one]).contributions.shape == (6, 2)
    other = read({**ANSWER, "base": 0.5, "contributions": [[0, 0]]}, np.array([0.5]), 2)
    with pytest.raises(UntoldError, match="different bases"):
        together([one, other])


def test_of_nothing_nothing_is_known() -> None:
    found = nothing(("a", "b"), 3)
    assert found.contributions.shape == (3, 2)
    assert math.isnan(found.base)

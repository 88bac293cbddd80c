"""Explanations go through a score: the features in their own units add up to it."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue.analysis.scores import linked
from segue.domain.time import DAY
from segue.segments.override import ScoreOverride
from segue.service.learning.overriding import override_score
from segue.service.learning.rescoring import rescore
from segue.service.service import Service
from tests.service.learning.scored import (
    INTERCEPT,
    START_MS,
    WEIGHTS,
    call,
    chance,
    enthrone,
    folder,
    line,
    order,
    take,
)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service.open(folder(tmp_path), tmp_path / "data") as service:
        take(service, [order("bob", 0), call("page", "cleo", 20, name="Home")])
        enthrone(service.data, line())
        rescore(service)
        yield service


def seen(service: Service, user: str = "bob", as_of: int | None = None) -> dict[str, Any]:
    found = service.explain(user, "leaving", as_of).to_json()["condition"]["parts"][0]
    assert found["text"] == 'score("churn") > 0.5'
    observed: dict[str, Any] = found["observed"][0]
    return observed


def test_the_drivers_add_up_to_the_score(service: Service) -> None:
    observed = seen(service)
    reasons = observed["reasons"]
    expected = chance({"orders": 1, "recent": 0, "rest": 20, "pro": 0})
    assert observed["value"]["value"] == pytest.approx(expected, abs=1e-6)
    assert reasons["prediction"] == pytest.approx(expected, abs=1e-9)
    assert reasons["base"] + sum(each["raw"] for each in reasons["drivers"]) == pytest.approx(
        reasons["raw"], abs=1e-9
    )
    points = reasons["base_points"] + sum(each["points"] for each in reasons["drivers"])
    assert points == pytest.approx(reasons["prediction"], abs=1e-9)
    assert linked(reasons["raw"], "logit") == pytest.approx(reasons["prediction"], abs=1e-12)
    assert reasons["base"] == pytest.approx(INTERCEPT)
    assert (reasons["model"], reasons["version"]) == ("churn", 1)


def test_features_are_told_in_their_own_units(service: Service) -> None:
    drivers = {each["feature"]: each for each in seen(service)["reasons"]["drivers"]}
    assert set(drivers) == set(WEIGHTS)
    assert (drivers["rest"]["value"]["text"], drivers["rest"]["text"]) == ("20 days", 'since(last("Order"))')
    assert drivers["rest"]["typical"]["text"] == "1 days"
    assert drivers["pro"]["value"] == {"type": "truth", "value": False, "text": "false"}
    assert drivers["orders"]["raw"] == pytest.approx(0, abs=1e-12)
    assert drivers["recent"]["raw"] == pytest.approx(0.7 * math.log(2))


def test_people_read_it_as_lines(service: Service) -> None:
    text = service.explain("bob", "leaving").render()
    assert "by version 1 of the model churn, made 2026-09-21T14:13:20.000Z" in text
    assert "where everybody starts" in text
    assert "rest is 20 days, typical is 1 days" in text
    assert "together" in text
    assert "stays in as long as nothing more happens, and no score changes" in text


def test_the_place_among_those_it_was_judged_on_is_told(service: Service) -> None:
    assert "percentile" not in seen(service)["reasons"]
    enthrone(service.data, line(intercept=0.5), percentiles=[each / 100 for each in range(101)])
    rescore(service)
    reasons = seen(service)["reasons"]
    assert reasons["percentile"] == math.floor(100 * reasons["prediction"])
    text = service.explain("bob", "leaving").render()
    assert f"together, higher than {reasons['percentile']} % of those it was judged on" in text


def test_an_override_stands_beside_what_the_model_says_itself(service: Service) -> None:
    override_score(service, ScoreOverride("bob", "score", "churn", 0.1, None, "dana", "she stays"))
    observed = seen(service)
    assert observed["value"]["value"] == 0.1
    assert observed["override"] == {"value": 0.1, "by": "dana", "why": "she stays"}
    assert observed["reasons"]["prediction"] > 0.5
    text = service.explain("bob", "leaving").render()
    assert "an override says so, by dana: she stays" in text
    assert "the model itself: by version 1 of the model churn" in text


def test_what_moved_since_it_was_scored_is_told(service: Service) -> None:
    take(service, [call("page", "cleo", 90, name="Home")])
    note = seen(service)["reasons"]["note"]
    assert note.startswith("it said 0.9")
    assert "scored anew at this moment it would be 0.9" in note


def test_as_of_a_moment_the_features_are_those_of_then(service: Service) -> None:
    take(service, [order("bob", 30)])
    rescore(service)
    now = {each["feature"]: each["value"]["text"] for each in seen(service)["reasons"]["drivers"]}
    then = seen(service, as_of=START_MS + 20 * DAY)
    before = {each["feature"]: each["value"]["text"] for each in then["reasons"]["drivers"]}
    assert (now["orders"], now["rest"]) == ("2", "0 days")
    assert (before["orders"], before["rest"]) == ("1", "20 days")
    assert then["value"]["value"] == pytest.approx(then["reasons"]["prediction"], abs=1e-6)


def test_one_whom_the_model_is_not_about_has_no_score_and_is_told_why_not(service: Service) -> None:
    observed = seen(service, "cleo")
    assert observed["value"]["type"] == "missing"
    assert observed["reasons"]["note"] == "the profile is not in its population, so it says nothing"


def test_a_version_that_was_tampered_with_is_told_as_that(service: Service) -> None:
    with sqlite3.connect(service.data / "models.db") as database:
        database.execute("DROP TRIGGER versions_stand")
        database.execute("UPDATE versions SET document = replace(document, '0.25', '9.25')")
    assert "is not as it was written" in seen(service)["reasons"]["note"]
    assert "is not as it was written" in rescore(service).refused["churn"]


def test_of_a_model_that_never_spoke_nothing_is_told(service: Service) -> None:
    found = service.explain("bob", "told").to_json()["condition"]
    assert "reasons" not in found["observed"][0]

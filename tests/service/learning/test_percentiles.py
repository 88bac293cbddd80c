"""A user's scores are shown with their places, as the version that gave them was judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.domain.event import Json
from segue.segments.override import ScoreOverride
from segue.service.learning.overriding import override_score
from segue.service.learning.rescoring import rescore
from segue.service.portrait import portrait
from segue.service.service import Service
from tests.service.learning.scored import call, enthrone, folder, line, order, score_of, take

EVENLY = [each / 100 for each in range(101)]
HIGH = [0.99 + each / 10_000 for each in range(101)]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service.open(folder(tmp_path), tmp_path / "data") as service:
        take(service, [order("bob", 0), call("page", "cleo", 20, name="Home")])
        yield service


def places(service: Service, user: str = "bob") -> Json:
    found = portrait(service, user).to_json()["attributes"]
    assert service.user(user).to_json()["attributes"] == found
    return found.get("percentiles")


def test_a_score_has_its_place_beside_it(service: Service) -> None:
    enthrone(service.data, line(), percentiles=EVENLY)
    rescore(service)
    assert places(service) == {"churn": int(100 * score_of(service, "bob"))}
    assert places(service, "cleo") is None


def test_without_a_card_that_tells_there_is_none(service: Service) -> None:
    enthrone(service.data, line())
    rescore(service)
    assert score_of(service, "bob") is not None
    assert places(service) is None


def test_the_place_is_that_of_the_version_that_spoke(service: Service) -> None:
    enthrone(service.data, line(), percentiles=EVENLY)
    rescore(service)
    before = places(service)
    enthrone(service.data, line(intercept=0.5), percentiles=HIGH)
    assert places(service) == before
    rescore(service)
    assert places(service) == {"churn": 0}


def test_what_a_person_says_has_a_place_too(service: Service) -> None:
    enthrone(service.data, line(), percentiles=EVENLY)
    rescore(service)
    override_score(service, ScoreOverride("bob", "score", "churn", 0.305, None, "dana", "she stays"))
    assert places(service) == {"churn": 30}

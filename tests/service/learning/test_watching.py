"""Champions are watched: what moves makes an alarm, what must move does not, and few people tell nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue.learned.drift import MOVED, PROFILES_MIN, STABLE
from segue.learned.looks import Looks
from segue.service.learning.rescoring import rescore
from segue.service.learning.shown import listed, render, shown
from segue.service.learning.watching import Drift, look
from segue.service.service import Service
from tests.service.learning.scored import call, enthrone, folder, line, order, take

USERS = PROFILES_MIN + 100


def orders(day: float, many: int, users: int = USERS) -> list[dict[str, Any]]:
    return [order(f"u{user}", day, number) for user in range(users) for number in range(many)]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service.open(folder(tmp_path), tmp_path / "data") as service:
        take(service, [*orders(0, 1), *orders(1, 2, USERS // 2), *orders(2, 1, USERS // 4)])
        enthrone(service.data, line())
        rescore(service)
        yield service


def looked(service: Service) -> Drift:
    return look(service)["churn"]


def columns(drift: Drift) -> dict[str, Any]:
    return {each.name: each for each in drift.columns}


def test_where_nothing_happened_nothing_moved(service: Service) -> None:
    drift = looked(service)
    assert (drift.profiles, drift.shift, drift.alarms) == (USERS, 0.0, ())
    assert {each.level for each in drift.columns} == {STABLE}
    assert set(columns(drift)) == {"orders", "recent", "rest", "pro", "score"}
    assert sum(then for then, _ in drift.composition.values()) == pytest.approx(1)


def test_when_people_stay_away_scores_move_and_time_alone_makes_no_alarm(service: Service) -> None:
    take(service, [call("page", "u0", 40, name="Home")])
    rescore(service)
    drift = looked(service)
    found = columns(drift)
    assert found["rest"].structural
    assert found["rest"].level == MOVED
    assert found["recent"].level == MOVED
    assert found["orders"].level == STABLE
    assert drift.shift > 0.1
    told = " ".join(drift.alarms)
    assert "shorten the interval, `schedule: every " in told
    assert "the feature recent is not what it was" in told
    assert "the feature rest" not in told


def test_segments_that_read_it_are_held_beside(service: Service) -> None:
    before = looked(service).segments["leaving"]
    take(service, [call("page", "u0", 40, name="Home")])
    rescore(service)
    then, now = looked(service).segments["leaving"]
    assert then == before[0]
    assert now > then
    assert now == pytest.approx(len(service.members("leaving")) / USERS)


def test_few_people_make_no_alarm(tmp_path: Path) -> None:
    with Service.open(folder(tmp_path), tmp_path / "data") as service:
        take(service, orders(0, 1, 20))
        enthrone(service.data, line())
        rescore(service)
        take(service, [call("page", "u0", 40, name="Home")])
        rescore(service)
        drift = looked(service)
        assert columns(drift)["recent"].level == MOVED
        assert drift.alarms == ()


def test_another_version_begins_anew(service: Service) -> None:
    take(service, [call("page", "u0", 40, name="Home")])
    enthrone(service.data, line(intercept=1.0))
    rescore(service)
    drift = looked(service)
    assert (drift.version, drift.shift, drift.alarms) == (2, 0.0, ())
    assert len(Looks(service.data).all("churn", 1)) == 1


def test_it_is_shown_to_people_and_programs(service: Service) -> None:
    take(service, [call("page", "u0", 40, name="Home")])
    rescore(service)
    text = render(service, "churn")
    assert "churn, version 1: champion" in text
    assert "(moves with time by itself)" in text
    assert "alarm: " in text
    found = shown(service, "churn")
    assert found["drift"]["alarms"]
    assert [each["version"] for each in found["versions"]] == [1]
    assert len(found["looks"]) == 1, "looking at it keeps nothing"
    looked(service)
    rows = {row["model"]: row for row in listed(service)}
    assert rows["churn"]["alarms"]
    assert (rows["churn"]["version"], rows["given"]["version"]) == (1, None)
    assert rows["churn"]["scored"] == "as events come"

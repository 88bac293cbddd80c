"""A model that keeps nobody in step any more says so wherever its scores are relied on; the scores stay."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue.domain.time import DAY, HOUR, MINUTE, format_instant
from segue.learned.registry import Registry
from segue.learned.rounds import Round, Rounds
from segue.service.learning import champions
from segue.service.learning.behind import behind, warnings
from segue.service.learning.rescoring import rescore
from segue.service.learning.scheduling import Learner
from segue.service.learning.shown import listed, render, shown
from segue.service.learning.training import promote
from segue.service.service import Service
from tests.service.learning.scored import (
    MODELS,
    START_MS,
    call,
    chance,
    enthrone,
    folder,
    line,
    order,
    score_of,
    take,
)

HOURLY = MODELS.replace("  kind: propensity\n", "  kind: propensity\n  rescore: every 1h\n")
GIVEN = MODELS + "  rescore: every 1d\n"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service.open(folder(tmp_path, models=HOURLY), tmp_path / "data") as service:
        take(service, [order("bob", 0)])
        enthrone(service.data, line())
        rescore(service)
        yield service


def tamper(service: Service, statement: str = "UPDATE versions SET document = '{}' WHERE number = 1") -> None:
    with sqlite3.connect(service.data / "models.db") as database:
        database.execute("DROP TRIGGER versions_stand")
        database.execute("DROP TRIGGER moves_stand")
        database.execute(statement)


def later(service: Service, ms: int) -> None:
    """Time goes on, and nobody is scored."""
    take(service, [call("page", "cleo", ms / DAY, name="Home")])


def row(service: Service) -> Any:
    return next(each for each in listed(service) if each["model"] == "churn")


def said(service: Service) -> Any:
    found = service.explain("bob", "leaving").to_json()["condition"]["parts"][0]["observed"][0]
    return found["reasons"]


def checked(service: Service) -> list[tuple[str, str]]:
    found = warnings(service.workspace, service.data, service.engine.now)
    return [(each.code, each.message) for each in found]


def test_scores_in_step_are_behind_nothing(service: Service) -> None:
    assert behind(service.core) == {}
    assert row(service)["scored_at"] == format_instant(START_MS)
    assert "behind" not in row(service)
    assert "behind" not in said(service)
    assert f"everybody was last scored at {format_instant(START_MS)}" in render(service, "churn")
    assert checked(service) == []


def test_within_the_promise_nothing_is_late(service: Service) -> None:
    later(service, HOUR + MINUTE)
    assert behind(service.core) == {}
    later(service, HOUR + MINUTE + 1)
    assert behind(service.core).keys() == {"churn"}


def test_scores_older_than_promised_are_told_everywhere(service: Service) -> None:
    later(service, 3 * HOUR)
    told = f"everybody was last scored at {format_instant(START_MS)}, longer ago than its promise of every 1h"
    assert row(service)["behind"]["text"] == told
    assert row(service)["behind"]["late"]
    assert shown(service, "churn")["behind"]["code"] is None
    assert f"behind: {told}" in render(service, "churn")
    assert said(service)["behind"] == told
    assert told in service.explain("bob", "leaving").render(500)
    assert checked(service) == [("W117", f"churn: {told}; read by leaving")]
    rescore(service)
    assert behind(service.core) == {}


def test_a_tampered_version_is_told_everywhere_and_what_it_said_stays(service: Service) -> None:
    before = score_of(service, "bob")
    tamper(service)
    later(service, MINUTE)
    stays = f"what it said until {format_instant(START_MS)} is read on"
    fault = "version 1 of churn is not as it was written"
    assert score_of(service, "bob") == before
    assert row(service)["version"] == 1
    assert fault in row(service)["refused"]
    for text in (row(service)["behind"]["text"], render(service, "churn"), said(service)["behind"]):
        assert fault in text
        assert stays in text
    found = shown(service, "churn")
    assert (found["in_force"], found["versions"][0]["version"]) == (None, 1)
    assert fault in found["versions"][0]["refused"]
    ((code, message),) = checked(service)
    assert code == "W116"
    assert stays in message
    assert not row(service)["behind"]["late"]
    later(service, 2 * HOUR)
    assert "longer ago than its promise of every 1h" in said(service)["behind"]


def test_another_version_is_shown_and_put_in_force_beside_the_tampered_one(service: Service) -> None:
    enthrone(service.data, line(intercept=0.5))
    rescore(service)
    tamper(service, "UPDATE versions SET document = '{}' WHERE number = 2")
    assert "version 1: archived" in render(service, "churn")
    assert "version 2 is in force and cannot be read" in render(service, "churn")
    promote(service, "churn", 1, "ada", "the other was tampered with")
    assert "has no rule to beat, by ada: the other was tampered with" in render(service, "churn")
    assert behind(service.core) == {}
    assert score_of(service, "bob") == pytest.approx(
        chance({"orders": 1, "recent": 1, "rest": 0, "pro": 0}), abs=1e-6
    )


def test_a_register_that_was_tampered_with_is_told_as_that(service: Service) -> None:
    tamper(service, "UPDATE moves SET why = 'because'")
    fault = "what was decided about churn is not as it was written"
    assert fault in row(service)["refused"]
    assert "behind" not in row(service)
    assert fault in said(service)["behind"]
    ((code, message),) = checked(service)
    assert (code, fault in message) == ("W116", True)


def test_what_is_handed_in_is_late_only_where_it_was_promised(tmp_path: Path) -> None:
    for name, models in (("silent", MODELS), ("daily", GIVEN)):
        with Service.open(folder(tmp_path / name, models=models), tmp_path / name / "data") as service:
            take(service, [order("bob", 0)])
            enthrone(service.data, {"form": "upload", "labels": []}, "given", "upload")
            Rounds(service.data).note({"given": 1}, START_MS)
            later(service, 3 * DAY)
            assert ("given" in behind(service.core)) is (name == "daily")


def test_a_version_in_force_that_never_spoke(service: Service) -> None:
    enthrone(service.data, {"form": "upload", "labels": []}, "given", "upload")
    assert behind(service.core) == {}
    with sqlite3.connect(service.data / "models.db") as database:
        database.execute("DELETE FROM rounds")
    assert behind(service.core)["churn"].text == "nobody was scored by it yet"
    tamper(service)
    assert behind(service.core)["churn"].text.endswith("; it has said nothing yet")


def test_a_version_whose_features_are_gone_is_told(service: Service) -> None:
    path = service.folder / "models" / "all.yaml"
    path.write_text(HOURLY.replace("    rest: since", "    pause: since"), encoding="utf-8")
    service.apply()
    assert "it reads rest, which is not defined any more" in behind(service.core)["churn"].text


def test_rounds_are_those_of_the_version_that_spoke_last(tmp_path: Path) -> None:
    rounds = Rounds(tmp_path)
    assert rounds.last("churn") is None
    rounds.note({}, 5)
    assert not (tmp_path / "models.db").exists()
    rounds.note({"churn": 1, "habits": 4}, 5)
    rounds.note({"churn": 2}, 7)
    rounds.note({"churn": 1}, 9)
    assert rounds.last("churn") == Round(1, 9)
    assert rounds.last("habits") == Round(4, 5)
    assert Registry(tmp_path).versions() == []


def test_a_server_finds_what_was_tampered_with_and_says_so_once(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(champions, "LOOK_SECONDS", 0.0)
    service.start()
    learner = Learner(service)
    with caplog.at_level(logging.WARNING, "segue.learning"):
        learner._round(None)
        before = score_of(service, "bob")
        tamper(service)
        take(service, [order("bob", 0.5)])
        for _ in range(3):
            learner._round(None)
    assert score_of(service, "bob") == before
    (told,) = [each.getMessage() for each in caplog.records]
    assert "the model churn does not score" in told
    assert "is not as it was written" in told

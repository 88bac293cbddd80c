"""A server keeps scores in step with events and shows its models; the commands beside it do the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.serving import Running, eventually, serving
from tests.cli.segue import here
from tests.service.learning.scored import INTERCEPT, enthrone, folder, line


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    place = tmp_path_factory.mktemp("models")
    folder(place / "workspace")
    (place / "data").mkdir()
    enthrone(place / "data", line({"orders": -1.5}))
    with serving(place) as running:
        yield running


def scores(server: Running, user: str) -> Any:
    return server.http.get(f"/v1/users/{user}/segments").json()["attributes"]["scores"]


def place(server: Running) -> list[str | Path]:
    return ["--workspace", server.folder / "workspace", "--data", server.data]


def test_an_event_is_followed_by_a_score_and_its_segment(server: Running) -> None:
    server.track("ann", "Order")
    first = eventually(lambda: scores(server, "ann").get("churn"))
    assert first == pytest.approx(0.562177, abs=1e-6), f"of the intercept {INTERCEPT} alone"
    assert server.segments_of("ann") == ["leaving"]
    server.track("ann", "Order")
    eventually(lambda: scores(server, "ann")["churn"] < first)
    eventually(lambda: server.segments_of("ann") == [])
    causes = [each["cause"]["type"] for each in server.http.get("/v1/changes").json()["changes"]]
    assert causes[-2:] == ["score", "score"]
    query = '{ user(id: "ann") { attributes { scores } } }'
    found = server.http.post("/graphql", json={"query": query}).json()["data"]["user"]
    assert found["attributes"]["scores"] == scores(server, "ann")


def test_what_was_scored_is_counted(server: Running) -> None:
    server.track("zoe", "Order")
    eventually(lambda: scores(server, "zoe").get("churn"))
    text = server.http.get("/metrics").text
    assert 'segue_scores_total{model="churn"}' in text
    assert "segue_scored_seconds_count" in text


def test_models_are_shown(server: Running) -> None:
    rows = {each["model"]: each for each in server.http.get("/v1/models").json()["models"]}
    assert (rows["churn"]["version"], rows["churn"]["scored"]) == (1, "as events come")
    assert (rows["given"]["kind"], rows["given"]["version"]) == ("upload", None)
    one = server.http.get("/v1/models/churn").json()
    assert one["in_force"]["status"] == "champion"
    assert one["definition"]["kind"] == "propensity"
    assert server.http.get("/v1/models/none").status_code == 404


def test_a_person_replaces_a_score_beside_the_server(server: Running) -> None:
    server.track("bob", "Order")
    eventually(lambda: server.segments_of("bob") == ["leaving"])
    ended = here(
        "override", "bob", "--score", "churn", "0.1", "--by", "dana", "--why", "stays", *place(server)
    )
    assert (ended.status, ended.out) == (0, "override: the score churn of bob is 0.1\n")
    assert scores(server, "bob") == {"churn": 0.1}
    assert server.segments_of("bob") == []
    shown = server.http.get("/v1/users/bob").json()["score_overrides"]
    assert shown == [{"gives": "score", "model": "churn", "value": 0.1, "until": None}]
    explained = here("explain", "bob", "leaving", *place(server))
    assert "an override says so, by dana: stays" in explained.out
    ended = here("override", "bob", "--score", "churn", "none", *place(server))
    assert ended.out == "no override any more: the score churn of bob\n"
    assert server.segments_of("bob") == ["leaving"]


def test_versions_are_put_in_force_beside_the_server(server: Running) -> None:
    server.track("cleo", "Order")
    before = eventually(lambda: scores(server, "cleo").get("churn"))
    listed = here("models", "--json", *place(server))
    assert {row["model"]: row["version"] for row in listed.rows}["churn"] == 1
    number = enthrone(server.data, line({"orders": -1.5}, intercept=2.0))
    eventually(lambda: scores(server, "cleo")["churn"] > before)
    refused = here("models", "churn", "--rollback", *place(server))
    assert (refused.status, "E867" in refused.err) == (1, True)
    ended = here("models", "churn", "--rollback", "--by", "dana", "--why", "too many", *place(server))
    assert ended.out == "version 1 of churn is in force\n"
    assert scores(server, "cleo")["churn"] == before
    ended = here(
        "models", "churn", "--promote", str(number), "--by", "dana", "--why", "again", *place(server)
    )
    assert ended.out == f"version {number} of churn is in force\n"
    assert scores(server, "cleo")["churn"] > before
    text = here("models", "churn", *place(server)).out
    assert f"version {number}: champion" in text
    assert "version 1: archived" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["override", "ann"],
        ["override", "ann", "leaving"],
        ["override", "ann", "leaving", "in", "--score", "churn", "1"],
        ["models", "--rollback"],
        ["models", "churn", "--rollback", "--promote", "1"],
    ],
)
def test_what_is_half_said_is_asked_back(server: Running, arguments: list[str]) -> None:
    ended = here(*arguments, *place(server))
    assert ended.status == 2
    assert "E780" in ended.err

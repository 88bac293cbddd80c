"""Scores that were computed elsewhere come in over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from segue.domain.event import Json
from segue.domain.limits import SCORES_A_REQUEST_MAX
from segue.learned.registry import Registry
from segue.learned.version import Version
from tests.api.serving import Running, eventually, serving, write_workspace

MODEL = """
model: bank
owner: crm@shop.example
description: What our bank says.
kind: upload
"""
SEGMENT = """
segment: trusted
owner: crm@shop.example
description: The bank trusts them.
kind: strategic
when: score("bank") >= 0.5
"""
PATH = "/v1/models/bank/scores"
REASON = {"by": "ada", "why": "they come from our bank"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("scores")
    workspace = write_workspace(folder / "workspace")
    (workspace / "models").mkdir()
    (workspace / "models/bank.yaml").write_text(MODEL)
    (workspace / "segments/trusted.yaml").write_text(SEGMENT)
    with serving(folder) as running:
        running.track("ann", "Login")
        running.track("bob", "Login")
        eventually(lambda: running.http.get("/v1/users/bob/segments").json()["known"])
        yield running


def refused(server: Running, body: Json, path: str = PATH) -> tuple[int, str]:
    answer = server.http.post(path, json=body)
    return answer.status_code, answer.json()["code"]


def test_scores_are_taken_and_segments_follow_them(server: Running) -> None:
    assert refused(server, {"scores": [{"user_id": "ann", "score": 0.7}]}) == (400, "E878")
    rows = [
        {"user_id": "ann", "score": 0.7},
        {"user_id": "bob", "score": "0.25"},
        {"user_id": "eve", "score": 1},
    ]
    answer = server.http.post(PATH, json={"scores": [*rows, {"user_id": "ann"}, {"score": 1}], **REASON})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["rows"], found["written"], found["status"]) == (5, 2, "champion")
    assert found["unknown_users"] == ["eve"]
    assert [each["row"] for each in found["refused_rows"]] == [4, 5]
    eventually(lambda: "trusted" in server.segments_of("ann"))
    assert server.http.get("/v1/users/bob/segments").json()["attributes"]["scores"] == {"bank": 0.25}
    assert not server.http.get("/v1/users/eve/segments").json()["known"]
    server.http.post(PATH, json={"scores": [{"user_id": "ann", "score": None}]}).raise_for_status()
    eventually(lambda: "trusted" not in server.segments_of("ann") or None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"scores": {}},
        {"scores": [1]},
        {"scores": [], "as_off": "2026-01-01"},
        {"scores": [], "by": 7},
        {"scores": [{}] * (SCORES_A_REQUEST_MAX + 1)},
    ],
)
def test_a_body_that_hands_in_nothing_is_refused(server: Running, body: Json) -> None:
    assert refused(server, body) == (400, "E744")


def test_only_models_that_take_scores_get_any(server: Running) -> None:
    assert refused(server, {"scores": []}, "/v1/models/nobody/scores") == (404, "E860")
    assert refused(server, {"scores": [], "as_of": "2026-01-01"}) == (400, "E878")
    assert refused(server, {"scores": [], "as_of": "soon"})[0] == 400


def test_a_score_is_shown_with_its_place_over_every_door(server: Running) -> None:
    registry = Registry(server.data)
    card = {"percentiles": [each / 100 for each in range(101)]}
    number = registry.add(
        Version("bank", 0, "upload", "score", 1, {"form": "upload", "labels": []}, card)
    ).number
    registry.promote("bank", number, "ada", "it was judged", 1)
    server.http.post(PATH, json={"scores": [{"user_id": "ann", "score": 0.705}]}).raise_for_status()
    for path in ("/v1/users/ann", "/v1/users/ann/segments"):
        attributes = server.http.get(path).json()["attributes"]
        assert (attributes["scores"], attributes["percentiles"]) == ({"bank": 0.705}, {"bank": 70})
    query = "{ attributes { scores percentiles } }"
    query = f'{{ user(id: "ann") {query} other: user(id: "eve") {query} }}'
    found = server.http.post("/graphql", json={"query": query}).json()["data"]
    assert found["user"]["attributes"] == {"scores": {"bank": 0.705}, "percentiles": {"bank": 70}}
    assert found["other"]["attributes"] == {"scores": {}, "percentiles": {}}
    explained = server.http.get("/v1/users/ann/explain/trusted").json()
    assert explained["condition"]["observed"][0]["reasons"]["percentile"] == 70

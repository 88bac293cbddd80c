"""Fields that are not the sender's to set stay as the server says, whoever names them."""

from __future__ import annotations

import pytest

from segue.domain.time import parse_instant
from tests.api.serving import Running, eventually

CLAIMS = {
    "receivedAt": "2001-01-01T00:00:00Z",
    "received_at": "2001-01-01T00:00:00Z",
    "seq": 1,
    "row": 0,
    "version": 9,
    "segments": ["big_buyers"],
    "member": True,
    "known": False,
    "is_admin": True,
    "role": "admin",
    "kind": "admin",
    "principal": {"reads_all": True},
    "scope": None,
    "source": "other",
    "lists": ["press"],
    "scores": {"churn": 1},
    "features": {"spend": 9000000000.0},
    "attributes": {"traits": {"plan": "free"}},
    "user_id": "somebody-else",
    "__proto__": {"x": 1},
}


def test_what_an_event_claims_of_the_server_is_not_believed(server: Running) -> None:
    body = {"userId": "claims", "event": "Login", **CLAIMS}
    assert server.http.post("/v1/track", json=body).status_code == 200
    identify = {"userId": "claims", "traits": {"plan": "pro", **CLAIMS}, **CLAIMS}
    assert server.http.post("/v1/identify", json=identify).status_code == 200
    whole = eventually(
        lambda: (found := server.http.get("/v1/users/claims").json())["attributes"]["traits"] and found
    )
    assert (whole["user_id"], whole["known"], whole["segments"]) == ("claims", True, [])
    assert (whole["lists"], whole["overrides"], whole["attributes"]["scores"]) == ([], [], {})
    assert whole["attributes"]["features"] == {}
    assert whole["attributes"]["traits"]["plan"] == "pro"
    assert not server.http.get("/v1/users/somebody-else").json()["known"]
    for event in server.http.get("/v1/users/claims/events").json()["events"]:
        received = parse_instant(event["received_at"])
        assert received is not None
        assert received > 1_700_000_000_000
        assert event["seq"] > 1


@pytest.mark.parametrize(
    "claim",
    [
        {"members": 5},
        {"name": "other"},
        {"since": "2001-01-01"},
        {"__proto__": {}},
        {"file": "/etc/x"},
        {"id": 1},
    ],
)
def test_a_definition_takes_its_own_keys_alone(server: Running, claim: dict[str, object]) -> None:
    body = {"owner": "a@b.example", "description": "Claims.", "when": "true", **claim}
    answer = server.http.put("/v1/segments/claiming", json=body)
    assert answer.status_code == 400
    assert server.http.get("/v1/segments/claiming").status_code == 404


@pytest.mark.parametrize(
    "query", ["mutation { forget }", "mutation { __typename }", "subscription { forget }"]
)
def test_nothing_is_changed_through_the_graph(server: Running, query: str) -> None:
    found = server.http.post("/graphql", json={"query": query}).json()
    assert found["errors"][0]["extensions"]["code"] == "E793"


@pytest.mark.parametrize("path", ["/v1/segments/preview", "/graphql", "/control"])
def test_unknown_keys_of_a_request_are_refused(server: Running, path: str) -> None:
    body = {"when": "true", "query": "{ __typename }", "command": "members", "principal": "admin"}
    assert server.http.post(path, json=body).status_code in {400, 403}

"""A token opens one profile: nobody learns anything of another by guessing."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.guarded.guard import Guarded, bearer
from tests.api.serving import eventually

OTHERS = [
    "bob", "nobody", "ANN", "Ann", "ann ", " ann", "ann/x", "ann/", "/ann", "ann\x00", "ann\n", "ann?",
    "ann#", "ann/../bob", "../ann", "ann%2Fx", "%61nn", "\u0430nn", "\uff41nn", "ann\u200b", "anon:ann",
    "anon:v1", "anon:v2", "user:ann", "*", "%", "ann' OR '1'='1", "a" * 1_000, "{id}", "me", "0", "null",
    "ann,bob", "ann;bob",
]  # fmt: skip
ROUTES = ["/v1/users/{}", "/v1/users/{}/segments", "/v1/users/{}/events", "/v1/users/{}/export",
          "/v1/users/{}/explain/buyers", "/user/segments?user_id={}"]  # fmt: skip


@pytest.mark.parametrize("route", ROUTES)
def test_everyone_else_looks_the_same(guarded: Guarded, route: str) -> None:
    """Those there are, those there are not, and those who nearly are: one status, one body."""
    answers = set()
    for other in OTHERS:
        found = guarded.server.http.get(
            route.format(quote(other, safe="")), headers=bearer(guarded.keys["token"])
        )
        headers = {name: value for name, value in found.headers.items() if name != "date"}
        answers.add((found.status_code, found.content, str(headers)))
    ((status, body, _),) = answers
    assert status == 403
    assert b"E762" in body


@pytest.mark.parametrize("route", ROUTES)
def test_the_control(guarded: Guarded, route: str) -> None:
    """The token's own profile is there, and to a read key the others differ from each other."""
    own = guarded.server.http.get(route.format("ann"), headers=bearer(guarded.keys["token"]))
    assert own.status_code == 200
    seen = {
        guarded.server.http.get(route.format(other), headers=bearer(guarded.keys["read"])).content
        for other in ("bob", "nobody")
    }
    assert len(seen) == 2


QUESTIONS = [
    "{{ user(id: {0}) {{ user_id known version attributes {{ traits }} }} }}",
    "{{ users(ids: [{0}]) {{ user_id known }} }}",
    '{{ users(ids: ["ann", {0}]) {{ user_id known }} }}',
    "{{ user(id: {0}) {{ events {{ name }} }} }}",
    '{{ user(id: {0}) {{ explain(segment: "buyers") {{ member }} }} }}',
    '{{ explain(user_id: {0}, segment: "buyers") {{ member }} }}',
    '{{ a: user(id: "ann") {{ known }} b: user(id: {0}) {{ known }} }}',
]


def answered(guarded: Guarded, question: str, user: str, word: str) -> str:
    query = question.format(json.dumps(user))
    return guarded.server.http.post("/graphql", json={"query": query}, headers=bearer(word)).text


@pytest.mark.parametrize("question", QUESTIONS)
def test_everyone_else_looks_the_same_to_graphql(guarded: Guarded, question: str) -> None:
    token = guarded.keys["token"]
    (found,) = {answered(guarded, question, other, token) for other in OTHERS if other.strip("\x00\n")}
    assert '"known"' not in found
    assert "E762" in found
    assert "E762" not in answered(guarded, question, "ann", token)


@pytest.mark.parametrize(
    "question",
    ["{ segments { name } }", "{ changes { changes { user_id } } }", '{ preview(when: "true") { count } }',
     '{ segment(name: "buyers") { name } }'],
)  # fmt: skip
def test_a_token_asks_graphql_for_nothing_but_its_user(guarded: Guarded, question: str) -> None:
    assert "E762" in answered(
        guarded, question.replace("{", "{{").replace("}", "}}"), "", guarded.keys["token"]
    )


@pytest.mark.parametrize(
    "path",
    [
        "/v1/users/ann/../bob/segments",
        "/v1/users/ann/segments/../../bob/segments",
        "/v1/users/ann%2f..%2fbob/segments",
        "/v1/users/ann/segments/segments",
        "/v1/users/ann/x/segments",
        "/v1/users//ann",
        "/v1/users/bob/segments?user_id=ann",
        "/v1/users/bob?id=ann",
        "/user/segments?user_id=ann&user_id=bob",
        "/user/segments?user_id=%61nn%00",
        "/user/segments?user_id=bob&as_of=ann",
        "/v1/users/bob/explain/ann",
        "/v1/users/ann/explain/buyers/explain/buyers",
    ],
)
def test_no_spelling_of_an_address_leads_elsewhere(guarded: Guarded, path: str) -> None:
    """Sent as it stands: clients would tidy some of these up."""
    connection = http.client.HTTPConnection(guarded.server.said["url"].removeprefix("http://"))
    connection.request("GET", path, headers=bearer(guarded.keys["token"]))
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 403, body


def test_repeated_parameters_are_read_once(guarded: Guarded) -> None:
    found = guarded.server.http.get(
        "/user/segments?user_id=bob&user_id=ann", headers=bearer(guarded.keys["token"])
    )
    assert found.json()["user_id"] == "ann"


def test_a_token_edits_nothing(guarded: Guarded) -> None:
    http, header = guarded.server.http, bearer(guarded.keys["token"])
    assert http.delete("/v1/users/ann", headers=header).status_code == 403
    assert http.put("/v1/segments/mine", json={"when": "true"}, headers=header).status_code == 403
    assert http.post("/v1/segments/preview", json={"when": "true"}, headers=header).status_code == 403
    assert http.get("/v1/segments/buyers/members", headers=header).status_code == 403
    assert http.get("/v1/changes", headers=header).status_code == 403
    assert guarded.knows("ann")


def test_a_token_for_somebody_never_heard_of(guarded: Guarded) -> None:
    found = guarded.server.http.get(
        "/user/segments?user_id=mallory", headers=bearer(guarded.keys["stranger"])
    )
    assert (found.status_code, found.json()["known"]) == (200, False)


def test_a_narrow_token_shows_less(guarded: Guarded) -> None:
    narrow = guarded.token("ann", "--segments", "big_buyers", "--attributes", "traits.plan")
    found = guarded.server.http.get("/v1/users/ann", headers=bearer(narrow)).json()
    assert [each["name"] for each in found["segments"]] == ["big_buyers"]
    assert found["attributes"] == {"traits": {"plan": "pro"}, "features": {}, "scores": {}}
    assert guarded.server.http.get("/v1/users/ann/events", headers=bearer(narrow)).status_code == 403


def test_a_server_gets_tokens_for_its_users(guarded: Guarded) -> None:
    http, admin = guarded.server.http, bearer(guarded.keys["admin"])
    order = {"user_id": "ann", "ttl": "1h", "segments": ["big_buyers"], "attributes": []}
    made = http.post("/v1/tokens", json=order, headers=admin)
    assert (made.status_code, made.json()["user_id"], made.headers["cache-control"]) == (
        201,
        "ann",
        "no-store",
    )
    shown = http.get("/v1/users/ann", headers=bearer(made.json()["token"])).json()
    assert [each["name"] for each in shown["segments"]] == ["big_buyers"]
    assert shown["attributes"]["traits"] == {}, "an empty list is nothing, not everything"
    visitor = http.post("/v1/tokens", json={"user_id": "v1", "visitor": True}, headers=admin).json()
    assert (visitor["user_id"], status_of(guarded, "anon:v1", visitor["token"])) == ("anon:v1", 200)


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({}, "E744"),
        ({"user": "ann"}, "E744"),
        ({"user_id": 7}, "E781"),
        ({"user_id": ""}, "E768"),
        ({"user_id": "ann", "ttl": "forever"}, "E768"),
        ({"user_id": "ann", "ttl": 900}, "E781"),
        ({"user_id": "ann", "segments": "vip"}, "E781"),
        ({"user_id": "ann", "attributes": ["plan"]}, "E766"),
        ({"user_id": "ann", "for_ever": True}, "E744"),
    ],
)
def test_orders_for_tokens_that_are_none(guarded: Guarded, order: dict[str, Any], code: str) -> None:
    refused = guarded.server.http.post("/v1/tokens", json=order, headers=bearer(guarded.keys["admin"]))
    assert (refused.status_code, refused.json()["code"]) == (400, code)


# ---- visitors, and profiles that become one --------------------------------------------------


def status_of(guarded: Guarded, user: str, token: str) -> int:
    params = {"user_id": user}
    return guarded.server.http.get("/user/segments", params=params, headers=bearer(token)).status_code


def identify(guarded: Guarded, kind: str, **body: Any) -> None:
    header = bearer(guarded.keys["write"])
    assert guarded.server.http.post(f"/v1/{kind}", json=body, headers=header).status_code == 200


def test_a_visitor_sees_itself_alone(guarded: Guarded) -> None:
    token = guarded.keys["visitor"]
    assert status_of(guarded, "anon:v1", token) == 200
    assert status_of(guarded, "anon:v2", token) == 403
    assert status_of(guarded, "v1", token) == 403
    assert status_of(guarded, "ann", token) == 403


def test_a_visitors_token_ends_when_the_profile_gets_an_owner(guarded: Guarded) -> None:
    """Somebody else at the same browser must not read what the owner does afterwards."""
    identify(guarded, "page", anonymousId="v3", name="Home")
    guarded.await_users("anon:v3")
    token = guarded.token("v3", "--visitor")
    assert status_of(guarded, "anon:v3", token) == 200
    identify(guarded, "identify", anonymousId="v3", userId="owner")
    guarded.await_users("owner")
    assert status_of(guarded, "anon:v3", token) == 403
    assert status_of(guarded, "owner", token) == 403
    assert status_of(guarded, "anon:v3", guarded.keys["read"]) == 200, "a read key is led to the owner"


def test_the_token_of_an_absorbed_profile_opens_nothing(guarded: Guarded) -> None:
    """With the public write key anyone can join their own profile to another: it must not show that one."""
    guarded.send("victim")
    guarded.send("attacker")
    guarded.await_users("victim", "attacker")
    token = guarded.token("attacker")
    assert status_of(guarded, "attacker", token) == 200
    identify(guarded, "alias", userId="victim", previousId="attacker")
    read = bearer(guarded.keys["read"])
    eventually(
        lambda: guarded.server.http.get("/v1/users/attacker", headers=read).json()["user_id"] == "victim"
    )
    assert status_of(guarded, "attacker", token) == 403
    assert status_of(guarded, "victim", token) == 403


# ---- read keys with a scope ------------------------------------------------------------------


def test_a_scope_narrows_what_is_shown(guarded: Guarded) -> None:
    http, header = guarded.server.http, bearer(guarded.keys["scoped"])
    ann = http.get("/v1/users/ann", headers=header).json()
    assert [each["name"] for each in ann["segments"]] == ["buyers"]
    assert ann["attributes"]["traits"] == {"plan": "pro"}
    assert [each["name"] for each in http.get("/v1/segments", headers=header).json()["segments"]] == [
        "buyers"
    ]
    changes = http.get("/v1/changes", headers=header).json()["changes"]
    assert {each["segment"] for each in changes} == {"buyers"}
    everything = http.get("/v1/changes", headers=bearer(guarded.keys["read"])).json()["changes"]
    assert {each["segment"] for each in everything} == {"buyers", "big_buyers"}


@pytest.mark.parametrize(
    "path",
    ["/v1/segments/{}", "/v1/segments/{}/members", "/v1/segments/{}/history", "/v1/changes?segment={}"],
)
def test_a_hidden_segment_looks_like_none(guarded: Guarded, path: str) -> None:
    http, header = guarded.server.http, bearer(guarded.keys["scoped"])
    shown = [http.get(path.format(name), headers=header) for name in ("big_buyers", "big_byers", "gone")]
    assert {each.status_code for each in shown} == {404}
    bodies = [each.text.replace("big_byers", "big_buyers").replace("gone", "big_buyers") for each in shown]
    assert len(set(bodies)) == 1
    assert http.get(path.format("buyers"), headers=header).status_code == 200


def test_pages_of_changes_go_on_behind_what_is_hidden(guarded: Guarded) -> None:
    http, header = guarded.server.http, bearer(guarded.keys["scoped"])
    whole = http.get("/v1/changes", headers=header).json()["changes"]
    seen: list[Any] = []
    after = 0
    while page := http.get("/v1/changes", params={"limit": 1, "after": after}, headers=header).json():
        if not page["changes"]:
            break
        seen += page["changes"]
        after = page["next"]
    assert seen[: len(whole)] == whole


def test_with_a_public_key_nobody_is_joined(guarded: Guarded) -> None:
    """The attack: my own token, the key of the page, and an alias that brings another profile to me."""
    guarded.send("rich")
    guarded.send("poor")
    guarded.await_users("rich", "poor")
    token, http = guarded.token("poor"), guarded.server.http
    public = guarded.key("page", "write", "--public")
    attack = {"userId": "poor", "previousId": "rich"}
    assert http.post("/v1/alias", json=attack, headers=bearer(public)).status_code == 200
    seen = http.get("/v1/users/poor/events", headers=bearer(token)).json()["events"]
    assert [each["type"] for each in seen] == ["track"]
    held = guarded.server.control("quarantine list", state="open", limit=None)[-1]
    assert (held["code"], held["source"]) == ("E769", "page")
    assert guarded.knows("rich")
    control = bearer(guarded.keys["write"])
    assert http.post("/v1/alias", json=attack, headers=control).status_code == 200
    path = "/v1/users/poor/events"
    assert eventually(lambda: len(http.get(path, headers=bearer(token)).json()["events"]) == 3)

"""Who sees what through the graph: the same as over REST, whichever way it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.api.graphql.test_subscriptions import CHANGES, Talk, heard, talking
from tests.api.guarded.guard import Guarded, bearer, guard
from tests.api.serving import eventually, serving

OWN = '{ user(id: "ann") { segments { name } attributes { traits } } }'
EVENTS = '{ user(id: "ann") { events { name } } }'
EXPLAIN = '{ explain(user_id: "ann", segment: "buyers") { member } }'
OTHER = '{ user(id: "ben") { known } }'
NOBODY = '{ user(id: "nobody") { known } }'
BOTH = '{ users(ids: ["ann", "ben"]) { known } }'
SEGMENTS = "{ segments { name } }"
BUYERS = '{ segment(name: "buyers") { members { total } history { next } } }'
BIG = '{ segment(name: "big_buyers") { size } }'
CHANGED = "{ changes { changes { user_id segment } } }"
PREVIEW = '{ preview(when: "true") { count } }'


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with serving(tmp_path_factory.mktemp("graph")) as server:
        made = guard(server)
        for user in ("ann", "ben"):
            made.send(user, properties={"total": 500})
            body = {"userId": user, "traits": {"plan": "pro", "email": f"{user}@shop.example"}}
            server.http.post("/v1/identify", json=body, headers=bearer(made.keys["write"]))
        made.keys["token"] = made.token("ann")
        eventually(lambda: ask(made, "admin", OWN)["data"]["user"]["attributes"]["traits"].get("plan"))
        yield made


def ask(guarded: Guarded, who: str, query: str) -> dict[str, Any]:
    headers = {} if who == "none" else bearer(guarded.keys[who])
    answer = guarded.server.http.post("/graphql", json={"query": query}, headers=headers)
    found: dict[str, Any] = answer.json()
    return found


def refused(guarded: Guarded, who: str, query: str) -> str | None:
    found = ask(guarded, who, query)
    if "errors" not in found:
        return None
    if "extensions" not in found["errors"][0]:
        return str(found["code"])
    assert found["data"] is None
    return str(found["errors"][0]["extensions"]["code"])


@pytest.mark.parametrize(
    "query", [OWN, EVENTS, EXPLAIN, OTHER, BOTH, SEGMENTS, BUYERS, BIG, CHANGED, PREVIEW]
)
def test_a_key_sees_all_and_a_stranger_nothing(guarded: Guarded, query: str) -> None:
    assert refused(guarded, "read", query) is None
    assert refused(guarded, "none", query) == "E760"
    assert refused(guarded, "write", query) == "E762"
    assert refused(guarded, "revoked", query) == "E761"


@pytest.mark.parametrize("query", [OTHER, NOBODY, BOTH, SEGMENTS, BUYERS, BIG, CHANGED, PREVIEW])
def test_a_token_opens_its_own_profile_alone(guarded: Guarded, query: str) -> None:
    assert refused(guarded, "token", query) == "E762"


def test_absent_and_forbidden_look_the_same(guarded: Guarded) -> None:
    answers = [ask(guarded, "token", query) for query in (OTHER, NOBODY)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("query", [OWN, EVENTS, EXPLAIN])
def test_what_a_token_may_ask(guarded: Guarded, query: str) -> None:
    assert refused(guarded, "token", query) is None


@pytest.mark.parametrize("query", [EVENTS, EXPLAIN, PREVIEW, BIG])
def test_what_cannot_be_narrowed_is_refused_to_a_limited_key(guarded: Guarded, query: str) -> None:
    assert refused(guarded, "scoped", query) in {"E762", "E701"}


def test_a_limited_key_sees_its_part(guarded: Guarded) -> None:
    user = ask(guarded, "scoped", OWN)["data"]["user"]
    assert user == {"segments": [{"name": "buyers"}], "attributes": {"traits": {"plan": "pro"}}}
    assert ask(guarded, "scoped", SEGMENTS)["data"]["segments"] == [{"name": "buyers"}]
    changes = ask(guarded, "scoped", CHANGED)["data"]["changes"]["changes"]
    assert {each["segment"] for each in changes} == {"buyers"}
    assert refused(guarded, "read", CHANGED) is None
    assert {each["segment"] for each in ask(guarded, "read", CHANGED)["data"]["changes"]["changes"]} > {
        "buyers"
    }


def test_a_token_hears_its_own_user(guarded: Guarded) -> None:
    with talking(guarded.server, additional_headers=bearer(guarded.keys["token"])) as talk:
        talk.begin()
        talk.subscribe("1", CHANGES, a=0)
        assert {heard(talk)[1] for _ in range(2)} == {"ann"}
        talk.subscribe("2", CHANGES, u="ben", a=0)
        assert code_of(talk, "2") == "E762"


def code_of(talk: Talk, number: str) -> str:
    while (said := talk.hear())["id"] != number or said["type"] == "complete":
        pass
    errors = said["payload"] if said["type"] == "error" else said["payload"]["errors"]
    return str(errors[0]["extensions"]["code"])


@pytest.mark.parametrize("who", ["none", "write", "revoked", "expired"])
def test_strangers_are_refused_at_the_handshake(guarded: Guarded, who: str) -> None:
    headers = {} if who == "none" else bearer(guarded.keys[who])
    with pytest.raises(InvalidStatus) as ended, talking(guarded.server, additional_headers=headers):
        pass
    assert ended.value.response.status_code in {401, 403}


def test_a_browser_says_who_it_is_in_the_subprotocol(guarded: Guarded) -> None:
    with talking(guarded.server, f"token.{guarded.keys['token']}") as talk:
        talk.begin()
        talk.subscribe("1", CHANGES, a=0)
        assert heard(talk)[1] == "ann"


def test_a_right_that_ends_ends_the_subscription(guarded: Guarded) -> None:
    key = guarded.key("leaving", "read")
    with talking(guarded.server, additional_headers=bearer(key)) as talk:
        talk.begin()
        talk.subscribe("1", CHANGES)
        talk.say(type="ping")
        assert talk.hear()["type"] == "pong"
        guarded.segue("keys", "revoke", "leaving")
        said = talk.hear()
        assert (said["id"], said["type"]) == ("1", "error")
        assert said["payload"][0]["extensions"]["code"] == "E790"
        talk.subscribe("2", SEGMENTS)
        assert talk.closed() == 4403

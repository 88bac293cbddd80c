"""Who may ask for a decision, and how much of its reasons they are told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.guarded.guard import Guarded, bearer, guard
from tests.experiences.page import ask, shop


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with shop(tmp_path_factory.mktemp("shop")) as running:
        made = guard(running)
        made.send("ann", properties={"total": 5})
        made.await_users("ann")
        yield made


def test_a_key_is_told_the_conditions(guarded: Guarded) -> None:
    found = ask(guarded.server, "ann", key=guarded.keys["read"])["slots"]["hero"]
    assert found["text"] == "the user is in its audience: buyers"
    assert "text" in found["passed"][0]


def test_a_token_is_told_which_and_not_why(guarded: Guarded) -> None:
    token = guarded.token("ann")
    found = ask(guarded.server, None, key=token)
    assert (found["user_id"], found["slots"]["hero"]["variant"]) == ("ann", "thanks")
    assert "text" not in found["slots"]["hero"]
    assert set(found["slots"]["hero"]["passed"][0]) == {"experience", "variant", "why"}
    assert "buyers" not in str(found)


def test_a_visitor_decides_for_themselves_alone(guarded: Guarded) -> None:
    token = guarded.token("a9", "--visitor")
    assert ask(guarded.server, None, "side", key=token)["user_id"] == "anon:a9"
    refused = _asked(guarded, token, {"user_id": "ann", "slots": ["side"]})
    assert refused == (403, "E762")


def test_a_key_with_a_scope_is_not_told_the_conditions(guarded: Guarded) -> None:
    found = ask(guarded.server, "ann", key=guarded.keys["scoped"])
    assert "text" not in found["slots"]["hero"]


@pytest.mark.parametrize("key", ["write", "revoked", "expired", "off"])
def test_others_are_told_nothing(guarded: Guarded, key: str) -> None:
    status, _ = _asked(guarded, guarded.keys[key], {"user_id": "ann", "slots": ["hero"]})
    assert status in {401, 403}


def test_nor_does_the_graph_tell_more(guarded: Guarded) -> None:
    token = guarded.token("ann")
    question = '{ decide(slots: ["hero"], record: false) { user_id slots { text passed { text } } } }'
    found = guarded.server.http.post("/graphql", json={"query": question}, headers=bearer(token)).json()
    assert found["data"]["decide"]["user_id"] == "ann"
    (slot,) = found["data"]["decide"]["slots"]
    assert slot["text"] is None
    assert {each["text"] for each in slot["passed"]} <= {None}
    other = question.replace("slots:", 'user_id: "bob", slots:')
    refused = guarded.server.http.post("/graphql", json={"query": other}, headers=bearer(token)).json()
    assert refused["errors"][0]["extensions"]["code"] == "E762"


def _asked(guarded: Guarded, key: str, body: object) -> tuple[int, str]:
    found = guarded.server.http.post("/v1/decide", json=body, headers=bearer(key))
    return found.status_code, found.json()["code"]

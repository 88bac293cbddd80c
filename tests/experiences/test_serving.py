"""A real server decides, says why, and records what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.serving import Running, eventually
from tests.experiences.page import ask, buy, exposures, shop, variant


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with shop(tmp_path_factory.mktemp("shop")) as running:
        yield running


def test_nobody_gets_the_fallback_with_every_reason(server: Running) -> None:
    found = ask(server, "nobody")
    assert found == {
        "user_id": "nobody",
        "known": False,
        "version": found["version"],
        "slots": {
            "hero": {
                "experience": None,
                "variant": None,
                "payload": {"title": "Welcome"},
                "reason": "fallback",
                "text": "no variant is for the user",
                "passed": [
                    {
                        "experience": "hero_banner",
                        "variant": "thanks",
                        "why": "audience",
                        "text": "the user is not in its audience: buyers",
                    },
                    {
                        "experience": "hero_banner",
                        "variant": "mobile",
                        "why": "audience",
                        "text": "the user is not in its audience: "
                        'request.device == "mobile" and count("Product Viewed", last 7d) > 0',
                    },
                ],
            }
        },
    }


def test_an_event_changes_the_next_answer(server: Running) -> None:
    assert variant(server, "ann", record=False) is None
    buy(server, "ann")
    found = ask(server, "ann", record=False)["slots"]["hero"]
    assert (found["variant"], found["reason"]) == ("thanks", "audience")
    assert found["payload"] == {"title": "Thanks", "html": "<b>you</b>", "safe": True}
    assert [each["why"] for each in found["passed"]] == ["outranked"]
    assert exposures(server, "ann") == []


def test_the_request_counts_where_the_user_does(server: Running) -> None:
    server.track("bea", "Product Viewed")
    eventually(lambda: variant(server, "bea", context={"device": "mobile"}, record=False))
    assert variant(server, "bea", context={"device": "desktop"}, record=False) is None
    assert variant(server, "bea", context={}, record=False) is None


def test_recent_events_count_for_one_answer(server: Running) -> None:
    events = [{"event": "Product Viewed", "properties": {"product_id": "p"}}]
    question: dict[str, Any] = {"context": {"device": "mobile"}, "record": False}
    assert variant(server, "new", events=events, **question) == "mobile"
    assert variant(server, "new", **question) is None
    server.track("cid", "Order Completed", total=1)
    eventually(lambda: server.segments_of("cid"))
    assert variant(server, "cid", events=events, **question) == "thanks"


def test_what_is_shown_is_durable_before_it_is_answered(server: Running) -> None:
    assert ask(server, "dan", "side")["slots"]["side"]["payload"] == 1
    assert exposures(server, "dan") == [("Experience Viewed", "only")]
    assert ask(server, "anon:visitor", "side")["user_id"] == "anon:visitor"
    assert exposures(server, "anon:visitor") == [("Experience Viewed", "only")]
    assert server.control("quality")[0]["quarantined"] == []


def test_a_cap_holds_however_many_pages_are_open(server: Running) -> None:
    buy(server, "eve")
    with ThreadPoolExecutor(8) as pages:
        shown = list(pages.map(lambda _: variant(server, "eve"), range(24)))
    assert shown.count("thanks") == 2
    assert set(shown) == {"thanks", None}
    assert exposures(server, "eve") == [("Experience Viewed", "thanks")] * 2
    passed = ask(server, "eve")["slots"]["hero"]["passed"]
    assert passed[0]["why"] == "cap"


def test_a_page_may_say_itself_what_came_into_view(server: Running) -> None:
    buy(server, "fay")
    for _ in range(3):
        assert variant(server, "fay", record=False) == "thanks"
    for _ in range(2):
        server.track("fay", "Experience Viewed", experience="hero_banner", slot="hero", variant="thanks")
    assert eventually(lambda: variant(server, "fay", record=False) is None)


def test_the_holdout_is_withheld_what_the_others_see(server: Running) -> None:
    users = [f"h{number}" for number in range(60)]
    first = {user: ask(server, user, "foot")["slots"]["foot"] for user in users}
    again = {user: ask(server, user, "foot")["slots"]["foot"]["variant"] for user in users}
    assert again == {user: each["variant"] for user, each in first.items()}
    kinds = {each["variant"] for each in first.values()}
    assert kinds == {"calm", "loud", None}
    for user, each in first.items():
        name, withheld = exposures(server, user)[0]
        if each["variant"] is None:
            assert (name, each["payload"]) == ("Experience Withheld", {})
            assert {passed["why"] for passed in each["passed"]} == {"holdout"}
        else:
            assert (name, withheld) == ("Experience Viewed", each["variant"])
            assert each["reason"] == "draw"


def test_a_suppressed_user_is_shown_the_fallback_and_not_recorded(server: Running) -> None:
    buy(server, "gus")
    assert server.http.put("/v1/users/gus/suppression").status_code == 200
    found = ask(server, "gus", "hero", "side")
    assert {each["reason"] for each in found["slots"].values()} == {"suppressed"}
    assert (found["known"], found["slots"]["side"]["payload"]) == (False, 0)
    assert found["slots"]["hero"]["passed"] == []


def test_forgetting_takes_the_exposures_and_the_kept_answers(server: Running) -> None:
    buy(server, "hal")
    assert [variant(server, "hal") for _ in range(3)] == ["thanks", "thanks", None]
    ask(server, "hal", "foot")
    before = report(server, "trial")
    assert server.http.delete("/v1/users/hal").json()["forgotten"] is True
    after = report(server, "trial")
    assert after["total"]["shown"]["users"] + after["total"]["withheld"]["users"] == (
        before["total"]["shown"]["users"] + before["total"]["withheld"]["users"] - 1
    )
    assert exposures(server, "hal") == []
    found = ask(server, "hal", record=False)
    assert (found["known"], found["slots"]["hero"]["variant"]) == (False, None)
    for path in server.data.rglob("*"):
        if path.is_file() and path.name != "serve.json":
            assert b'"hal"' not in path.read_bytes(), path


def test_the_answer_follows_a_merge(server: Running) -> None:
    server.http.post("/v1/track", json={"anonymousId": "pat", "event": "Order Completed",
                                        "properties": {"total": 5}})  # fmt: skip
    eventually(lambda: "buyers" in server.segments_of("anon:pat"))
    assert variant(server, "anon:pat", record=False) == "thanks"
    assert variant(server, "ivy", record=False) is None
    server.http.post("/v1/identify", json={"anonymousId": "pat", "userId": "ivy"})
    eventually(lambda: variant(server, "ivy", record=False) == "thanks")
    assert ask(server, "anon:pat", record=False)["user_id"] == "ivy"


def test_another_payload_is_served_once_it_is_applied(server: Running) -> None:
    assert ask(server, "jim", "side")["slots"]["side"]["payload"] == 1
    path = server.folder / "workspace" / "experiences" / "all.yaml"
    path.write_text(path.read_text().replace("payload: 1}", "payload: 2}"))
    (planned,) = server.control("apply", folder=str((server.folder / "workspace").resolve()))
    assert [each["name"] for each in planned["differences"]] == ["wide"]
    assert ask(server, "jim", "side")["slots"]["side"]["payload"] == 2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"user_id": "u", "slots": ["heero"]}, 404, "E836"),
        ({"slots": ["hero"]}, 400, "E835"),
        ({"user_id": "u"}, 400, "E835"),
        ({"user_id": "u", "slots": []}, 400, "E835"),
        ({"user_id": "u", "slots": "hero"}, 400, "E835"),
        ({"user_id": "u", "slots": ["hero"], "slot": "hero"}, 400, "E835"),
        ({"user_id": "u", "slots": ["hero"], "context": []}, 400, "E835"),
        ({"user_id": "u", "slots": ["hero"], "record": 1}, 400, "E835"),
        ({"user_id": "", "slots": ["hero"]}, 400, "E835"),
        ({"user_id": "u" * 1025, "slots": ["hero"]}, 400, "E835"),
        ({"user_id": "u", "slots": ["hero"] * 51}, 400, "E838"),
        ({"user_id": "u", "slots": ["hero"], "events": [{"event": "E"}] * 101}, 400, "E838"),
        ({"user_id": "u", "slots": ["hero"], "events": [5]}, 400, "E835"),
        ({"user_id": "u", "slots": ["hero"], "events": [{"type": "alias"}]}, 400, "E839"),
        ({"user_id": "u", "slots": ["hero"], "events": [{"type": "group", "groupId": "g"}]}, 400, "E839"),
        ({"user_id": "u", "slots": ["hero"], "events": [{"type": "track"}]}, 400, "E839"),
        ({"user_id": "u", "slots": ["hero"], "events": [{"event": "E", "timestamp": "soon"}]}, 400, "E839"),
        ([], 400, "E744"),
    ],
)
def test_a_question_that_is_none_is_refused(server: Running, body: object, status: int, code: str) -> None:
    found = server.http.post("/v1/decide", json=body)
    assert (found.status_code, found.json()["code"]) == (status, code)
    assert found.json()["errors"][0]["hint"]


def test_the_most_that_may_be_asked_is_answered(server: Running) -> None:
    events = [{"event": "Product Viewed"}] * 100
    found = ask(server, "u" * 1024, *["hero"] * 50, events=events, record=False)
    assert list(found["slots"]) == ["hero"]
    odd = {"device": 10**30, "page": {"a": [None, 1e300, "\U0001f600"]}}
    assert variant(server, "odd", context=odd, record=False) is None


def test_the_graph_says_the_same(server: Running) -> None:
    buy(server, "kim")
    question = """query($context: JSON) { decide(user_id: "kim", slots: ["hero", "side"], context: $context) {
      user_id known slots { slot experience variant payload reason text passed { variant why } } } }"""
    answer = server.http.post("/graphql", json={"query": question, "variables": {"context": {"device": "x"}}})
    found = answer.json()["data"]["decide"]
    rest = ask(server, "kim", "hero", "side", record=False, context={"device": "x"})
    assert [each["slot"] for each in found["slots"]] == ["hero", "side"]
    for each in found["slots"]:
        same = rest["slots"][each.pop("slot")]
        assert each["passed"] == [{key: p[key] for key in ("variant", "why")} for p in same["passed"]]
        assert {**each, "passed": 0} == {**same, "passed": 0}
    assert exposures(server, "kim") == [("Experience Viewed", "thanks"), ("Experience Viewed", "only")]
    refused = server.http.post("/graphql", json={"query": '{ decide(slots: ["x"], user_id: "a") { known } }'})
    assert refused.json()["errors"][0]["extensions"]["code"] == "E836"


def report(server: Running, name: str) -> dict[str, dict[str, dict[str, int]]]:
    found: dict[str, dict[str, dict[str, int]]] = server.control("experiences report", name=name)[0]
    return found

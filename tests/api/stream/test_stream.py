"""What listeners hear: their own, in order, once."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.api.serving import Running, eventually
from tests.api.stream.hearing import events, listening, opened


def told(server: Running, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.http.get("/v1/changes", params=query).json()["changes"]
    return found


def head(server: Running) -> int:
    return max((each["seq"] for each in told(server)), default=0)


def test_a_follower_hears_its_user_alone_and_word_for_word_what_is_stored(server: Running) -> None:
    with listening(server, "user_id=ann") as heard:
        server.track("bob", "Order Completed", total=500)
        server.track("ann", "Order Completed", total=1)
        said = heard.changes(1)
        server.track("bob", "Order Completed", total=500)
        server.track("ann", "Order Completed", total=500)
        said += heard.changes(1)
    assert [(each["user_id"], each["segment"]) for each in said] == [("ann", "buyers"), ("ann", "big_buyers")]
    assert said == [each for each in told(server) if each["user_id"] == "ann"]


def test_a_segment_is_followed_and_everything(server: Running) -> None:
    with listening(server, "segment=big_buyers") as some, listening(server) as every:
        server.track("cid", "Order Completed", total=500)
        assert some.change() == ("cid", "big_buyers", "entered")
        assert {every.change()[1], every.change()[1]} == {"big_buyers", "buyers"}


def test_one_user_in_one_segment(server: Running) -> None:
    with listening(server, "segment=big_buyers&user_id=dan") as heard:
        server.track("dan", "Order Completed", total=1)
        server.track("eve", "Order Completed", total=500)
        server.track("dan", "Order Completed", total=500)
        assert heard.change() == ("dan", "big_buyers", "entered")


def test_a_user_whom_nobody_knows_yet_is_heard_from_the_first_change_on(server: Running) -> None:
    with listening(server, "user_id=new") as heard:
        server.track("new", "Order Completed", total=1)
        assert heard.change() == ("new", "buyers", "entered")


def test_what_was_stored_comes_first_then_what_happens(server: Running) -> None:
    before = head(server)
    for number in range(30):
        server.track(f"f{number}", "Order Completed", total=1)
    eventually(lambda: head(server) == before + 30)
    with opened(server, f"after={before + 10}") as heard:
        server.track("f30", "Order Completed", total=1)
        seqs = [each["seq"] for each in heard.changes(21)]
    assert seqs == list(range(before + 11, before + 32))


def test_the_notice_says_up_to_where_all_was_sent(server: Running) -> None:
    server.track("gil", "Order Completed", total=1)
    eventually(lambda: "gil" in {each["user_id"] for each in told(server)})
    with opened(server, "user_id=gil") as heard:
        assert heard.next() == {
            "notice": "listening", "seq": head(server), "user_id": "gil", "segment": None,
        }  # fmt: skip


def test_server_sent_events_carry_the_same_and_resume_after_their_id(server: Running) -> None:
    with events(server, "user_id=hal") as found:
        assert next(found)["event"] == "notice"
        server.track("hal", "Order Completed", total=1)
        first = next(found)
        server.track("hal", "Order Completed", total=500)
        second = next(found)
    stored = [each for each in told(server) if each["user_id"] == "hal"]
    assert [json.loads(each["data"]) for each in (first, second)] == stored
    assert first == {"id": str(stored[0]["seq"]), "data": first["data"]}
    # A browser comes back to the address it was given, with the id of the last event that it has.
    with events(server, "user_id=hal&after=0", last_event_id=first["id"]) as again:
        assert next(again) == second


def test_an_absorbed_profile_is_followed_into_its_survivor(server: Running) -> None:
    with listening(server, "user_id=anon:v1") as heard:
        visit = {"anonymousId": "v1", "event": "Order Completed", "properties": {"total": 1}}
        assert server.http.post("/v1/track", json=visit).status_code == 200
        assert heard.change() == ("anon:v1", "buyers", "entered")
        joined = {"anonymousId": "v1", "userId": "ida", "traits": {}}
        assert server.http.post("/v1/identify", json=joined).status_code == 200
        found = [heard.next() for _ in range(3)]
    assert {"notice": "profile", "user_id": "ida"} in found
    changes = [each for each in found if "notice" not in each]
    assert [(each["user_id"], each["action"]) for each in changes] == [
        ("anon:v1", "left"),
        ("ida", "entered"),
    ]


def test_an_alias_leads_to_its_user(server: Running) -> None:
    server.track("jim", "Order Completed", total=1)
    assert server.http.post("/v1/alias", json={"userId": "jim", "previousId": "old-jim"}).status_code == 200
    eventually(lambda: server.segments_of("old-jim"))
    last = eventually(
        lambda: max((each["seq"] for each in told(server) if each["user_id"] == "jim"), default=0)
    )
    with opened(server, f"user_id=old-jim&after={last}") as heard:
        assert heard.next()["user_id"] == "jim"
        server.track("jim", "Order Completed", total=500)
        assert heard.change() == ("jim", "big_buyers", "entered")


def test_an_id_that_becomes_an_alias_is_heard(server: Running) -> None:
    server.track("kim", "Order Completed", total=1)
    eventually(lambda: "kim" in {each["user_id"] for each in told(server)})
    last = told(server)[-1]["seq"]
    with listening(server, f"user_id=old-kim&after={last}") as heard:
        assert (
            server.http.post("/v1/alias", json={"userId": "kim", "previousId": "old-kim"}).status_code == 200
        )
        server.track("kim", "Order Completed", total=500)
        found = heard.changes(1)[0]
    assert (found["user_id"], found["segment"]) == ("kim", "big_buyers")


def test_the_forgotten_leave_under_the_id_that_listeners_know(server: Running) -> None:
    with listening(server, "user_id=lea") as one, listening(server, "segment=buyers") as all_of_it:
        server.track("lea", "Order Completed", total=1)
        assert one.change() == ("lea", "buyers", "entered")
        assert all_of_it.change() == ("lea", "buyers", "entered")
        assert server.http.delete("/v1/users/lea").status_code == 200
        assert one.change() == ("lea", "buyers", "left")
        left = all_of_it.next()
        assert (left["user_id"], left["cause"]) == ("lea", {"type": "forget"})
        stored = told(server, after=left["seq"] - 1)[0]
        assert stored["user_id"].startswith("forgotten:")
        assert (stored["seq"], stored["id"]) == (left["seq"], left["id"])
        server.track("lea", "Order Completed", total=1)
        assert one.change() == ("lea", "buyers", "entered")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("segment=byers", 404, "E701"),
        ("after=x", 400, "E743"),
        ("after=99999999", 400, "E743"),
        ("usr=1", 400, "E743"),
    ],
)
def test_a_wrong_question_fails_in_the_handshake(server: Running, query: str, status: int, code: str) -> None:
    with pytest.raises(InvalidStatus) as refused, opened(server, query):
        pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body)["code"] == code
    answer = server.http.get(f"/v1/stream?{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_pages_of_other_sites_may_not_listen(server: Running) -> None:
    own = str(server.said["url"])
    with listening(server, origin=own):
        pass
    with pytest.raises(InvalidStatus) as refused, opened(server, origin="https://evil.example"):
        pass
    assert (refused.value.response.status_code, json.loads(refused.value.response.body)["code"]) == (
        403,
        "E788",
    )
    answer = server.http.get("/v1/stream", headers={"Origin": "https://evil.example"})
    assert answer.json()["code"] == "E788"
    assert "access-control-allow-origin" not in answer.headers


def test_a_head_request_does_not_wait(server: Running) -> None:
    answer = server.http.head("/v1/stream")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


def test_another_route_is_no_websocket(server: Running) -> None:
    url = str(server.said["url"]).replace("http", "ws", 1)
    with pytest.raises(InvalidStatus), connect(f"{url}/v1/nothing"):
        pass


def test_too_long_a_message_ends_the_stream_and_a_short_one_does_not(server: Running) -> None:
    with listening(server, "user_id=mia") as heard:
        heard.socket.send("hello")
        server.track("mia", "Order Completed", total=1)
        assert heard.change() == ("mia", "buyers", "entered")
        heard.socket.send("x" * 70_000)
        assert heard.until_closed()[1] == 1009


def test_a_client_that_leaves_costs_nothing_more(server: Running) -> None:
    for _ in range(20):
        with (
            listening(server, "user_id=nia"),
            httpx.stream("GET", f"{server.said['url']}/v1/stream?user_id=nia"),
        ):
            pass
    with listening(server, "user_id=nia") as heard:
        server.track("nia", "Order Completed", total=1)
        assert heard.change() == ("nia", "buyers", "entered")

"""Subscriptions over real WebSockets: changes as they happen, and the protocol's rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.api.serving import PATIENCE_SECONDS, Running, eventually

PROTOCOL: Any = "graphql-transport-ws"
CHANGES = "subscription ($u: ID, $a: Seq) { changes(user_id: $u, after: $a) { seq user_id segment action } }"


class Talk:
    """A client that keeps to the protocol, unless told otherwise."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def hear(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.socket.recv(PATIENCE_SECONDS))
        return found

    def begin(self) -> None:
        self.say(type="connection_init")
        assert self.hear() == {"type": "connection_ack"}

    def subscribe(self, number: str, query: str, **variables: Any) -> None:
        self.say(type="subscribe", id=number, payload={"query": query, "variables": variables})

    def closed(self) -> int:
        """The code with which the server ends it."""
        try:
            while True:
                self.socket.recv(PATIENCE_SECONDS)
        except ConnectionClosed as ended:
            return 0 if ended.rcvd is None else ended.rcvd.code


@contextmanager
def talking(server: Running, *offered: str, **options: Any) -> Iterator[Talk]:
    url = server.said["url"].replace("http", "ws") + "/graphql"
    with connect(url, subprotocols=[PROTOCOL, *offered], **options) as socket:  # type: ignore[list-item]
        yield Talk(socket)


def buy(server: Running, user: str, total: float = 1) -> None:
    server.track(user, "Order Completed", total=total)
    eventually(lambda: "buyers" in server.segments_of(user))


def heard(talk: Talk) -> tuple[str, str, str]:
    said = talk.hear()
    assert said["type"] == "next"
    change = said["payload"]["data"]["changes"]
    return said["id"], change["user_id"], change["segment"]


def test_a_users_changes_as_they_happen(server: Running) -> None:
    with talking(server) as talk:
        assert talk.socket.subprotocol == PROTOCOL
        talk.begin()
        talk.subscribe("1", CHANGES, u="graph-live", a=0)
        buy(server, "graph-other", 500)
        buy(server, "graph-live", 500)
        assert heard(talk) == ("1", "graph-live", "big_buyers")
        assert heard(talk) == ("1", "graph-live", "buyers")


def test_what_is_stored_comes_first_and_nothing_is_missed(server: Running) -> None:
    buy(server, "graph-before")
    with talking(server) as talk:
        talk.begin()
        talk.subscribe("all", CHANGES, a=0)
        buy(server, "graph-after")
        last = server.http.get("/v1/changes?limit=10000").json()["next"]
        seqs = [talk.hear()["payload"]["data"]["changes"]["seq"] for _ in range(last)]
        assert seqs == list(range(1, last + 1))


def test_several_at_once_and_one_is_ended(server: Running) -> None:
    with talking(server) as talk:
        talk.begin()
        for name in ("a", "b"):
            talk.subscribe(name, CHANGES, u="graph-two", a=0)
        buy(server, "graph-two")
        assert {heard(talk)[0], heard(talk)[0]} == {"a", "b"}
        talk.say(type="complete", id="a")
        talk.say(type="ping")
        assert talk.hear() == {"type": "pong"}
        server.track("graph-two", "Order Completed", total=900)
        assert heard(talk) == ("b", "graph-two", "big_buyers")


def test_questions_are_answered_too(server: Running) -> None:
    with talking(server) as talk:
        talk.begin()
        talk.subscribe("q", '{ segment(name: "buyers") { owner } }')
        found = talk.hear()
        assert found["payload"] == {"data": {"segment": {"owner": "crm@shop.example"}}}
        assert talk.hear() == {"id": "q", "type": "complete"}


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        ("{", {}, "E793"),
        ("subscription { nothing }", {}, "E793"),
        ('subscription { changes(segment: "byers") { seq } }', {}, "E701"),
        (CHANGES, {"a": 10**12}, "E743"),
        (CHANGES, {"a": -1}, "E743"),
        ("{" + " ".join(f'a{n}: preview(when: "true") {{ count }}' for n in range(50)) + "}", {}, "E794"),
    ],
)
def test_what_is_refused_leaves_the_connection(
    server: Running, query: str, variables: dict[str, Any], expected: str
) -> None:
    with talking(server) as talk:
        talk.begin()
        talk.subscribe("x", query, **variables)
        said = talk.hear()
        errors = said["payload"] if said["type"] == "error" else said["payload"]["errors"]
        assert errors[0]["extensions"]["code"] == expected
        talk.say(type="ping")
        while (said := talk.hear())["type"] != "pong":
            assert said["type"] == "complete"


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["{"], 4400),
        (["[]"], 4400),
        (['{"type": "nothing"}'], 4400),
        (['{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}'], 4401),
        (['{"type": "connection_init"}'] * 2, 4429),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": 1, "payload": {}}'], 4400),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": "1", "payload": {"query": 1}}'], 4400),
    ],
)
def test_who_breaks_the_protocol_is_sent_away(server: Running, messages: list[str], code: int) -> None:
    with talking(server) as talk:
        for each in messages:
            talk.socket.send(each)
        assert talk.closed() == code


def test_the_same_number_twice(server: Running) -> None:
    with talking(server) as talk:
        talk.begin()
        for _ in range(2):
            talk.subscribe("1", CHANGES, u="nobody")
        assert talk.closed() == 4409


def test_too_many_at_once(server: Running) -> None:
    with talking(server) as talk:
        talk.begin()
        for number in range(40):
            talk.subscribe(str(number), CHANGES, u="nobody")
        assert talk.closed() == 4413


def test_another_protocol_is_not_spoken(server: Running) -> None:
    url = server.said["url"].replace("http", "ws") + "/graphql"
    old: Any = "graphql-ws"
    with connect(url, subprotocols=[old]) as socket:
        assert Talk(socket).closed() == 4406


def test_pages_of_other_sites_are_kept_out(server: Running) -> None:
    with pytest.raises(InvalidStatus) as refused, talking(server, origin="https://evil.example"):
        pass
    assert refused.value.response.status_code == 403


def test_nobody_listens_on_after_leaving(server: Running) -> None:
    """The server ends in peace although somebody left without a word."""
    with talking(server) as talk:
        talk.begin()
        talk.subscribe("1", CHANGES, u="nobody")
        talk.socket.socket.close()
    assert server.http.get("/readyz").status_code == 200

"""Who may listen: looked at in the handshake, and again while the connection stands."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.api.serving import Running, serving
from tests.api.stream.hearing import events, listening, opened

QUICKER = """
import segue.domain.limits as limits
limits.STREAM_CHECK_SECONDS = 0.5
"""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that has a key: nothing is open to everyone any more."""
    with serving(tmp_path_factory.mktemp("locked"), before=QUICKER) as server:
        write = server.control("keys create", name="shop", kind="write")[0]["key"]
        server.http.headers["Authorization"] = f"Bearer {write}"
        yield server


def key(server: Running, **more: Any) -> str:
    return str(server.control("keys create", name="crm", kind="read", **more)[0]["key"])


def token(server: Running, user: str, **more: Any) -> str:
    return str(server.control("token", user=user, **more)[0]["token"])


def bearer(word: str) -> dict[str, Any]:
    return {"additional_headers": {"Authorization": f"Bearer {word}"}}


def refused(server: Running, query: str = "", **options: Any) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as found, opened(server, query, **options):
        pass
    response = found.value.response
    return response.status_code, json.loads(response.body)["code"]


def test_nobody_and_a_writer_hear_nothing(locked: Running) -> None:
    write = str(locked.http.headers["Authorization"]).removeprefix("Bearer ")
    assert refused(locked) == (401, "E760")
    assert refused(locked, **bearer("segue_read_" + "a" * 40)) == (401, "E761")
    assert refused(locked, **bearer(write)) == (403, "E762")
    assert refused(locked, "token=" + "a.b.c") == (401, "E761")


def test_a_token_hears_its_own_user_alone(locked: Running) -> None:
    own = token(locked, "tom")
    assert refused(locked, f"user_id=tim&token={own}") == (403, "E762")
    with listening(locked, f"token={own}") as heard:
        locked.track("tim", "Order Completed", total=500)
        locked.track("tom", "Order Completed", total=1)
        assert heard.change() == ("tom", "buyers", "entered")


def test_a_browser_offers_its_token_as_a_subprotocol(locked: Running) -> None:
    with listening(locked, subprotocols=["segue", "token." + token(locked, "ann")]) as heard:
        assert heard.socket.subprotocol == "segue"
        locked.track("ann", "Order Completed", total=1)
        assert heard.change() == ("ann", "buyers", "entered")


def test_server_sent_events_take_the_token_from_the_query(locked: Running) -> None:
    with events(locked, "user_id=bob", Authorization=f"Bearer {key(locked)}") as found:
        assert next(found)["event"] == "notice"


def test_a_key_hears_the_segments_of_its_scope(locked: Running) -> None:
    scoped = key(locked, segments=["big_buyers"])
    assert refused(locked, "segment=buyers", **bearer(scoped)) == (404, "E701")
    with listening(locked, **bearer(scoped)) as heard:
        locked.track("cat", "Order Completed", total=500)
        locked.track("dan", "Order Completed", total=1)
        locked.track("eve", "Order Completed", total=500)
        assert [heard.change()[:2], heard.change()[:2]] == [("cat", "big_buyers"), ("eve", "big_buyers")]


def test_a_revoked_key_hears_no_more(locked: Running) -> None:
    word = key(locked)
    with listening(locked, **bearer(word)) as heard:
        locked.control("keys revoke", key=word)
        said, code, reason = heard.until_closed()
    assert (said[-1]["notice"], said[-1]["code"], code) == ("closing", "E790", 1008)
    assert reason.startswith("E790")


def test_a_token_that_expires_ends_its_stream(locked: Running) -> None:
    began = time.monotonic()
    with listening(locked, "token=" + token(locked, "fay", ttl="2s")) as heard:
        assert heard.until_closed()[1] == 1008
    assert time.monotonic() - began > 1


def test_a_visitor_who_became_a_user_hears_nothing_of_the_user(locked: Running) -> None:
    word = token(locked, "v9", visitor=True)
    with listening(locked, f"token={word}") as heard:
        visit = {"anonymousId": "v9", "event": "Order Completed", "properties": {"total": 1}}
        assert locked.http.post("/v1/track", json=visit).status_code == 200
        assert heard.change() == ("anon:v9", "buyers", "entered")
        joined = {"anonymousId": "v9", "userId": "gus", "traits": {}}
        assert locked.http.post("/v1/identify", json=joined).status_code == 200
        locked.track("gus", "Order Completed", total=500)
        said, code, _ = heard.until_closed()
    assert code == 1008
    assert {each.get("user_id") for each in said if "action" in each} <= {"anon:v9"}

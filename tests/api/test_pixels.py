"""Events as images: always a GIF, and nothing that was sent is lost without a word."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from segue.api.pixels import GIF
from segue.domain.limits import PIXEL_KEY_DEPTH_MAX
from tests.api.serving import Running, eventually


def is_pixel(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.content, answer.headers["content-type"]) == (200, GIF, "image/gif")


def events_of(server: Running, user: str) -> list[Any]:
    return server.http.get(f"/v1/users/{user}/events").json()["events"]  # type: ignore[no-any-return]


def held(server: Running) -> list[Any]:
    return server.control("quarantine list", state="open")


def the_event_of(server: Running, user: str) -> Any:
    (event,) = eventually(lambda: events_of(server, user))
    return event


EVENT = {"event": "Opened", "properties": {"note": "?>~ßü"}}


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("standard", lambda text: base64.b64encode(text).decode()),
        ("urlsafe", lambda text: base64.urlsafe_b64encode(text).decode()),
        ("bare", lambda text: base64.urlsafe_b64encode(text).decode().rstrip("=")),
        ("blanks", lambda text: base64.b64encode(text).decode().replace("+", " ")),
        ("json", lambda text: text.decode()),
    ],
)
def test_every_spelling_of_data(server: Running, name: str, written: Any) -> None:
    user = f"pixel_{name}"
    text = json.dumps({**EVENT, "userId": user, "writeKey": "k"}, ensure_ascii=False).encode()
    assert is_pixel(server.http.get("/v1/pixel/track", params={"data": written(text)}))
    assert the_event_of(server, user)["properties"] == {"note": "?>~ßü"}


def test_a_plus_that_nobody_escaped(server: Running) -> None:
    event = {**EVENT, "userId": "plus", "properties": {"sign": "ûï¾>" * 3}}
    coded = base64.b64encode(json.dumps(event, ensure_ascii=False).encode()).decode()
    assert "+" in coded
    assert is_pixel(server.http.get(f"/v1/pixel/track/?data={coded}"))
    assert the_event_of(server, "plus")["properties"] == {"sign": "ûï¾>" * 3}


@pytest.mark.parametrize("path", ["/v1/pixel/track", "/pixel/v1/track", "/pixel/v1/track/"])
def test_plain_parameters_nest_at_their_dots(server: Running, path: str) -> None:
    user = "plain" + path.replace("/", "_")
    query = f"writeKey=k&userId={user}&event=Order+Completed&properties.total=101.5&properties.cart.id=7"
    assert is_pixel(server.http.get(f"{path}?{query}"))
    event = the_event_of(server, user)
    assert event["properties"] == {"total": "101.5", "cart": {"id": "7"}}
    assert eventually(lambda: server.segments_of(user)) == ["big_buyers", "buyers"]


def test_a_page_by_pixel(server: Running) -> None:
    assert is_pixel(server.http.get("/pixel/v1/page?anonymousId=leaf&name=Home&context.page.url=x"))
    assert the_event_of(server, "anon:leaf")["type"] == "page"


@pytest.mark.parametrize(
    "query",
    [
        "/v1/pixel/track",
        "/v1/pixel/track?data=%00",
        "/v1/pixel/track?data=!!!",
        "/v1/pixel/track?data=bm8",
        "/v1/pixel/track?data=" + "x" * 40_000,
        "/v1/pixel/bite?userId=u",
        "/v1/pixel/track?userId=u",
        "/v1/pixel/track?" + "&".join(f"k{number}=1" for number in range(1_001)),
        "/pixel/v1/track?event=Nobody",
        "/pixel/v1/page?a=1&a.b=2",
    ],
    ids=lambda query: query[:50],
)
def test_rubbish_is_a_picture_too_and_is_set_aside(server: Running, query: str) -> None:
    before = len(held(server))
    assert is_pixel(server.http.get(query))
    assert len(held(server)) == before + 1


def test_a_key_of_many_dots_nests_so_far(server: Running) -> None:
    assert is_pixel(server.http.get("/v1/pixel/track?userId=dots&event=%ff&properties" + "." * 5_000 + "=1"))
    event = the_event_of(server, "dots")
    assert event["name"] == "\ufffd"
    assert json.dumps(event["properties"]).count('{"": ') == PIXEL_KEY_DEPTH_MAX - 1


def test_keys_of_senders_are_not_kept(server: Running) -> None:
    coded = base64.b64encode(b'{"writeKey": "wk_secret_3", "event":').decode()
    for query in ("bite?a=1&writeKey=wk_secret_1", "track?writeKey=wk_secret_2", f"track?data={coded}"):
        assert is_pixel(server.http.get(f"/v1/pixel/{query}"))
    assert is_pixel(server.http.get("/v1/pixel/track?writeKey=wk_secret_4&userId=keyed&event=Seen"))
    assert "wk_secret" not in json.dumps([held(server), the_event_of(server, "keyed")])

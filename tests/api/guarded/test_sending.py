"""Write keys: where they are looked for, whose events they carry, and which pages may use them."""

from __future__ import annotations

import base64
import http.client
import json
import socket
from typing import Any

import httpx
import pytest

from tests.api.guarded.guard import Guarded, basic, bearer
from tests.api.serving import Running, eventually, serving

BAD = {"type": "track", "event": "E", "properties": {"marker": 1}}
"""Without an id: set aside in quarantine, beside the name of its source."""
EMPTY: dict[str, Any] = {"batch": []}


@pytest.fixture(scope="module")
def sources(guarded: Guarded) -> dict[str, str]:
    """Write keys of three sources, one of them with two keys, one off."""
    made = {name: guarded.key(name, "write") for name in ("north", "south", "asleep")}
    made["north again"] = guarded.key("north", "write")
    guarded.segue("keys", "off", "asleep")
    return made


def said(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert answer.headers["access-control-allow-origin"] == "*"
    if answer.status_code != 200:
        assert (body["success"], isinstance(body["message"], str)) == (False, True)
    return answer.status_code, body.get("code", "")


def source_of_last(guarded: Guarded) -> str:
    rows = guarded.server.control("quarantine list", state="all", limit=None)
    name: str = rows[-1]["source"]
    return name


def post(
    guarded: Guarded, headers: dict[str, str], key: str | None = None, query: str = ""
) -> tuple[int, str]:
    body: dict[str, Any] = {"batch": [BAD]} if key is None else {"batch": [BAD], "writeKey": key}
    return said(guarded.server.http.post(f"/v1/batch{query}", json=body, headers=headers))


def test_every_place_of_a_key(guarded: Guarded, sources: dict[str, str]) -> None:
    north = sources["north"]
    for headers, key, query in (
        (basic(north), None, ""),
        (basic(north, ""), None, ""),
        (basic(north, ":secret"), None, ""),
        (
            {"Authorization": "basic  " + base64.b64encode(f"{north}:".encode()).decode().rstrip("=")},
            None,
            "",
        ),
        (bearer(north), None, ""),
        ({"authorization": f"bearer {north}"}, None, ""),
        ({}, north, ""),
        ({}, None, f"?writeKey={north}"),
        ({}, None, f"?a=b&writeKey={north}"),
    ):
        assert post(guarded, headers, key, query) == (200, "")
        assert source_of_last(guarded) == "north"


def test_the_first_place_decides(guarded: Guarded, sources: dict[str, str]) -> None:
    north, south = sources["north"], sources["south"]
    oauth = "ya29.some-other-service"
    for headers, key, query, source in (
        (basic(north), south, f"?writeKey={south}", "north"),
        (bearer(north), south, f"?writeKey={south}", "north"),
        ({}, north, f"?writeKey={south}", "north"),
        (bearer(oauth), north, "", "north"),
        (basic("", ":"), north, "", "north"),
        ({"Authorization": "Digest x"}, north, "", "north"),
        ({"Authorization": "Basic !"}, north, "", "north"),
    ):
        assert post(guarded, headers, key, query) == (200, "")
        assert source_of_last(guarded) == source


@pytest.mark.parametrize("wrong", ["x", "segue_write_" + "b" * 40, "'; --", "é"])
def test_a_wrong_key_is_not_mended_by_a_right_one_behind_it(
    guarded: Guarded, sources: dict[str, str], wrong: str
) -> None:
    assert post(guarded, basic(wrong), sources["north"]) == (401, "E761")
    assert post(guarded, {}, wrong, f"?writeKey={sources['north']}") == (401, "E761")
    assert post(guarded, {}, wrong) == (401, "E761")


def test_no_key_no_events(guarded: Guarded) -> None:
    assert post(guarded, {}) == (401, "E760")
    assert said(guarded.server.http.post("/v1/track", json=BAD)) == (401, "E760")
    assert said(guarded.server.http.post("/v1/track", content=b"{")) == (400, "E501")


def test_a_source_that_is_off(guarded: Guarded, sources: dict[str, str]) -> None:
    assert post(guarded, basic(sources["asleep"])) == (404, "E763")
    assert post(guarded, {}, sources["asleep"]) == (404, "E763")


def test_a_key_within_an_event_does_not_switch_the_source(guarded: Guarded, sources: dict[str, str]) -> None:
    event = {**BAD, "writeKey": sources["south"]}
    body = {"batch": [event, {**event, "writeKey": "nobody's"}]}
    answer = guarded.server.http.post("/v1/batch", json=body, headers=basic(sources["north"]))
    assert said(answer) == (200, "")
    rows = guarded.server.control("quarantine list", state="all", limit=None)[-2:]
    assert [row["source"] for row in rows] == ["north", "north"]
    only_inside = guarded.server.http.post("/v1/batch", json=body)
    assert said(only_inside) == (401, "E760")


def test_repeats_are_counted_within_a_source(guarded: Guarded, sources: dict[str, str]) -> None:
    """Two keys of one name are one source; another name is another one."""
    event = {"userId": "twice", "event": "Login", "messageId": "same"}
    for key in ("north", "north again", "south", "north"):
        answer = guarded.server.http.post("/v1/track", json=event, headers=basic(sources[key]))
        assert answer.status_code == 200
    read = bearer(guarded.keys["read"])
    path = "/v1/users/twice/events"
    assert eventually(lambda: len(guarded.server.http.get(path, headers=read).json()["events"]) == 2)


# ---- pixels and settings ---------------------------------------------------------------------


def test_a_pixel_without_a_good_key_is_a_picture_and_nothing_else(
    guarded: Guarded, sources: dict[str, str]
) -> None:
    http, read = guarded.server.http, bearer(guarded.keys["read"])
    data = base64.b64encode(json.dumps({"userId": "pixelled", "event": "E"}).encode()).decode()
    for key in ("nobody's", guarded.keys["read"], sources["asleep"], sources["north"]):
        assert not http.get("/v1/users/pixelled", headers=read).json()["known"]
        answer = http.get("/v1/pixel/track", params={"data": data, "writeKey": key})
        assert answer.headers["content-type"] == "image/gif"
        plain = {"userId": "pixelled", "event": "E", "writeKey": key}
        assert http.get("/pixel/v1/track", params=plain).headers["content-type"] == "image/gif"
    guarded.await_users("pixelled")


def test_settings_are_for_good_keys_alone(guarded: Guarded, sources: dict[str, str]) -> None:
    http = guarded.server.http
    asked = {
        key: http.get(f"/v1/projects/{word}/settings").status_code
        for key, word in {**sources, "nobody": "nobody", "read": guarded.keys["read"]}.items()
    }
    assert asked == {
        "north": 200,
        "north again": 200,
        "south": 200,
        "asleep": 404,
        "nobody": 404,
        "read": 404,
    }
    told = {
        key: http.get("/sourceConfig/", headers=basic(sources[key])).json()["source"]
        for key in ("north", "asleep")
    }
    assert {key: (each["name"], each["enabled"]) for key, each in told.items()} == {
        "north": ("north", True),
        "asleep": ("asleep", False),
    }
    assert http.get("/sourceConfig/", headers=basic("nobody's")).status_code == 401


# ---- origins ---------------------------------------------------------------------------------


def test_a_key_for_one_site(guarded: Guarded) -> None:
    words = ("--origin", "https://shop.example", "--origin", "https://*.shop.example")
    key = guarded.key("web", "write", *words)
    expected = {
        None: (200, ""),
        "https://shop.example": (200, ""),
        "https://www.shop.example": (200, ""),
        "https://evil.example": (403, "E764"),
        "http://shop.example": (403, "E764"),
        "https://shop.example.evil.example": (403, "E764"),
        "null": (403, "E764"),
    }
    found = {}
    for origin in expected:
        headers = basic(key) if origin is None else {**basic(key), "Origin": origin}
        found[origin] = post(guarded, headers)
        in_body = {} if origin is None else {"Origin": origin}
        assert post(guarded, in_body, key) == found[origin]
    assert found == expected


# ---- rates -----------------------------------------------------------------------------------


def test_a_rate_is_told_kept_and_ends(guarded: Guarded) -> None:
    header = basic(guarded.key("hasty", "write", "--rate", "60/m", "--burst", "3"))
    answers = [guarded.server.http.post("/v1/batch", json=EMPTY, headers=header) for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert [each.headers["ratelimit-remaining"] for each in answers] == ["2", "1", "0", "0"]
    refused = answers[-1]
    assert said(refused) == (429, "E765")
    assert refused.headers["retry-after"] == refused.headers["x-ratelimit-reset"] == "1"
    assert "Retry-After" in refused.headers["access-control-expose-headers"]
    again = lambda: guarded.server.http.post("/v1/batch", json=EMPTY, headers=header).status_code == 200  # noqa: E731
    assert eventually(again)


def test_one_keys_rate_is_not_anothers(guarded: Guarded, sources: dict[str, str]) -> None:
    header = basic(guarded.key("noisy", "write", "--rate", "1/h"))
    noisy = [guarded.server.http.post("/v1/batch", json=EMPTY, headers=header).status_code for _ in range(20)]
    assert noisy == [200] + [429] * 19
    assert post(guarded, basic(sources["north"])) == (200, "")


def test_reading_has_its_rate_too(guarded: Guarded) -> None:
    header = bearer(guarded.key("reader", "read", "--rate", "1/h"))
    found = [guarded.server.http.get("/v1/segments", headers=header).status_code for _ in range(3)]
    assert found == [200, 429, 429]


def first_line(server: Running, head: str, body: bytes = b"") -> str:
    host, port = server.said["url"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as wire:
        wire.settimeout(2)
        wire.sendall(head.encode() + body)
        try:
            return wire.recv(4096).decode().partition("\r\n")[0]
        except TimeoutError:
            return "nothing"


def test_a_refusal_does_not_wait_for_the_body(guarded: Guarded, sources: dict[str, str]) -> None:
    """Cheap: four megabytes that are announced are neither awaited nor decoded."""
    over = guarded.key("over", "write", "--rate", "1/h")
    guarded.server.http.post("/v1/batch", json=EMPTY, headers=basic(over))

    def announced(key: str) -> str:
        auth = basic(key)["Authorization"]
        head = (
            f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: {auth}\r\nContent-Length: 4000000\r\n\r\n"
        )
        return first_line(guarded.server, head)

    assert announced(over) == "HTTP/1.1 429 Too Many Requests"
    assert announced("nobody's") == "HTTP/1.1 401 Unauthorized"
    assert announced(sources["north"]) == "nothing", "the control: who may send is waited for"


def test_each_address_has_its_rate(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGUE_RATE_PER_ADDRESS", "4/h")
    monkeypatch.setenv("SEGUE_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8")
    with serving(tmp_path_factory.mktemp("addresses")) as server:
        key = Guarded(server).key("site", "write")

        def sent(forwarded: str | None) -> int:
            headers = bearer(key)
            if forwarded is not None:
                headers["X-Forwarded-For"] = forwarded
            return server.http.post("/v1/batch", json=EMPTY, headers=headers).status_code

        assert [sent("203.0.113.1"), sent("203.0.113.1")] == [200, 429]
        assert [sent("203.0.113.2"), sent("203.0.113.2")] == [200, 429]
        assert sent("203.0.113.9, 203.0.113.1") == 429, "what a client says of itself is not believed"
        assert [sent("203.0.113.1:5555"), sent("[2001:db8::1]:443"), sent("2001:db8::2")] == [429, 200, 429]
        assert sent("203.0.113.1, 10.1.2.3") == 429, "a proxy behind a proxy is"
        assert [sent("2001:db8:1:2:3::4"), sent("2001:db8:1:2:ffff::9"), sent("2001:db8:1:3::1")] == [
            200,
            429,
            200,
        ]
        assert [sent(None), sent(None), sent("127.0.0.1")] == [200, 429, 429]
        assert server.http.get("/healthz").status_code == 200
        refused = server.http.get("/v1/segments")
        assert (refused.status_code, refused.headers["ratelimit-limit"]) == (429, "4")


def test_a_client_that_is_refused_keeps_its_connection(guarded: Guarded, sources: dict[str, str]) -> None:
    """Most clients send a body behind its head, and go on over the same connection."""
    connection = http.client.HTTPConnection(guarded.server.said["url"].removeprefix("http://"))
    connection.connect()
    same = connection.sock
    body = json.dumps({"batch": [], "x": "y" * 30_000}).encode()
    found = []
    for key in (sources["asleep"], "nobody's", sources["north"]) * 3:
        connection.request("POST", "/v1/batch", body, basic(key))
        answer = connection.getresponse()
        answer.read()
        found.append(answer.status)
        connection.request("POST", "/v1/batsch", body, basic(key))
        assert connection.getresponse().read()
        assert connection.sock is same
    connection.close()
    assert found == [404, 401, 200] * 3

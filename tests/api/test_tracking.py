"""Events come in as real SDKs send them."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any

import httpx
import pytest

from segue.domain.limits import BATCH_EVENTS_MAX, BODY_BYTES_MAX
from tests.api.serving import Running, eventually

TAKEN = b'{"success":true}'


def ordered(user: str, number: int = 0, **more: Any) -> dict[str, Any]:
    event = {"type": "track", "userId": user, "event": "Order Completed", "messageId": f"{user}-{number}"}
    return event | more


def is_taken(answer: httpx.Response) -> bool:
    return (
        answer.status_code == 200
        and answer.content == TAKEN
        and answer.headers["content-type"] == "application/json"
    )


def refused(answer: httpx.Response) -> tuple[int, str, bool]:
    """(status, code, success) of a problem that holds all that SDKs read."""
    found = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert isinstance(found["message"], str)
    assert found["status"] == answer.status_code
    return answer.status_code, found["code"], found["success"]


def test_a_batch_as_a_server_sdk_sends_it(server: Running) -> None:
    """Basic key, form content type, gzip, both times, unknown keys of the batch."""
    batch = {
        "batch": [
            {"type": "identify", "userId": "sdk1", "context": {"traits": {"plan": "pro"}}, "messageId": "i1"},
            ordered("sdk1", 1, originalTimestamp="2026-11-20T10:00:00.000Z", integrations={}),
        ],
        "sentAt": "2026-11-20T10:00:01.123456+00:00",
        "writeKey": "k",
        "_metadata": {"x": 1},
    }
    headers = {
        "Authorization": "Basic " + base64.b64encode(b"k:").decode(),
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Encoding": "gzip",
    }
    assert is_taken(
        server.http.post("/v1/batch", content=gzip.compress(json.dumps(batch).encode()), headers=headers)
    )
    assert eventually(lambda: server.segments_of("sdk1")) == ["buyers"]
    found = server.http.get("/v1/users/sdk1").json()
    assert found["attributes"]["traits"] == {"plan": "pro"}


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/batch/", "/v1/import", "/v1/import/", "/v1/b", "/v1/b/"])
def test_every_spelling_of_a_batch(server: Running, path: str) -> None:
    assert is_taken(server.http.post(path, json={"batch": [ordered("speller")]}))
    assert is_taken(server.http.post(path, json={"batch": []}))


@pytest.mark.parametrize(
    ("paths", "more"),
    [
        (("track", "t"), {"event": "Login"}),
        (("identify", "i"), {"traits": {}}),
        (("page", "p"), {"name": "Home"}),
        (("screen", "s"), {"name": "Home"}),
        (("group", "g"), {"groupId": "acme"}),
        (("alias", "a"), {"previousId": "single"}),
    ],
)
def test_single_events_by_path(server: Running, paths: tuple[str, str], more: dict[str, Any]) -> None:
    for path in paths:
        body = json.dumps({"userId": "single", **more})
        for type_ in ("text/plain", "application/json; charset=utf-8", ""):
            answer = server.http.post(f"/v1/{path}", content=body, headers={"Content-Type": type_})
            assert is_taken(answer)


def test_the_path_wins_over_the_type(server: Running) -> None:
    assert is_taken(server.http.post("/v1/track", json=ordered("typed", type="page")))
    assert eventually(lambda: server.segments_of("typed")) == ["buyers"]


def test_chunked_and_deflate(server: Running) -> None:
    body = zlib.compress(json.dumps({"batch": [ordered("chunky")]}).encode())

    def pieces() -> Any:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    headers = {"Content-Encoding": "deflate"}
    assert is_taken(server.http.post("/v1/batch", content=pieces(), headers=headers))
    assert eventually(lambda: server.segments_of("chunky")) == ["buyers"]


def test_what_python_sdks_write_is_mended(server: Running) -> None:
    body = (
        '{"batch": [{"type": "track", "userId": "nan", "event": "Order Completed", "messageId": "nan1",'
        ' "properties": {"total": NaN, "big": 1' + "0" * 400 + r', "half": "\ud83d"}},'
        ' {"type": "track", "userId": "nan", "event": "Order Completed", "messageId": "nan2",'
        ' "properties": {"total": 101}}]}'
    )
    assert is_taken(server.http.post("/v1/batch", content=body))
    assert eventually(lambda: len(server.segments_of("nan")) == 2)
    events = server.http.get("/v1/users/nan/events").json()["events"]
    assert [each["message_id"] for each in events] == ["nan2", "nan1"]
    assert events[1]["properties"]["total"] is None


def test_a_bad_event_is_set_aside_alone(server: Running) -> None:
    bad = [
        {"type": "track", "event": "nobody did it"},
        7,
        ordered("large", note="x" * 33_000),
        {"userId": "u"},
    ]
    before = len(server.control("quarantine list", state="open"))
    assert is_taken(server.http.post("/v1/batch", json={"batch": [*bad, ordered("beside_bad")]}))
    assert eventually(lambda: server.segments_of("beside_bad")) == ["buyers"]
    assert len(server.control("quarantine list", state="open")) == before + len(bad)
    assert server.segments_of("large") == []


def test_a_repeated_message_counts_once(server: Running) -> None:
    for _ in range(2):
        event = ordered("repeater", properties={"total": 60})
        assert is_taken(server.http.post("/v1/batch", json={"batch": [event, event]}))
    server.track("repeater", "Order Completed", total=1)
    assert eventually(lambda: len(server.http.get("/v1/users/repeater/events").json()["events"]) == 2)
    assert server.segments_of("repeater") == ["buyers"]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/v1/batch", b"{", (400, "E501", False)),
        ("/v1/batch", b"", (400, "E501", False)),
        ("/v1/batch", b"\xff\x00", (400, "E501", False)),
        ("/v1/batch", b"[]", (400, "E502", False)),
        ("/v1/batch", b'{"events": []}', (400, "E502", False)),
        ("/v1/track", b"no", (400, "E501", False)),
        ("/v1/batch", b"[" * 100_000, (400, "E501", False)),
        ("/v1/batch", b" " * (BODY_BYTES_MAX + 1), (413, "E503", False)),
        ("/v1/batch", gzip.compress(b" " * (BODY_BYTES_MAX + 1), mtime=0), (413, "E503", False)),
        ("/v1/batch", gzip.compress(b"{}", mtime=0)[:-4], (400, "E745", False)),
        ("/v1/batch", json.dumps({"batch": [{}] * (BATCH_EVENTS_MAX + 1)}).encode(), (413, "E504", False)),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_holds_no_events(
    server: Running, path: str, body: bytes, expected: tuple[int, str, bool]
) -> None:
    answer = server.http.post(path, content=body)
    assert refused(answer) == expected
    assert answer.headers["access-control-allow-origin"] == "*"


def test_the_largest_batch_is_taken(server: Running) -> None:
    batch = [ordered("many", number) for number in range(BATCH_EVENTS_MAX)]
    assert is_taken(server.http.post("/v1/batch", json={"batch": batch}))
    assert eventually(lambda: server.segments_of("many")) == ["buyers"]


def test_an_upload_that_is_broken_off_harms_nobody(server: Running) -> None:
    def broken() -> Any:
        yield b'{"batch": ['
        raise ConnectionError("the client died")

    with pytest.raises(ConnectionError):
        server.http.post("/v1/batch", content=broken())
    assert server.http.get("/readyz").status_code == 200


def test_browsers_may_send_and_read_the_answer(server: Running) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    allowed = server.http.options("/v1/t", headers=asked)
    assert allowed.status_code == 204
    assert allowed.headers.get_list("access-control-allow-origin") == ["*"]
    assert allowed.headers["access-control-allow-headers"] == "authorization,content-type"
    answer = server.http.post("/v1/t", json=ordered("browser"), headers={"Origin": "https://shop.example"})
    assert is_taken(answer)
    assert "Retry-After" in answer.headers["access-control-expose-headers"]


def test_other_methods_are_refused_as_json(server: Running) -> None:
    answer = server.http.get("/v1/batch")
    assert refused(answer) == (405, "E742", False)
    assert answer.headers["allow"] == "OPTIONS, POST"


def test_sources_keep_their_message_ids_apart(server: Running) -> None:
    event = {"userId": "two_shops", "event": "Login", "messageId": "same"}
    ways: list[dict[str, Any]] = [
        {"headers": {"Authorization": "Basic " + base64.b64encode(b"first:").decode()}},
        {"headers": {"Authorization": "Basic " + base64.b64encode(b"first").decode()}},
        {"headers": {"Authorization": "Bearer first"}},
        {"params": {"writeKey": "first"}},
        {"params": {"writeKey": "second"}},
        {"headers": {"Authorization": "Basic !"}},
        {},
    ]
    for way in ways:
        assert is_taken(server.http.post("/v1/track", json=event, **way))
    assert is_taken(server.http.post("/v1/track", json=event | {"writeKey": "second"}))
    assert eventually(lambda: len(server.http.get("/v1/users/two_shops/events").json()["events"]) == 3)

"""What clients say they send and accept, and what they are answered."""

from __future__ import annotations

import pytest

from tests.api.serving import Running

CONDITION = b'{"when": "true"}'


@pytest.mark.parametrize(
    "kind",
    [
        "application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "text/plain", "text/json",
        "application/x-www-form-urlencoded", "application/vnd.api+json", "",
    ],
)  # fmt: skip
def test_bodies_that_may_be_json(server: Running, kind: str) -> None:
    answer = server.http.post("/v1/segments/preview", content=CONDITION, headers={"Content-Type": kind})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "text/html",
        "json",
        "/",
    ],
)
def test_bodies_that_are_something_else(server: Running, kind: str) -> None:
    for path in ("/v1/segments/preview", "/graphql"):
        answer = server.http.post(path, content=CONDITION, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (415, "E796")


@pytest.mark.parametrize(
    "accepted",
    [
        "*/*",
        "application/json",
        "application/*",
        "text/html, application/json;q=0.1",
        "Application/JSON",
        "",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "application/json;q=0.001",
        "text/html;q=0, */*",
    ],
)
def test_answers_that_are_accepted(server: Running, accepted: str) -> None:
    assert server.http.get("/v1/segments", headers={"Accept": accepted}).status_code == 200


@pytest.mark.parametrize(
    "accepted",
    ["text/html", "image/*", "application/xml", "application/json;q=0", "application/json; q=0.000, text/*"],
)
def test_answers_that_are_not(server: Running, accepted: str) -> None:
    answer = server.http.get("/v1/segments", headers={"Accept": accepted})
    assert (answer.status_code, answer.json()["code"]) == (406, "E797")
    assert "application/json" in answer.json()["errors"][0]["hint"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_page_is_for_who_reads_pages(server: Running) -> None:
    assert server.http.get("/docs", headers={"Accept": "text/html"}).status_code == 200
    assert server.http.get("/docs", headers={"Accept": "application/json"}).status_code == 406


def test_events_are_taken_whatever_is_said(server: Running) -> None:
    """SDKs and beacons cannot always say what they mean."""
    body = b'{"userId": "negotiated", "event": "Login"}'
    for kind, accepted in (("text/html", "image/*"), ("application/xml", "application/xml"), ("", "")):
        headers = {"Content-Type": kind, "Accept": accepted}
        assert server.http.post("/v1/track", content=body, headers=headers).json() == {"success": True}


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PATCH", "PROPFIND", "BREW", "PURGE", "BAN"])
def test_methods_that_no_path_takes(server: Running, method: str) -> None:
    answer = server.http.request(method, "/v1/users/x/segments")
    if method in {"CONNECT", "BREW", "BAN"}:
        # Which methods there are is the parser's to know.
        assert answer.status_code in {400, 405}
        return
    assert (answer.status_code, answer.json()["code"]) == (405, "E742")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"

"""Five hundred harmful texts as ids, names, values and parameters: each comes back as the text it is."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from segue.api.routes import ROUTES
from tests.api.hygiene.payloads import MARK, payloads, shown_raw
from tests.api.hygiene.raw import Said, say
from tests.api.serving import Running, eventually, serving

PAYLOADS = payloads()
IDS = [text for text in PAYLOADS if len(text) <= 1024 and text.strip()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that was told all of them, in every place that a sender fills."""
    with serving(tmp_path_factory.mktemp("hygiene")) as running:
        for start in range(0, len(IDS), 100):
            events = [event for text in IDS[start : start + 100] for event in harmful(text)]
            answer = running.http.post("/v1/batch", json={"batch": events})
            assert (answer.status_code, answer.json()) == (200, {"success": True})
        eventually(lambda: read(running, IDS[-1]).json()["known"])
        yield running


def harmful(text: str) -> list[dict[str, Any]]:
    return [
        {
            "type": "track", "userId": text, "event": text, "properties": {text: text, "total": text},
            "context": {"userAgent": text, "page": {"referrer": text, "title": text}},
        },
        {"type": "identify", "userId": text, "traits": {"name": text, text: {"deep": text}}},
        {"type": "page", "userId": text, "anonymousId": f"a-{text}", "name": text},
    ]  # fmt: skip


def read(server: Running, user: str, path: str = "/segments") -> httpx.Response:
    return server.http.get(f"/v1/users/{quote(user, safe='')}{path}")


def test_there_are_five_hundred() -> None:
    assert len(IDS) >= 500
    assert all(MARK in text for text in IDS)


def test_each_comes_back_as_the_text_it_is(server: Running) -> None:
    for text in IDS:
        answer = read(server, text)
        assert answer.status_code == 200, text
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "x-injected" not in answer.headers
        found = answer.json()
        assert (found["user_id"], found["known"]) == (text, True)
        assert found["attributes"]["traits"]["name"] == text


def test_nobody_is_taken_for_another(server: Running) -> None:
    """A wildcard, a quote or another spelling of one character leads to that very user and no other."""
    found = server.http.get("/v1/segments/buyers/members?limit=10000").json()
    assert found["total"] == 0
    for text in ("%", "_", "%%", "' OR '1'='1", "*", MARK, MARK.upper()):
        assert read(server, text).json()["known"] is (text in IDS)
    exported = read(server, IDS[0], "/export").json()
    others = {event.get("userId") for event in exported["events"]} - {IDS[0], None}
    assert others == set()


def test_events_come_back_as_they_were_sent(server: Running) -> None:
    for text in IDS[::25]:
        events = read(server, text, "/events").json()["events"]
        (track,) = [each for each in events if each["type"] == "track"]
        assert (track["name"], track["properties"]["total"]) == (text.strip(), text)
        assert track["context"]["userAgent"] == text


def test_as_parameters_they_are_refused_or_answered_never_a_fault(server: Running) -> None:
    places = (
        "/v1/segments/buyers/members?cursor={}",
        "/v1/segments/buyers/members?as_of={}",
        "/v1/changes?segment={}",
        "/v1/changes?after={}",
        "/v1/segments/{}",
        "/v1/segments/{}/members",
        "/user/segments?user_id={}",
        "/v1/users/x/explain/{}",
        "/v1/users/x/events?cursor={}",
        "/analytics-next/bundles/{}",
        "/{}",
        "/v1/{}",
        "/v1/users/x/export?format={}",
        "/v1/projects/{}/settings",
        "/v1/changes?{}=1",
    )
    for number, text in enumerate(IDS):
        place = places[number % len(places)]
        answer = server.http.get(place.format(quote(text, safe="")))
        assert answer.status_code < 500, (place, text)
        assert answer.headers["content-type"].split(";")[0] in {
            "application/json",
            "application/problem+json",
        }
        assert "x-injected" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_as_conditions_they_are_refused(server: Running) -> None:
    for text in IDS[::5]:
        answer = server.http.post("/v1/segments/preview", json={"when": text})
        assert answer.status_code == 400, text
        assert answer.json()["code"][:2] in {"E1", "E2", "E3"}
        quoted = json.dumps(text.replace("\x00", ""))
        answer = server.http.post("/v1/segments/preview", json={"when": f"trait.name == {quoted}"})
        assert answer.status_code in {200, 400}, text


def test_as_graphql_they_are_refused_or_values(server: Running) -> None:
    for text in IDS[::10]:
        body = {"query": "query ($i: ID!) { user(id: $i) { user_id known } }", "variables": {"i": text}}
        found = server.http.post("/graphql", json=body).json()["data"]["user"]
        assert found == {"user_id": text, "known": True}
        assert "errors" in server.http.post("/graphql", json={"query": text}).json()


def test_pages_of_html_have_a_policy_and_hold_none_of_it(server: Running) -> None:
    pages = 0
    for route in ROUTES:
        if route.method != "GET" or "{" in route.path or route.path == "/v1/stream":
            continue
        answer = server.http.get(route.path)
        if answer.headers.get("content-type", "").startswith("text/html"):
            pages += 1
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert not any(shown_raw(answer.text, text) for text in IDS)
    assert pages >= 1


def test_metrics_and_quality_hold_it_escaped(server: Running) -> None:
    for path in ("/metrics", "/v1/quality"):
        answer = server.http.get(path)
        assert answer.status_code == 200
        assert not answer.headers["content-type"].startswith("text/html")
        assert "\nX-Injected" not in answer.text


@pytest.mark.parametrize("text", ["<script>segue7x7()</script>", "\"'><img src=x onerror=segue7x7()>"])
def test_a_page_that_shows_it_raw_is_seen(text: str) -> None:
    """The control: what would be found in a page that does not escape, and is not in one that does."""
    assert shown_raw(f"<p>{text}</p>", text)
    assert not shown_raw(f"<p>{html.escape(text)}</p>", text)


# ---- paths and headers ---------------------------------------------------------------------------

SECRET = "the-secret-beside-the-workspace"
CLIMBS = [
    "/../{}",
    "/..%2f{}",
    "/%2e%2e/{}",
    "/%2e%2e%2f{}",
    "/....//{}",
    "/..\\{}",
    "/..%5c{}",
    "//{}",
    "/./../{}",
    "/v1/../{}",
    "/docs/../{}",
    "/openapi.json/../{}",
    "/v1/segments/..%2f{}",
    "/v1/segments/%2e%2e%2f{}",
    "/v1/users/..%2f..%2f{}/export",
    "/analytics-next/bundles/..%2f{}",
    "/analytics-next/bundles/%2e%2e%2f{}",
    "/analytics-next/bundles/..%252f{}",
    "/analytics.js/v1/..%2f..%2f{}/analytics.min.js",
    "/v1/pixel/..%2f{}",
    "/analytics-next/bundles/{}%00.js",
    "/.git/config",
    "/serve.json",
    "/data/serve.json",
    "/segue.yaml",
]


def get(server: Running, path: bytes) -> Said:
    """Asks for a path as it stands: a client would fold it."""
    return say(
        server.said["url"], b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize("climb", CLIMBS)
def test_no_path_leads_to_a_file(server: Running, climb: str) -> None:
    (server.folder / "secret.txt").write_text(SECRET, encoding="utf-8")
    for target in ("secret.txt", "../secret.txt", "etc/passwd", "../../../../../../etc/passwd"):
        path = climb.format(target).encode()
        said = say(
            server.said["url"], b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        assert said.statuses, path
        assert said.statuses[0] < 500
        for word in (SECRET.encode(), b"root:x", b'token":', b"timezone:"):
            assert word not in said.text


@pytest.mark.parametrize(
    "name",
    [
        "../climbed",
        "..%2Fclimbed",
        "a/../../climbed",
        "/climbed",
        "climbed\x00",
        ".climbed",
        "con",
        "A b",
    ],
)
def test_no_segment_is_written_outside(server: Running, name: str) -> None:
    before = files(server.folder / "workspace")
    body = {"owner": "a@b.example", "description": "Climbs.", "when": "true"}
    answer = server.http.put(f"/v1/segments/{quote(name, safe='')}", json=body)
    if name == "con":
        assert answer.status_code == 201
        assert server.http.delete("/v1/segments/con").status_code == 204
    else:
        assert answer.status_code in {400, 404, 405}
    assert files(server.folder / "workspace") == before
    assert not list(server.folder.rglob("*climbed*"))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/users/x%0d%0aX-Injected:%201/segments",
        "/v1/changes?segment=x%0d%0aX-Injected:%201",
        "/%0d%0aX-Injected:%201",
        "/user/segments?user_id=x%0aX-Injected:%201",
        "/v1/segments/%0d%0aX-Injected:%201",
        "/analytics-next/bundles/x%0d%0aX-Injected:%201",
    ],
)
def test_no_header_is_injected(server: Running, path: str) -> None:
    said = say(
        server.said["url"],
        b"GET " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    assert len(said.statuses) == 1
    assert b"x-injected" not in said.heads


@pytest.mark.parametrize(
    "header", [b"Origin", b"Access-Control-Request-Headers", b"If-None-Match", b"Last-Event-ID"]
)
def test_what_a_header_says_does_not_become_a_header(server: Running, header: bytes) -> None:
    for value in (
        b"x\x0bX-Injected: 1",
        b"x\x85X-Injected: 1",
        b"\xe5\x98\x8d\xe5\x98\x8aX-Injected: 1",
        b"\xff\xfe",
    ):
        for method, path in ((b"OPTIONS", b"/v1/track"), (b"GET", b"/user/segments?user_id=x")):
            request = method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            said = say(server.said["url"], request + header + b": " + value + b"\r\n\r\n")
            assert said.statuses
            assert said.statuses[0] < 500
            assert b"\nx-injected:" not in said.heads

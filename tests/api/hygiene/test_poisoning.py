"""What a cache would keep depends on nothing that it does not look at: nobody can spoil it for others."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from segue.api.route import Access, Route
from segue.api.routes import ROUTES
from tests.api.guarded.guard import bearer
from tests.api.serving import Running, eventually, serving, write_workspace

UNKEYED = {
    "Host": "localhost:1",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "X-Host": "evil.example",
    "X-Original-URL": "/v1/users/other/segments",
    "X-Rewrite-URL": "/v1/users/other/segments",
    "X-HTTP-Method-Override": "DELETE",
    "X-Method-Override": "DELETE",
    "X-Forwarded-Method": "DELETE",
    "Forwarded": "host=evil.example",
    "Origin": "https://evil.example",
    "Referer": "https://evil.example/",
    "User-Agent": "<script>",
    "Accept-Language": "xx",
    "Accept-Encoding": "br;q=1, nonsense",
    "Cookie": "user=other",
    "Range": "bytes=0-10",
    "X-User-Id": "other",
    "Surrogate-Capability": 'x="Surrogate/1.0 ESI/1.0"',
    "Upgrade": "h2c",
    "Expect": "nothing",
    "Prefer": "return=minimal",
}
"""Headers that a cache does not tell requests apart by."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("poisoning")
    workspace = write_workspace(folder / "workspace")
    with (workspace / "segue.yaml").open("a", encoding="utf-8") as settings:
        settings.write("caches: [http://127.0.0.1:9/]\n")
    with serving(folder) as running:
        keys = {
            kind: running.control("keys create", name=kind, kind=kind)[0]["key"] for kind in ("read", "write")
        }
        body = {"userId": "ann", "event": "Order Completed", "properties": {"total": 5}}
        running.http.post("/v1/track", json=body, headers=bearer(keys["write"]))
        running.http.headers.update(bearer(keys["read"]))
        eventually(lambda: running.segments_of("ann"))
        yield running


HELD = [
    "/v1/users/ann/segments",
    "/user/segments?user_id=ann",
    "/v1/segments/buyers/members",
]


def kept(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """All of an answer that a cache keeps."""
    headers = {
        name: value for name, value in answer.headers.items() if not name.startswith(("date", "x-ratelimit"))
    }
    return answer.status_code, answer.content, headers


@pytest.mark.parametrize("path", HELD)
def test_held_answers_are_the_same_whatever_else_is_sent(server: Running, path: str) -> None:
    plain = kept(server.http.get(path))
    assert "s-maxage" in plain[2]["cache-control"]
    assert plain[2]["vary"] == "Authorization"
    for name, value in UNKEYED.items():
        assert kept(server.http.get(path, headers={name: value})) == plain, name


def test_a_get_with_a_body_is_the_same_get(server: Running) -> None:
    path = "/user/segments?user_id=ann"
    body = b"user_id=other"
    assert kept(server.http.request("GET", path, content=body)) == kept(server.http.get(path))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/users/ann/segments?utm_source=x",
        "/v1/users/ann/segments?callback=evil",
        "/user/segments?user_id=ann;x=1",
        "/user/segments?user_id=ann&user_id=other",
        "/v1/users/ann/segments/x.css",
        "/v1/users/ann/segments%2Fx.css",
        "/v1/users/ann/segments;x.css",
        "/v1/users/ann/segments%00.css",
        "/v1/users/ann/segments%23.js",
    ],
)
def test_what_only_looks_like_it_is_not_held_as_it(server: Running, path: str) -> None:
    """Nothing that belongs to ann comes out under an address that a cache would take for something else."""
    answer = server.http.get(path)
    if answer.status_code == 200 and answer.json()["user_id"] == "ann":
        assert answer.request.url.query == b"user_id=ann;x=1" or "s-maxage" in answer.headers["cache-control"]
        assert answer.request.url.path in {"/user/segments"}
    else:
        assert "s-maxage" not in answer.headers["cache-control"]


ASKED = {"{id}": "nobody", "{name}": "byers", "{segment}": "byers", "{type}": "x", "{writeKey}": "x"}
CLOSED = [
    route
    for route in ROUTES
    if route.method == "GET"
    and route.access is not Access.OPEN
    and route.path not in {"/v1/stream", "/graphql"}
]


@pytest.mark.parametrize("route", CLOSED, ids=lambda each: each.path)
def test_what_is_not_open_to_anyone_is_kept_by_nobody(server: Running, route: Route) -> None:
    path = route.path
    for name, word in ASKED.items():
        path = path.replace(name, word)
    asked = server.http.get(path).headers["cache-control"]
    assert asked.startswith(("no-store", "private"))
    assert "s-maxage" not in asked


def test_refusals_are_never_kept(server: Running) -> None:
    """A cache keeps a 404 that says nothing for a while: the segment that is made then would be missing."""
    for path in (
        "/v1/segments/new",
        "/v1/segments/new/members",
        "/nothing",
        "/v1/changes?limit=0",
        "/v1/users/%ff",
    ):
        answer = server.http.get(path)
        assert answer.status_code >= 400
        assert answer.headers["cache-control"] == "no-store"
    assert httpx.get(f"{server.said['url']}{HELD[0]}").headers["cache-control"] == "no-store"


def test_head_says_what_get_says(server: Running) -> None:
    for path in HELD:
        get, head = server.http.get(path), server.http.head(path)
        assert head.content == b""
        assert kept(head)[2] == kept(get)[2]

"""Pages read with a user's token if the settings name their site, and never more than the token opens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.guarded.guard import Guarded, bearer
from tests.api.serving import serving, write_workspace

SITE = "https://shop.example"


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("pages")
    write_workspace(folder / "workspace")
    with (folder / "workspace" / "segue.yaml").open("a", encoding="utf-8") as settings:
        settings.write(f"stream_origins: [{SITE}]\n")
    with serving(folder) as server:
        guarded = Guarded(server)
        guarded.keys = {"read": guarded.key("crm", "read"), "token": guarded.token("ann")}
        yield guarded


@pytest.mark.parametrize("path", ["/v1/users/ann/segments", "/user/segments?user_id=ann", "/v1/users/ann"])
def test_a_page_reads_what_its_token_opens(named: Guarded, path: str) -> None:
    http, headers = named.server.http, {**bearer(named.keys["token"]), "Origin": SITE}
    answer = http.get(path, headers=headers)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, SITE)
    assert "Origin" in answer.headers.get_list("vary")
    assert "access-control-allow-credentials" not in answer.headers
    refused = http.get(path.replace("ann", "bob"), headers=headers)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (403, SITE)


def test_a_browser_asks_first(named: Guarded) -> None:
    asked = {
        "Origin": SITE,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    answer = named.server.http.options("/v1/users/ann/segments", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, SITE)
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "DELETE" not in answer.headers["access-control-allow-methods"]
    assert named.server.http.options("/graphql", headers=asked).headers["access-control-allow-origin"] == SITE


def test_a_page_listens_with_its_token_in_a_header(named: Guarded) -> None:
    """As server-sent events by ``fetch``, which asks first; what it is answered is said once."""
    asked = {
        "Origin": SITE,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    http = named.server.http
    first = http.options("/v1/stream?user_id=ann", headers=asked)
    assert (first.status_code, first.headers["access-control-allow-origin"]) == (204, SITE)
    assert "Authorization" in first.headers["access-control-allow-headers"]
    foreign = http.options("/v1/stream", headers=asked | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers
    headers = {**bearer(named.keys["token"]), "Origin": SITE}
    with http.stream("GET", "/v1/stream?user_id=ann", headers=headers) as heard:
        assert heard.headers.get_list("access-control-allow-origin") == [SITE]
        assert next(heard.iter_lines()) == "event: notice"


@pytest.mark.parametrize("path", ["/v1/segments", "/v1/changes", "/v1/segments/buyers/members", "/v1/tokens"])
def test_the_rest_is_not_for_pages(named: Guarded, path: str) -> None:
    headers = {**bearer(named.keys["read"]), "Origin": SITE}
    for method in ("GET", "OPTIONS"):
        answer = named.server.http.request(method, path, headers=headers)
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://shop.example", "null", SITE + ".evil.example"]
)
def test_pages_of_other_sites_are_told_nothing(named: Guarded, origin: str) -> None:
    headers = {**bearer(named.keys["token"]), "Origin": origin}
    for method in ("GET", "OPTIONS"):
        answer = named.server.http.request(method, "/v1/users/ann/segments", headers=headers)
        assert "access-control-allow-origin" not in answer.headers


def test_without_the_setting_no_page_reads(guarded: Guarded) -> None:
    headers = {**bearer(guarded.keys["token"]), "Origin": SITE}
    answer = guarded.server.http.get("/v1/users/ann/segments", headers=headers)
    assert "access-control-allow-origin" not in answer.headers

"""The example shop's own server: its files and no others, and tokens by who is signed in."""

from __future__ import annotations

import json
import tomllib
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from segue.runners.demo import furnished, shop
from tests.browser.personal import Home
from tests.sdk.driving import ROOT

VISITOR = "a1b2c3d4e5f60718"


@pytest.fixture
def site(home: Home) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=home.url) as client:
        yield client


def whose(token: str) -> str:
    part = token.split(".")[1]
    found: Any = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return str(found["sub"])


def test_a_token_is_for_whoever_is_signed_in(site: httpx.Client) -> None:
    """Whatever the page says; without a session, for the visitor it names."""
    claim = {"anonymous_id": VISITOR, "user_id": "ada", "user": "ada"}
    assert whose(site.post("/token", json=claim).json()["token"]) == f"anon:{VISITOR}"
    answer = site.post("/sign-in", json={"user": "ada"})
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert whose(site.post("/token", json={"anonymous_id": VISITOR}).json()["token"]) == "ada"
    before = dict(site.cookies)
    site.post("/sign-out", json={})
    site.cookies.update(before)
    assert whose(site.post("/token", json=claim).json()["token"]) == f"anon:{VISITOR}"


@pytest.mark.parametrize(
    "claim", [{}, {"anonymous_id": "short"}, {"anonymous_id": 7}, {"anonymous_id": "a b" * 9}]
)
def test_no_token_for_an_id_that_somebody_may_guess(site: httpx.Client, claim: dict[str, Any]) -> None:
    assert site.post("/token", json=claim).status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/token", b"no JSON", 400),
        ("/token", b"[]", 400),
        ("/sign-in", b"{}", 400),
        ("/nowhere", b"{}", 404),
        ("/token", b" " * 5_000, 413),
    ],
)
def test_what_cannot_be_understood_is_refused(
    site: httpx.Client, path: str, body: bytes, status: int
) -> None:
    assert site.post(path, content=body).status_code == status


def test_without_a_server_there_are_no_tokens(tmp_path: Path) -> None:
    with shop.opened(shop.Shop(tmp_path, segue="http://127.0.0.1:9")) as url:
        assert httpx.post(f"{url}/token", json={"anonymous_id": VISITOR}).status_code == 503


def test_only_pages_of_its_folder_are_served(tmp_path: Path) -> None:
    """With the server's address and the key in them."""
    pages = tmp_path / "pages"
    pages.mkdir()
    (tmp_path / "secret.html").write_text("secret", encoding="utf-8")
    (pages / "notes.txt").write_text("notes", encoding="utf-8")
    (pages / "index.html").write_text("{{segue}} {{key}}", encoding="utf-8")
    with shop.opened(shop.Shop(pages, segue="http://segue.test", write_key="k")) as url:
        assert httpx.get(url).text == "http://segue.test k"
        for path in ("/..%2Fsecret.html", "/%2e%2e/secret.html", "/notes.txt", "/none.html"):
            assert httpx.get(url + path).status_code == 404


def test_a_port_that_is_taken_is_not_waited_for(tmp_path: Path) -> None:
    with shop.opened(shop.Shop(tmp_path)) as first:
        port = int(first.rpartition(":")[2])
        with shop.opened(shop.Shop(tmp_path), port) as second:
            assert second != first


def test_the_shop_is_part_of_what_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["examples/shop"] == "/".join(("segue", *furnished.INSTALLED))

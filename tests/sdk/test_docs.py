"""The examples of docs/sdks.md are run as they stand, but for the address."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.api.serving import Running, eventually
from tests.sdk.browser import visiting
from tests.sdk.driving import MODULES, ROOT, RUDDER, SDKS, Sdk

PAGE = (ROOT / "docs" / "sdks.md").read_text(encoding="utf-8")
TRIED: dict[str, str] = dict(
    re.findall(r"^### ([^\n]*) \(tried\)\n.*?^```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
)
USERS = {
    "Python: segment-analytics-python 2.4": "ana",
    "Python: rudder-sdk-python 2.1": "ben",
    "Node: @segment/analytics-node 3.1": "cleo",
    "Node: @rudderstack/rudder-sdk-node 3.0": "dora",
    "Anything: HTTP": "emil",
    "analytics-next, from the page": "finn",
    "rudder-js, from npm": "gina",
    "An image": "hugo",
}


def test_no_example_is_passed_over() -> None:
    assert TRIED.keys() == USERS.keys()


def here(title: str, server: Running) -> str:
    """The example, with the address of a server on this machine."""
    return TRIED[title].replace("https://events.shop.example", str(server.http.base_url).rstrip("/"))


def need(*parts: str) -> None:
    missing = Sdk("", parts, 0, "").missing
    if missing:
        pytest.skip(missing)


def bought(server: Running, user: str) -> bool:
    return eventually(lambda: server.segments_of(user) == ["big_buyers", "buyers"])


def names_of(server: Running, user: str) -> set[str | None]:
    """The names of the events of a user."""
    found = server.http.get(f"/v1/users/{user}/events", params={"limit": 10_000}).json()["events"]
    return {each.get("name") for each in found}


@pytest.mark.parametrize("title", [title for title in USERS if title.startswith(("Python", "Node", "Any"))])
def test_programs(server: Running, title: str) -> None:
    program = {
        "Python": [str(SDKS / "python" / "bin" / "python"), "-c"],
        "Node": ["node", "-e"],
        "Anything": ["sh", "-c"],
    }[title.partition(":")[0]]
    need(*{"Python": ["python"], "Node": ["node"]}.get(title.partition(":")[0], []))
    environment = {**os.environ, "NODE_PATH": str(MODULES)}
    ended = subprocess.run(
        [*program, here(title, server)], check=False, capture_output=True, encoding="utf-8", env=environment
    )
    assert ended.returncode == 0, ended.stderr
    assert bought(server, USERS[title])


@pytest.mark.parametrize(
    "title", [title for title in USERS if "<script" in TRIED[title] or "<img" in TRIED[title]]
)
def test_pages(server: Running, title: str, tmp_path: Path) -> None:
    need("node", "chromium")
    page = tmp_path / "page.html"
    text = f"<!doctype html><title>page</title>\n{here(title, server)}"
    later = (
        "<script>setInterval(() => analytics.track('Later', {}), 100)</script>" if "<script" in text else ""
    )
    page.write_text(text + later, encoding="utf-8")
    with visiting("page.html", {}, {"/page.html": page, "/rudder.js": RUDDER}):
        assert bought(server, USERS[title])
        if later:
            eventually(lambda: "Later" in names_of(server, USERS[title]))

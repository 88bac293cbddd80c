"""The real SDKs before a server with keys: the right one opens, any other sends nothing in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.guarded.guard import Guarded, bearer
from tests.api.serving import Running, eventually, serving, write_workspace
from tests.sdk.driving import ALL, BROWSERS, PROGRAMS, STANDALONE, Sdk, Wanted, assert_each_once
from tests.sdk.proxy import IDENTIFY, Weather, proxy

COUNT = 10
NUMBERS = set(range(COUNT))


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("keys")
    workspace = write_workspace(folder / "workspace")
    with (workspace / "segue.yaml").open("a", encoding="utf-8") as file:
        file.write(f"analytics_js: {STANDALONE}\n")
    with serving(folder) as server:
        made = Guarded(server)
        made.keys["write"] = made.key("shop", "write")
        made.keys["elsewhere"] = made.key("elsewhere", "write", "--origin", "https://elsewhere.example")
        made.keys["read"] = made.key("crm", "read")
        made.keys["unknown"] = made.keys["write"][:-1] + ("b" if made.keys["write"][-1] == "a" else "a")
        yield made


def upstream(server: Running) -> str:
    return str(server.http.base_url).rstrip("/")


def stored(locked: Guarded, user: str) -> list[Any]:
    """The events of a user, once what was acknowledged before is evaluated."""
    locked.send(f"after-{user}")
    locked.await_users(f"after-{user}")
    path = f"/v1/users/{user}/events"
    found = locked.server.http.get(path, params={"limit": 1_000}, headers=bearer(locked.keys["read"]))
    return found.json()["events"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("sdk", ALL, ids=lambda sdk: sdk.name)
def test_the_right_key_opens(locked: Guarded, sdk: Sdk) -> None:
    weather = Weather()
    user = f"{sdk.name}-in"
    with proxy(upstream(locked.server), weather) as host:
        wanted = Wanted(host, user, COUNT, key=locked.keys["write"])
        with sdk.sending(wanted):
            eventually(lambda: weather.answered >= NUMBERS | {IDENTIFY})
    assert_each_once(stored(locked, user), NUMBERS)


@pytest.mark.parametrize("which", ["unknown", "read"])
@pytest.mark.parametrize("sdk", PROGRAMS, ids=lambda sdk: sdk.name)
def test_another_key_sends_nothing_in(locked: Guarded, sdk: Sdk, which: str) -> None:
    """The SDK hears it and ends: it does not try for ever."""
    weather = Weather()
    user = f"{sdk.name}-{which}"
    with (
        proxy(upstream(locked.server), weather) as host,
        sdk.sending(Wanted(host, user, COUNT, key=locked.keys[which])),
    ):
        pass
    assert weather.record
    assert stored(locked, user) == []


@pytest.mark.parametrize("sdk", BROWSERS, ids=lambda sdk: sdk.name)
def test_a_page_with_an_unknown_key_stays_quiet(locked: Guarded, sdk: Sdk) -> None:
    weather = Weather()
    user = f"{sdk.name}-unknown"
    with (
        proxy(upstream(locked.server), weather) as host,
        sdk.sending(Wanted(host, user, COUNT, key=locked.keys["unknown"])) as loaded,
    ):
        eventually(lambda: any("/settings" in each or "/sourceConfig" in each for each in loaded))
        time.sleep(1)
    assert weather.record == []
    # For want of settings analytics-next tells its maker that there are none, and nothing else.
    foreign = [each for each in loaded if not each.startswith("http://127.0.0.1:")]
    assert len(foreign) == (sdk.driver == "segment.html")
    assert stored(locked, user) == []


@pytest.mark.parametrize("sdk", BROWSERS, ids=lambda sdk: sdk.name)
def test_a_page_of_another_origin_sends_nothing_in(locked: Guarded, sdk: Sdk) -> None:
    weather = Weather()
    user = f"{sdk.name}-elsewhere"
    with (
        proxy(upstream(locked.server), weather) as host,
        sdk.sending(Wanted(host, user, COUNT, key=locked.keys["elsewhere"])),
    ):
        eventually(lambda: weather.record)
        time.sleep(1)
    assert stored(locked, user) == []

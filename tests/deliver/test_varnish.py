"""A cache in front holds the answers about segments, and drops them the moment they change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from segue.deliver.pending import ECHO_SECONDS
from tests.api.serving import Running, eventually, serving, write_workspace
from tests.deliver.varnish import free_port, held, varnish

LATELY = """
segment: lately
owner: crm@shop.example
description: Came a moment ago.
when: count("Login", last 4s) > 0
"""


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


class Fronted:
    """A server with keys, and a client that reaches it through a cache."""

    def __init__(self, server: Running, cache: httpx.Client) -> None:
        self.server = server
        self.cache = cache
        self.cache.headers.update(bearer(self.key("read")))
        self.sending = bearer(self.key("write"))
        server.http.headers.update(bearer(self.key("admin")))

    def key(self, kind: str, **limits: object) -> str:
        """A new key."""
        made: str = self.server.control("keys create", name=f"{kind}{len(limits)}", kind=kind, **limits)[0][
            "key"
        ]
        return made

    def send(self, path: str, **body: object) -> None:
        assert self.server.http.post(path, json=body, headers=self.sending).status_code == 200

    def read(self, path: str) -> httpx.Response:
        answer = self.cache.get(path)
        assert answer.status_code == 200
        return answer

    def fill(self, path: str) -> httpx.Response:
        """Held for good: the purges of earlier changes come once more, a little later."""
        time.sleep(ECHO_SECONDS + 1)

        def look() -> httpx.Response | None:
            found = self.read(path)
            return found if held(found) else None

        return eventually(look)

    def segments(self, user: str) -> list[str]:
        """What the cache says."""
        return [each["name"] for each in self.read(f"/v1/users/{user}/segments").json()["segments"]]

    def buy(self, user: str, total: float) -> None:
        self.send("/v1/track", userId=user, event="Order Completed", properties={"total": total})


@pytest.fixture(params=[True])
def fronted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fronted]:
    """With or without the cache being told."""
    port = free_port()
    workspace = write_workspace(tmp_path / "workspace")
    (workspace / "segments" / "lately.yaml").write_text(LATELY, encoding="utf-8")
    told = f"http://127.0.0.1:{port}/" if request.param else "http://127.0.0.1:9/"
    with (workspace / "segue.yaml").open("a", encoding="utf-8") as settings:
        settings.write(f"caches: [{told}]\ncache_time: 1h\n")
    with (
        serving(tmp_path) as server,
        varnish(tmp_path, port, int(server.said["url"].rsplit(":", 1)[1])) as cache,
    ):
        yield Fronted(server, cache)


def test_a_change_reaches_readers_through_the_cache(fronted: Fronted) -> None:
    fronted.buy("ann", 50)
    eventually(lambda: fronted.segments("ann") == ["buyers"])
    first = fronted.fill("/v1/users/ann/segments")
    assert first.headers["cache-control"] == "public, max-age=0, s-maxage=3600, must-revalidate"
    assert "surrogate-key" not in first.headers
    fronted.buy("ann", 500)
    eventually(lambda: fronted.segments("ann") == ["big_buyers", "buyers"])
    assert fronted.fill("/v1/users/ann/segments").headers["etag"] != first.headers["etag"]


def test_a_change_by_time_alone_reaches_readers_too(fronted: Fronted) -> None:
    """Nobody sends anything when a window empties, and the answer may be held for an hour."""
    fronted.send("/v1/track", userId="ann", event="Login")
    eventually(lambda: fronted.segments("ann") == ["lately"])
    eventually(lambda: held(fronted.read("/v1/users/ann/segments")))
    eventually(lambda: fronted.segments("ann") == [])


def test_members_are_held_and_dropped(fronted: Fronted) -> None:
    fronted.buy("ann", 50)
    path = "/v1/segments/buyers/members"
    eventually(lambda: fronted.read(path).json()["total"] == 1)
    fronted.fill(path)
    fronted.buy("ben", 50)
    eventually(lambda: fronted.read(path).json()["total"] == 2)


def test_nobody_elses_answer_is_dropped(fronted: Fronted) -> None:
    for user in ("ann", "ben"):
        fronted.buy(user, 50)
        eventually(lambda user=user: fronted.segments(user) == ["buyers"])  # type: ignore[misc]
    before = fronted.fill("/v1/users/ben/segments")
    fronted.buy("ann", 500)
    eventually(lambda: "big_buyers" in fronted.segments("ann"))
    after = fronted.read("/v1/users/ben/segments")
    assert (held(after), after.headers["etag"]) == (True, before.headers["etag"])


def test_the_forgotten_leave_the_cache(fronted: Fronted) -> None:
    fronted.buy("ann", 50)
    eventually(lambda: fronted.segments("ann") == ["buyers"])
    fronted.fill("/v1/users/ann/segments")
    assert fronted.server.http.delete("/v1/users/ann").json()["forgotten"]
    eventually(lambda: not fronted.read("/v1/users/ann/segments").json()["known"])


def test_who_is_absorbed_leaves_the_cache(fronted: Fronted) -> None:
    fronted.send("/v1/track", anonymousId="a", event="Order Completed", properties={"total": 5})
    eventually(lambda: fronted.segments("anon:a") == ["buyers"])
    fronted.fill("/v1/users/anon:a/segments")
    fronted.send("/v1/identify", userId="ann", anonymousId="a")
    eventually(lambda: fronted.read("/v1/users/anon:a/segments").json()["user_id"] == "ann")


def test_each_credential_has_its_own_answers(fronted: Fronted) -> None:
    """A cache must not give one asker what another may see: not to a narrower key, a user, or a stranger."""
    fronted.buy("ann", 500)
    eventually(lambda: "big_buyers" in fronted.segments("ann"))
    path = "/v1/users/ann/segments"
    fronted.fill(path)
    narrow = bearer(fronted.key("read", segments=["buyers"]))
    seen = fronted.cache.get(path, headers=narrow).json()["segments"]
    assert [each["name"] for each in seen] == ["buyers"]
    token = fronted.server.control("token", user="ben")[0]["token"]
    for headers in (bearer(token), bearer("nonsense"), {"Authorization": ""}):
        refused = fronted.cache.get(path, headers=headers)
        assert refused.status_code in {401, 403}
        assert "big_buyers" not in refused.text


def test_a_key_that_was_revoked_is_given_nothing_any_more(fronted: Fronted) -> None:
    fronted.buy("ann", 50)
    eventually(lambda: fronted.segments("ann") == ["buyers"])
    path = "/v1/users/ann/segments"
    fronted.fill(path)
    fronted.server.control("keys revoke", key="read0")
    assert eventually(lambda: fronted.cache.get(path).status_code == 401)


def test_what_a_token_reads_is_not_held(fronted: Fronted) -> None:
    fronted.buy("ann", 50)
    eventually(lambda: fronted.segments("ann") == ["buyers"])
    token = bearer(fronted.server.control("token", user="ann")[0]["token"])
    for _ in range(3):
        answer = fronted.cache.get("/v1/users/ann/segments", headers=token)
        assert answer.status_code == 200
        assert "private" in answer.headers["cache-control"]
        assert not held(answer)


def test_what_is_not_told_of_is_not_held(fronted: Fronted) -> None:
    """Least of all that there is no such thing: it may be made in the next moment."""
    for path in ("/v1/segments/new", "/v1/segments", "/v1/changes", "/v1/users/nobody/segments", "/nothing"):
        for _ in range(2):
            assert not held(fronted.cache.get(path)), path


@pytest.mark.parametrize("fronted", [False], indirect=True)
def test_without_the_hook_the_stale_answer_stays(fronted: Fronted) -> None:
    """The control: it is the purge that makes the answers fresh, nothing else."""
    fronted.buy("ann", 50)
    eventually(lambda: fronted.server.segments_of("ann") == ["buyers"])
    fronted.fill("/v1/users/ann/segments")
    fronted.buy("ann", 500)
    eventually(lambda: "big_buyers" in fronted.server.segments_of("ann"))
    assert fronted.segments("ann") == ["buyers"]
    assert held(fronted.read("/v1/users/ann/segments"))

"""The disk is full: posts are refused in words, reads go on, and all is well again when there is room."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.serving import Running, eventually, serving
from tests.service.crashing import order, require_whole

SIZE_MB = 64
SAYS_YES_ALWAYS = """
from segue.service.posting import Committer
from segue.ingest.tally import Tally
def commit(self, posts):
    try:
        self._written(posts)
    except BaseException:
        pass
    for post in posts:
        post.done.set_result(Tally())
Committer._commit = commit
"""
"""The control: the same server, which passes over what the disk says."""


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own in memory; skipped where one may not be mounted."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "segue-test", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("a file system may not be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leave_kb: int) -> Path:
    """A file that takes all room but a little."""
    ballast = folder / "ballast"
    free = os.statvfs(folder)
    with ballast.open("wb") as file:
        file.write(bytes(max(0, free.f_bavail * free.f_frsize - leave_kb * 1024)))
    return ballast


def large(number: int) -> dict[str, Any]:
    noise = os.urandom(7_000).hex()
    return {**order(number), "context": {"noise": noise}}


def post(server: Running, number: int) -> httpx.Response:
    return server.http.post("/v1/track", json=large(number))


def post_until(server: Running, first: int, status: int) -> tuple[int, httpx.Response]:
    """The number of the first post that gets this status, and its answer."""
    for number in range(first, first + 5_000):
        answer = post(server, number)
        if answer.status_code == status:
            return number, answer
        time.sleep(0.001)
    raise AssertionError(f"never {status}")


def test_a_full_disk_refuses_posts_and_nothing_else(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        with serving(disk) as server:
            server.track("early", "Order Completed", total=500)
            eventually(lambda: server.segments_of("early") == ["big_buyers", "buyers"])
            ballast = fill(disk, leave_kb=500)
            full, answer = post_until(server, 0, 503)
            assert answer.headers["retry-after"].isdigit()
            assert {"code", "message"} <= answer.json().keys()
            for number in range(full + 1, full + 20):
                assert post(server, number).status_code == 503
                assert server.segments_of("early") == ["big_buyers", "buyers"]
            assert server.http.get("/readyz").status_code == 503
            assert server.http.get("/healthz").status_code == 200
            ballast.unlink()
            again, _ = post_until(server, full + 100, 200)
            eventually(lambda: server.http.get("/readyz").status_code == 200)
            eventually(lambda: f"u{again * 7919 % 300}" in members(server))
            assert server.stop() == 0
        found = require_whole(disk / "workspace", disk / "data")
        acknowledged = {f"m{number}" for number in (*range(full), again)}
        assert acknowledged <= found.keys()
        assert not {f"m{number}" for number in range(full, full + 20)} & found.keys()


def members(server: Running) -> set[str]:
    found = server.http.get("/v1/segments/buyers/members?limit=10000").json()["members"]
    return {each["user_id"] for each in found}


def test_a_server_that_says_yes_to_everything_is_found_out(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        with serving(disk, before=SAYS_YES_ALWAYS) as server:
            ballast = fill(disk, leave_kb=500)
            for number in range(150):
                assert post(server, number).status_code == 200
            ballast.unlink()
            server.process.kill()
            server.process.wait()
        found = require_whole(disk / "workspace", disk / "data")
    assert not {f"m{number}" for number in range(150)} <= found.keys()

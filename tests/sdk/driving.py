"""The real SDKs: how each is started, and what is missing when one cannot be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.api.serving import Running, eventually
from tests.sdk import browser
from tests.sdk.browser import visiting

ROOT = Path(__file__).parents[2]
SDKS = ROOT / ".sdks"
DRIVERS = Path(__file__).parent / "drivers"
MODULES = SDKS / "node" / "node_modules"
STANDALONE = MODULES / "@segment" / "analytics-next" / "dist" / "umd" / "standalone.js"
RUDDER = (
    MODULES / "@rudderstack" / "analytics-js" / "dist" / "npm" / "modern" / "bundled" / "umd" / "index.js"
)


@dataclass(frozen=True)
class Wanted:
    """What an SDK is to send, and where to."""

    host: str
    user: str
    count: int
    odd: bool = False
    timeout: float = 60
    """Seconds that it waits for an answer; browsers have their own."""
    key: str = "wk_test"
    pace: float = 0
    """Seconds between two events, for the drivers that heed it."""


@dataclass(frozen=True)
class Sdk:
    """One SDK in one way of use. ``many`` is a number of events that makes some dozens of requests."""

    name: str
    needs: tuple[str, ...]
    many: int
    driver: str
    settings: tuple[tuple[str, Any], ...] = ()

    @property
    def in_browser(self) -> bool:
        """Whether it runs in a page."""
        return self.driver.endswith(".html")

    @property
    def missing(self) -> str | None:
        """Why it cannot be driven on this machine."""
        for part in self.needs:
            note = SDKS / f"{part}.missing"
            if note.exists():
                return note.read_text(encoding="utf-8")
            if part == "chromium":
                there = any(map(shutil.which, browser.NAMES))
            else:
                there = (SDKS / part / "installed").exists()
            if not there:
                return f"{part} is not set up: run python3 scripts/setup_sdks.py"
        return None

    @contextmanager
    def sending(self, wanted: Wanted) -> Iterator[set[str]]:
        """Sends; yields the addresses that a page has loaded (it stays open), or when a program has ended."""
        if self.missing:
            pytest.skip(f"{self.name}: {self.missing}")
        words = {**vars(wanted), **dict(self.settings)}
        if self.in_browser:
            with visiting(self.driver, words, {"/rudder.js": RUDDER}) as visit:
                yield visit.loaded
            return
        program = [SDKS / "python" / "bin" / "python"] if self.driver.endswith(".py") else ["node"]
        ended = subprocess.run(
            [*program, DRIVERS / self.driver, json.dumps(words)],
            capture_output=True,
            check=False,
            encoding="utf-8",
            env={**os.environ, "NODE_PATH": str(MODULES)},
        )
        assert ended.returncode == 0, ended.stderr
        yield set()


PROGRAMS = (
    Sdk("segment-python", ("python",), 3_000, "segment_python.py", (("gzip", False),)),
    Sdk("segment-python-gzip", ("python",), 3_000, "segment_python.py", (("gzip", True),)),
    Sdk("rudder-python", ("python",), 3_000, "rudder_python.py"),
    Sdk("segment-node", ("node",), 600, "segment_node.cjs"),
    Sdk("rudder-node", ("node",), 600, "rudder_node.cjs"),
)
BROWSERS = (
    Sdk("analytics-next", ("node", "chromium"), 60, "segment.html"),
    Sdk("analytics-next-batching", ("node", "chromium"), 200, "segment.html", (("batching", True),)),
    Sdk("rudder-js", ("node", "chromium"), 40, "rudder.html", (("beacon", False),)),
)
ALL = (*PROGRAMS, *BROWSERS)


def events_of(server: Running, user: str) -> list[Any]:
    """All events of a user, once everything that was acknowledged before is evaluated."""
    marker = f"after-{user}"
    server.track(marker, "Looked")
    eventually(lambda: server.http.get(f"/v1/users/{marker}/events").json()["events"])
    found: list[Any] = []
    query: dict[str, Any] = {"limit": 10_000}
    while True:
        page = server.http.get(f"/v1/users/{user}/events", params=query).json()
        found += page["events"]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def assert_each_once(events: list[Any], numbers: set[int]) -> None:
    """Every number is there, and none twice."""
    found = Counter(each["properties"]["n"] for each in events if each.get("name") in {"Sent", "Odd"})
    lost = numbers - found.keys()
    doubled = {number: count for number, count in found.items() if count > 1}
    assert not lost, f"lost: {sorted(lost)}"
    assert not doubled, f"more than once: {doubled}"

"""A real server: `segue serve` in a process of its own, over a small workspace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

Found = TypeVar("Found")

SETTINGS = "timezone: UTC\n"
SEGMENTS = """
- segment: buyers
  owner: crm@shop.example
  description: Has ordered.
  when: count("Order Completed") >= 1
- segment: big_buyers
  owner: crm@shop.example
  description: A buyer who has spent over 100.
  when: segment("buyers") and sum("Order Completed".total) > 100
"""
PATIENCE_SECONDS = 600


def write_workspace(folder: Path) -> Path:
    """A workspace of two segments."""
    (folder / "segments").mkdir(parents=True)
    (folder / "segue.yaml").write_text(SETTINGS, encoding="utf-8")
    (folder / "segments" / "shop.yaml").write_text(SEGMENTS, encoding="utf-8")
    return folder


def eventually(look: Callable[[], Found | None]) -> Found:
    """What ``look`` finds in the end; what was acknowledged is evaluated a moment later."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it never came")


class Running:
    """A server that was started, and a client of it."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.data = folder / "data"
        self.said: Mapping[str, Any] = {}
        self.http = httpx.Client()

    def wait(self) -> None:
        """Until it accepts posts."""
        self.said = eventually(self._described)
        self.http = httpx.Client(base_url=self.said["url"], timeout=PATIENCE_SECONDS)
        eventually(lambda: self.http.get("/readyz").status_code == 200)

    def _described(self) -> Any:
        assert self.process.poll() is None, "the server ended"
        try:
            said = json.loads((self.data / "serve.json").read_bytes())
        except (OSError, ValueError):
            return None
        return said if said["pid"] == self.process.pid else None

    def track(self, user: str, event: str, **properties: Any) -> None:
        """One event that has to be taken."""
        body = {"userId": user, "event": event, "properties": properties}
        answer = self.http.post("/v1/track", json=body)
        assert (answer.status_code, answer.json()) == (200, {"success": True})

    def segments_of(self, user: str) -> list[str]:
        """The names of a user's segments now."""
        found = self.http.get("/user/segments", params={"user_id": user}).json()
        return [each["name"] for each in found["segments"]]

    def control(self, command: str, **arguments: Any) -> list[Any]:
        """The lines a command answers with."""
        answer = self.http.post(
            "/control",
            json={"command": command, "arguments": arguments},
            headers={"Authorization": f"Bearer {self.said['token']}"},
        )
        assert answer.status_code == 200
        return [json.loads(line) for line in answer.text.splitlines()]

    def stop(self) -> int:
        """Ends it as a supervisor would; its exit status."""
        self.process.terminate()
        return self.process.wait()


@contextmanager
def serving(
    folder: Path, *options: str, before: str = "", environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """A server over a fresh workspace, or over the one that is there; ended with the block.

    ``before`` is Python that its process runs first.
    """
    if not (folder / "workspace").exists():
        write_workspace(folder / "workspace")
    program = f"{before}\nfrom segue.cli import main\nmain()"
    command = [sys.executable, "-c", program, "serve", "--port", "0"]
    command += ["--workspace", str(folder / "workspace"), "--data", str(folder / "data"), *options]
    variables = {**os.environ, **(environment or {})}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=variables) as process:
        running = Running(process, folder)
        try:
            running.wait()
            yield running
        finally:
            running.http.close()
            if process.poll() is None:
                process.kill()

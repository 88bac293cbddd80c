"""kill -9 at any moment: nothing acknowledged is lost, nothing counts twice, numbers have no gap."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from segue.domain.time import format_instant
from segue.service.service import Service
from tests.api.serving import Running, eventually, serving, write_workspace
from tests.service.crashing import FIRST_MS, chance, children, order, require_whole, running

ROUNDS, TORTURE_ROUNDS = 5, 50
IMPORT_ROUNDS, TORTURE_IMPORT_ROUNDS = 3, 20
YES_BEFORE_IT_IS_WRITTEN = """
import time
from segue.ingest.tally import Tally
from segue.service.posting import Committer
commit = Committer._commit
def hasty(self, posts):
    for post in posts:
        post.done.set_result(Tally())
    time.sleep(1.0)
    self._written(posts)
Committer._commit = hasty
"""
"""The control: the same server, which acknowledges first and writes afterwards."""
EVENTS = 40_000
PROGRAM = (sys.executable, "-c", "from segue.cli import main; main()")


class Sender(threading.Thread):
    """Posts batches until the server is gone; every tenth event is sent a second time on purpose."""

    def __init__(self, url: str, first: int, lots: random.Random, clock: str) -> None:
        super().__init__()
        self.url = url
        self.next = first
        self.lots = lots
        self.clock = clock
        self.acknowledged: set[str] = set()

    def run(self) -> None:
        with httpx.Client(base_url=self.url, timeout=60) as client:
            while self._send(client):
                pass

    def _send(self, client: httpx.Client) -> bool:
        size = self.lots.choice((1, 2, 20, 200))
        batch = [order(number) for number in range(self.next, self.next + size)]
        batch += [order(self.lots.randrange(self.next)) for _ in range(size // 10) if self.next]
        if self.clock == "log":
            now = format_instant(time.time_ns() // 1_000_000)
            for event in batch:
                event["timestamp"] = event["receivedAt"] = now
        try:
            answer = client.post("/v1/batch", json={"batch": batch})
        except httpx.TransportError:
            return False
        assert answer.status_code == 200, answer.text
        self.acknowledged.update(event["messageId"] for event in batch)
        self.next += size
        return True


def kill_serving(folder: Path, rounds: int, before: str = "") -> set[str]:
    """What was acknowledged and is not there."""
    lots = chance()
    acknowledged: set[str] = set()
    lost: set[str] = set()
    upcoming = 0
    for turn in range(rounds):
        clock = "log" if turn % 2 == 0 else "wall"
        with serving(folder, "--clock", clock, before=before) as server:
            sender = Sender(server.said["url"], max(0, upcoming - 100), lots, clock)
            sender.start()
            eventually(sender.acknowledged.copy)
            time.sleep(lots.uniform(0.0, 0.4))
            started = children(server.process.pid)
            server.process.kill()
            server.process.wait()
            sender.join()
            upcoming = sender.next
            acknowledged |= sender.acknowledged
            assert not [pid for pid in started if running(pid)]
        found = require_whole(folder / "workspace", folder / "data")
        lost |= acknowledged - found.keys()
        require_replayed(folder)
    assert acknowledged
    if not lost:
        resend(folder, acknowledged)
    return lost


def require_replayed(folder: Path) -> None:
    """What a kill left, opened with its snapshot and without it, says the same."""
    here, anew = folder / "data", folder / "anew"
    shutil.rmtree(anew, ignore_errors=True)
    shutil.copytree(here, anew)
    shutil.rmtree(anew / "snapshot", ignore_errors=True)
    assert standing(folder / "workspace", anew) == standing(folder / "workspace", here)


def standing(workspace: Path, data: Path) -> dict[str, object]:
    with Service.open(workspace, data) as service:
        members: dict[str, object] = {name: service.members(name) for name in service.workspace.segments}
        return members | {"changes": [change.to_json() for change in service.changes()]}


def resend(folder: Path, acknowledged: set[str]) -> None:
    """What was acknowledged is sent again: nothing changes."""
    before = require_whole(folder / "workspace", folder / "data")
    with serving(folder, "--clock", "wall") as server:
        post_again(server, sorted(acknowledged, key=lambda name: int(name[1:]))[-1_000:])
        assert server.stop() == 0
    assert require_whole(folder / "workspace", folder / "data") == before


def post_again(server: Running, names: list[str]) -> None:
    batch = [order(int(name[1:])) for name in names]
    assert server.http.post("/v1/batch", json={"batch": batch}).status_code == 200


def write_events(path: Path) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for number in range(EVENTS):
            moment = format_instant(FIRST_MS + 1_000 * number)
            file.write(json.dumps({**order(number), "timestamp": moment}) + "\n")
    return path


def importing(workspace: Path, data: Path, file: Path) -> subprocess.Popen[bytes]:
    command = [*PROGRAM, "import", str(file), "--workspace", str(workspace), "--data", str(data)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def kill_importing(folder: Path, rounds: int) -> None:
    lots = chance()
    workspace, data = write_workspace(folder / "workspace"), folder / "data"
    file = write_events(folder / "events.jsonl")
    began = time.monotonic()
    with importing(workspace, folder / "whole", file) as process:
        assert process.wait() == 0
    seconds = time.monotonic() - began
    for turn in range(rounds):
        here = folder / f"data{turn % 4}"
        with importing(workspace, here, file) as process:
            time.sleep(lots.uniform(0.3, 1.0) * seconds)
            started = children(process.pid)
            process.kill()
            process.wait()
            assert not [pid for pid in started if running(pid)]
        require_whole(workspace, here)
        data = here
    with importing(workspace, data, file) as process:
        _, said = process.communicate()
        assert process.returncode == 0, said
    assert len(require_whole(workspace, data)) == EVENTS
    assert told(workspace, data) == told(workspace, folder / "whole")


def told(workspace: Path, data: Path) -> list[object]:
    with Service.open(workspace, data) as service:
        return [change.to_json() for change in service.changes()]


def test_kill_9_while_serving(tmp_path: Path) -> None:
    assert kill_serving(tmp_path, ROUNDS) == set()


def test_kill_9_finds_out_who_says_yes_too_early(tmp_path: Path) -> None:
    assert kill_serving(tmp_path, 1, YES_BEFORE_IT_IS_WRITTEN)


def test_kill_9_while_importing(tmp_path: Path) -> None:
    kill_importing(tmp_path, IMPORT_ROUNDS)


@pytest.mark.torture
def test_kill_9_while_serving_again_and_again(tmp_path: Path) -> None:
    assert kill_serving(tmp_path, TORTURE_ROUNDS) == set()


@pytest.mark.torture
def test_kill_9_while_importing_again_and_again(tmp_path: Path) -> None:
    kill_importing(tmp_path, TORTURE_IMPORT_ROUNDS)

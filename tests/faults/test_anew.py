"""The front end is never away: the program starts anew, the socket stays, and whoever connects waits."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.api.serving import PATIENCE_SECONDS, Running, eventually, serving, write_workspace
from tests.api.stream.hearing import listening, opened
from tests.service.crashing import order, require_whole

RESTARTS, TORTURE_RESTARTS = 2, 20
SENDERS = 3


class Sender(threading.Thread):
    """Posts without a pause, on a new connection each time, and never sends anything again."""

    def __init__(self, url: str, first: int) -> None:
        super().__init__()
        self.url = url
        self.number = first
        self.acknowledged: list[str] = []
        self.failures: list[str] = []
        self.longest = 0.0
        self.ending = False

    def run(self) -> None:
        headers = {"Connection": "close"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
            while not self.ending:
                began = time.monotonic()
                self.send(client)
                self.longest = max(self.longest, time.monotonic() - began)

    def send(self, client: httpx.Client) -> None:
        event = order(self.number)
        self.number += 1
        try:
            answer = client.post("/v1/track", json=event)
        except httpx.TransportError as error:
            self.failures.append(repr(error))
            return
        if answer.status_code == 200:
            self.acknowledged.append(event["messageId"])
        else:
            self.failures.append(answer.text)


def under_load(server: Running, restarts: int, how: signal.Signals) -> list[Sender]:
    senders = [Sender(server.said["url"], at * 1_000_000) for at in range(SENDERS)]
    for sender in senders:
        sender.start()
    try:
        for _ in range(restarts):
            time.sleep(0.5)
            before = server.said["token"]
            server.process.send_signal(how)
            eventually(partial(started_anew, server, before))
    finally:
        for sender in senders:
            sender.ending = True
        for sender in senders:
            sender.join()
    return senders


def started_anew(server: Running, before: str) -> bool:
    said = server._described()
    if said is None or said["token"] == before:
        return False
    server.said = said
    return True


def restart(folder: Path, restarts: int) -> None:
    with serving(folder) as server:
        pid = server.process.pid
        senders = under_load(server, restarts, signal.SIGHUP)
        assert [each.failures for each in senders] == [[]] * SENDERS
        print("longest wait", max(each.longest for each in senders), "s")
        assert server.said["pid"] == pid
        assert server.stop() == 0
    found = require_whole(folder / "workspace", folder / "data")
    acknowledged = {name for sender in senders for name in sender.acknowledged}
    assert found.keys() == acknowledged
    assert len(acknowledged) > 10 * restarts


def test_nobody_is_refused_while_the_program_starts_anew(tmp_path: Path) -> None:
    restart(tmp_path, RESTARTS)


@pytest.mark.torture
def test_nobody_is_refused_while_the_program_starts_anew_again_and_again(tmp_path: Path) -> None:
    restart(tmp_path, TORTURE_RESTARTS)


def test_without_the_socket_kept_somebody_is_refused(tmp_path: Path) -> None:
    """The control: the same load, and a restart as a supervisor does it that keeps nothing."""
    with serving(tmp_path, "--port", str(free_port())) as first:
        sender = Sender(first.said["url"], 0)
        sender.start()
        time.sleep(0.5)
        assert first.stop() == 0
        time.sleep(0.1)
        sender.ending = True
        sender.join()
    assert sender.failures


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_a_socket_is_taken_over_from_a_supervisor(tmp_path: Path) -> None:
    """As systemd does it: it listens first, and whoever connects waits for the program."""
    write_workspace(tmp_path / "workspace")
    data = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as held:
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        early = Sender(url, 0)
        early.start()
        command = f"""
import os
os.dup2({held.fileno()}, 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv({sys.executable!r}, [{sys.executable!r}, "-c", "from segue.cli import main; main()", "serve",
    "--workspace", {str(tmp_path / "workspace")!r}, "--data", {str(data)!r}])
"""
        with subprocess.Popen(
            [sys.executable, "-c", command], pass_fds=[held.fileno()], stdout=subprocess.DEVNULL
        ) as process:
            eventually(lambda: early.acknowledged)
            early.ending = True
            early.join()
            process.terminate()
            assert process.wait() == 0
    assert early.failures == []


def test_a_workspace_with_findings_does_not_end_the_server(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        broken = tmp_path / "workspace" / "segments" / "broken.yaml"
        broken.write_text("segment: broken\n", encoding="utf-8")
        server.process.send_signal(signal.SIGHUP)
        server.track("still", "Order Completed", total=1)
        time.sleep(0.5)
        assert server.process.poll() is None
        server.track("still", "Order Completed", total=1)
        broken.unlink()


def test_streams_are_told_and_find_their_place_again(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        with listening(server, "user_id=u") as heard:
            server.track("u", "Order Completed", total=1)
            last = heard.changes(1)[0]["seq"]
            before = server.said["token"]
            os.kill(server.process.pid, signal.SIGHUP)
            said, code, _ = heard.until_closed()
            assert (said[-1]["notice"], said[-1]["code"], code) == ("closing", "E791", 1012)
        eventually(lambda: started_anew(server, before))
        server.track("u", "Order Completed", total=500)
        with opened(server, f"user_id=u&after={last}") as again:
            assert again.changes(1)[0]["segment"] == "big_buyers"

"""Starting anew under the client that waits least: rudder-sdk-node gives a batch up after 1.6 seconds."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api.serving import Running, eventually, serving
from tests.sdk.driving import PROGRAMS, Wanted, assert_each_once, events_of

RUDDER = next(sdk for sdk in PROGRAMS if sdk.name == "rudder-node")
COUNT = 2_000
PACE = 0.01
TIMES = 5


def token(server: Running) -> str:
    """Tells one start of the server from another."""
    try:
        return json.loads((server.data / "serve.json").read_bytes())["token"]  # type: ignore[no-any-return]
    except (OSError, ValueError):
        return ""


@contextmanager
def meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Work beside the block, which ends when both have; its failure is the block's."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as fault:  # noqa: BLE001 -- told below
            failed.append(fault)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()
    if failed:
        raise failed[0]


def test_no_event_is_lost_while_the_server_starts_anew(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        starts = {token(server)}

        def fresh() -> str | None:
            found = token(server)
            return found if found and found not in starts else None

        def start_anew() -> None:
            for _ in range(TIMES):
                time.sleep(0.5)
                server.process.send_signal(signal.SIGHUP)
                starts.add(eventually(fresh))

        host = str(server.http.base_url).rstrip("/")
        with meanwhile(start_anew), RUDDER.sending(Wanted(host, "restless", COUNT, pace=PACE)):
            pass
        eventually(lambda: server.http.get("/readyz").status_code == 200)
        assert len(starts) == TIMES + 1
        assert_each_once(events_of(server, "restless"), set(range(COUNT)))


def test_a_server_that_is_away_loses_events(tmp_path: Path) -> None:
    """The control: between an end and a start by hand nobody keeps the socket."""
    with serving(tmp_path) as first:
        port = first.http.base_url.port
        host = str(first.http.base_url).rstrip("/")

        def end() -> None:
            time.sleep(2)
            first.stop()

        with meanwhile(end), RUDDER.sending(Wanted(host, "restless", COUNT // 4, pace=PACE)):
            pass
    with serving(tmp_path, "--port", str(port)) as second, pytest.raises(AssertionError, match="lost"):
        assert_each_once(events_of(second, "restless"), set(range(COUNT // 4)))

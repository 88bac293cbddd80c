"""An event takes effect once, however often and from wherever it is sent."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from segue.domain.time import HOUR
from segue.log.batch import EventBatch
from segue.service.service import Service
from tests.api.serving import PATIENCE_SECONDS, Running, serving
from tests.faults.clock import set_off, settable
from tests.faults.proxy import losing
from tests.service.crashing import chance, order, require_whole

EVENTS, TORTURE_EVENTS, BATCH, SENDERS = 10_000, 100_000, 50, 4
AT_ONCE, TIMES, TORTURE_TIMES = 50, 20, 1_000
REMEMBERS_NOTHING = """
import numpy
from segue.ingest.dedupe import Seen
Seen.seen_many = lambda self, h1, *rest: numpy.zeros(len(h1), bool)
"""
"""The control: the same server without its memory of message ids."""


def effects(folder: Path) -> Counter[tuple[str, str]]:
    """How often each (source, message id) took effect."""
    with Service.open(folder / "workspace", folder / "data") as service:
        batches = [entry for entry in service.log.replay() if isinstance(entry, EventBatch)]
        return Counter((batch.source, name) for batch in batches for name in batch.message_ids)


def send_until_acknowledged(port: int, first: int, count: int) -> None:
    with httpx.Client(headers={"Connection": "close"}, timeout=PATIENCE_SECONDS) as client:
        for start in range(first, first + count, BATCH):
            body = {"batch": [order(number) for number in range(start, start + BATCH)]}
            while not acknowledged(client, port, body):
                pass


def acknowledged(client: httpx.Client, port: int, body: dict[str, Any]) -> bool:
    try:
        answer = client.post(f"http://127.0.0.1:{port}/v1/batch", json=body)
    except httpx.TransportError:
        return False
    assert answer.status_code == 200, answer.text
    return True


def lose_acknowledgements(folder: Path, events: int, before: str = "") -> Counter[tuple[str, str]]:
    with serving(folder, before=before) as server, losing(port_of(server), chance()) as proxy:
        share = events // SENDERS
        senders = [
            threading.Thread(target=send_until_acknowledged, args=(proxy.port, at * share, share))
            for at in range(SENDERS)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert proxy.lost > 0
        assert server.stop() == 0
    return effects(folder)


def port_of(server: Running) -> int:
    return int(str(server.said["url"]).rpartition(":")[2])


def test_lost_acknowledgements_double_nothing(tmp_path: Path) -> None:
    assert set(lose_acknowledgements(tmp_path, EVENTS).values()) == {1}
    assert len(require_whole(tmp_path / "workspace", tmp_path / "data")) == EVENTS


def test_without_memory_lost_acknowledgements_double(tmp_path: Path) -> None:
    assert max(lose_acknowledgements(tmp_path, 2_000, REMEMBERS_NOTHING).values()) > 1


@pytest.mark.torture
def test_lost_acknowledgements_double_nothing_in_a_hundred_thousand(tmp_path: Path) -> None:
    found = lose_acknowledgements(tmp_path, TORTURE_EVENTS)
    assert (len(found), set(found.values())) == (TORTURE_EVENTS, {1})


def all_at_once(server: Running, number: int) -> None:
    """The same event from many connections, which are open when the first of them sends."""
    body = json.dumps(order(number)).encode()
    head = f"POST /v1/track HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    with ExitStack() as stack:
        address = ("127.0.0.1", port_of(server))
        sockets = [stack.enter_context(socket.create_connection(address)) for _ in range(AT_ONCE)]
        for each in sockets:
            each.sendall(head.encode() + body)
        for each in sockets:
            assert each.recv(4096).startswith(b"HTTP/1.1 200")


def repeat(folder: Path, times: int, before: str = "") -> Counter[tuple[str, str]]:
    with serving(folder, before=before) as server:
        for number in range(times):
            all_at_once(server, number)
        assert server.stop() == 0
    return effects(folder)


def test_the_same_event_from_fifty_connections_at_once(tmp_path: Path) -> None:
    found = repeat(tmp_path, TIMES)
    assert (len(found), set(found.values())) == (TIMES, {1})


def test_without_memory_it_counts_fifty_times(tmp_path: Path) -> None:
    assert set(repeat(tmp_path, 1, REMEMBERS_NOTHING).values()) == {AT_ONCE}


@pytest.mark.torture
def test_the_same_event_from_fifty_connections_again_and_again(tmp_path: Path) -> None:
    found = repeat(tmp_path, TORTURE_TIMES)
    assert (len(found), set(found.values())) == (TORTURE_TIMES, {1})


def test_in_one_batch_after_a_kill_and_most_of_a_week_later(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    with serving(tmp_path, before=settable(clock)) as server:
        for hours in (0, 1, 23, 24, 7 * 24 - 1):
            set_off(clock, hours * HOUR)
            assert server.http.post("/v1/batch", json={"batch": [order(1)] * 3}).status_code == 200
        server.process.kill()
        server.process.wait()
    with serving(tmp_path, before=settable(clock)) as server:
        assert server.http.post("/v1/track", json=order(1)).status_code == 200
        assert server.stop() == 0
    assert set(effects(tmp_path).values()) == {1}


def test_two_sources_may_use_the_same_message_id(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        for key in ("one", "two", "one", "two"):
            assert server.http.post("/v1/track", json=order(1), auth=(key, "")).status_code == 200
        assert server.stop() == 0
    found = effects(tmp_path)
    assert (len(found), set(found.values())) == (2, {1})

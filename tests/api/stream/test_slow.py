"""Those who do not keep up: the slow read the log, the dead are cut, the others notice nothing."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.api.serving import Running, eventually, serving
from tests.api.stream.hearing import listening, opened

IMPATIENT = """
import segue.domain.limits as limits
limits.STREAM_STALLED_SECONDS = 1
limits.STREAM_CHECK_SECONDS = 0.5
limits.STREAM_HEARTBEAT_SECONDS = 0.5
limits.STREAM_QUEUE_MAX = 20
limits.STREAM_PAGE = 50
limits.HEAD_SECONDS_MAX = 1
"""
HANDSHAKE = (
    b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
EVENTS_REQUEST = b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("impatient"), before=IMPATIENT) as server:
        yield server


def many(server: Running, who: str, count: int = 500) -> None:
    """So many users who enter both segments."""
    batch = [
        {"type": "track", "event": "Order Completed", "userId": f"{who}{at}", "properties": {"total": 500}}
        for at in range(count)
    ]
    assert server.http.post("/v1/batch", json={"batch": batch}).status_code == 200


def head(server: Running) -> int:
    return int(metric(server, "segue_changes "))


def metric(server: Running, name: str) -> float:
    """The value of one line, 0 when it is not there."""
    lines = server.http.get("/metrics").text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)), 0)


def settled(server: Running) -> int | None:
    """The last change, once everything that was posted is evaluated."""
    before = head(server)
    time.sleep(0.3)
    return before if head(server) == before else None


def ended(server: Running, code: str) -> float:
    return metric(server, f'segue_streams_ended_total{{code="{code}"}}')


def test_more_at_once_than_a_queue_takes_comes_from_the_log(impatient: Running) -> None:
    with listening(impatient) as heard:
        before = head(impatient)
        many(impatient, "burst")
        seqs = [each["seq"] for each in heard.changes(1_000)]
    assert seqs == list(range(before + 1, before + 1_001))


def test_who_has_nothing_to_say_is_not_taken_for_a_slow_sender(impatient: Running) -> None:
    with listening(impatient, "user_id=quiet") as heard:
        time.sleep(2.5)
        impatient.track("quiet", "Order Completed", total=1)
        assert heard.change() == ("quiet", "buyers", "entered")


def test_a_heartbeat_says_up_to_where_all_was_sent(impatient: Running) -> None:
    with listening(impatient, "user_id=nobody-there") as heard:
        many(impatient, "beat", 10)
        eventually(lambda: f'"seq":{head(impatient)}}}' in str(heard.socket.recv(60)))


@pytest.mark.parametrize("asks", [HANDSHAKE, EVENTS_REQUEST], ids=["WebSocket", "server-sent events"])
def test_who_takes_nothing_is_cut_and_nobody_else(impatient: Running, asks: bytes) -> None:
    before = ended(impatient, "E789")
    address = "127.0.0.1", int(str(impatient.said["url"]).rpartition(":")[2])
    with socket.socket() as asleep, listening(impatient) as awake:
        asleep.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        asleep.connect(address)
        asleep.sendall(asks)
        assert b"HTTP/1.1" in asleep.recv(100)
        first = head(impatient)
        turn, seqs = 0, list[int]()
        while ended(impatient, "E789") == before:
            turn += 1
            many(impatient, f"{asks[-30:].hex()}{turn}-", 100)
            seqs += [each["seq"] for each in awake.changes(200)]
        assert seqs == list(range(first + 1, first + 1 + 200 * turn))
        drained = 0
        with suppress(ConnectionError):
            while piece := asleep.recv(65_536):
                drained += len(piece)
    assert drained < 5_000_000


def test_who_comes_and_goes_misses_nothing_and_hears_nothing_twice(impatient: Running) -> None:
    first = last = head(impatient)
    heard: list[int] = []
    for turn in range(12):
        with opened(impatient, f"after={last}") as stream:
            many(impatient, f"going{turn}-", random.randrange(20, 60))
            heard += [each["seq"] for each in stream.changes(random.randrange(1, 40))]
        last = heard[-1]
    end = eventually(lambda: settled(impatient))
    with opened(impatient, f"after={last}") as stream:
        heard += [each["seq"] for each in stream.changes(end - last)]
    assert heard == list(range(first + 1, end + 1))

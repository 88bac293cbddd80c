"""A sender far over its rate: it gets what it may, and the others get what they need."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass, field

import pytest

from tests.api.guarded.guard import Guarded, basic

RATE = 100
BURST = 25


@dataclass
class Sender:
    """Posts one event after another over one connection, as fast as it is answered."""

    host: str
    key: str
    found: list[tuple[float, int, str | None]] = field(default_factory=list)

    def send(self, until: float, pause: float) -> None:
        connection = http.client.HTTPConnection(self.host)
        body = json.dumps({"userId": "noisy", "event": "E"}).encode()
        while time.monotonic() < until:
            connection.request("POST", "/v1/track", body, basic(self.key))
            answer = connection.getresponse()
            answer.read()
            self.found.append((time.monotonic(), answer.status, answer.headers["retry-after"]))
            time.sleep(pause)
        connection.close()


def noise(guarded: Guarded, noisy: str, seconds: float) -> tuple[list[tuple[float, int, str | None]], Sender]:
    """What three senders with one key are answered, and one beside them with another key."""
    host = guarded.server.said["url"].removeprefix("http://")
    senders = [Sender(host, noisy) for _ in range(3)]
    quiet = Sender(host, guarded.key("quiet", "write"))
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=each.send, args=(until, 0.0)) for each in senders]
    threads.append(threading.Thread(target=quiet.send, args=(until, 0.02)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(each for sender in senders for each in sender.found), quiet


def check(guarded: Guarded, noisy: str, seconds: float, window: float) -> float:
    """The most that was admitted in a window, as a part of what may be; the rest is refused properly."""
    answers, quiet = noise(guarded, noisy, seconds)
    assert {status for _, status, _ in quiet.found} == {200}
    assert {status for _, status, _ in answers} == {200, 429}
    assert {wait for _, status, wait in answers if status == 429} == {"1"}
    admitted = [at for at, status, _ in answers if status == 200]
    # An answer is seen a little after it was decided: a window of answers may be that much too narrow.
    return max(sum(start <= at < start + window for at in admitted) for start in admitted) / (RATE * window)


def test_a_noisy_sender_gets_its_rate_and_its_burst(guarded: Guarded) -> None:
    noisy = guarded.key("noise", "write", "--rate", f"{RATE}/s", "--burst", str(BURST))
    assert check(guarded, noisy, 3, 2) <= 1 + (BURST + 15) / (RATE * 2)


@pytest.mark.torture
def test_a_noisy_sender_gets_its_rate_within_five_percent_of_ten_seconds(guarded: Guarded) -> None:
    noisy = guarded.key("long noise", "write", "--rate", f"{RATE}/s")
    assert 0.95 <= check(guarded, noisy, 14, 10) <= 1.05

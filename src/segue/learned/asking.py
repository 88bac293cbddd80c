"""Asks a model that is served elsewhere: over HTTP, within a deadline, and again when that fails.

The place is looked at by :mod:`segue.domain.outbound` as it is written and as it resolves; no redirect is
followed and no proxy asked.
"""

from __future__ import annotations

import http.client
import random
import socket
import ssl
import time
from dataclasses import dataclass

from segue.domain.address import Networks
from segue.domain.limits import REMOTE_ANSWER_BYTES_MAX
from segue.domain.outbound import Target, TargetError, resolve

RETRY_SECONDS = (0.2, 1.0, 5.0, 15.0)
"""Pauses at most before the second, third, … attempt; half of each is left to chance, so that not all who
failed together come back together."""
RETRY_AFTER_SECONDS_MAX = 30.0
"""Longer is not waited for, whatever the other side asks."""
_PIECE = 64 * 1024
_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Answers after which it may go better."""


class UnansweredError(Exception):
    """No answer that can be used; the message says why, in words of our own."""


class _PassingError(Exception):
    """An attempt that failed and may be made again; ``seconds`` is how long the other side asks to wait."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how a model is asked. ``private`` are networks that may be reached beside the public ones."""

    target: Target
    private: Networks
    timeout_seconds: float
    retries: int
    token: str | None = None


def ask(place: Place, body: bytes) -> bytes:
    """What a POST of this JSON is answered with; :class:`UnansweredError` when all attempts have failed."""
    for attempt in range(place.retries + 1):
        try:
            return _asked(place, body)
        except _PassingError as passing:
            if attempt == place.retries:
                raise UnansweredError(f"{passing}, {_times(attempt + 1)}") from passing
            time.sleep(_pause(attempt, passing.seconds))
    raise AssertionError("there is a last attempt")


def _pause(attempt: int, asked: float | None) -> float:
    longest = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
    # Jitter needs no secrecy.
    usual = longest * (0.5 + random.random() / 2)
    return usual if asked is None else max(usual, min(asked, RETRY_AFTER_SECONDS_MAX))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times in a row"


def _asked(place: Place, body: bytes) -> bytes:
    deadline = time.monotonic() + place.timeout_seconds
    try:
        connection = _connected(place, deadline)
    except TargetError as refused:
        raise UnansweredError(f"it may not be asked: {refused}") from refused
    except TimeoutError as fault:
        raise _PassingError("no connection in time") from fault
    except ssl.SSLError as fault:
        raise UnansweredError(
            f"no secure connection: {fault.reason or 'the certificate does not hold'}"
        ) from fault
    except OSError as fault:
        raise _PassingError(f"no connection: {fault.strerror or type(fault).__name__}") from fault
    try:
        return _exchanged(connection, place, body, deadline)
    except TimeoutError as fault:
        raise _PassingError("no answer in time") from fault
    except (OSError, http.client.HTTPException) as fault:
        raise _PassingError(f"the connection broke: {type(fault).__name__}") from fault
    finally:
        connection.close()


def _connected(place: Place, deadline: float) -> http.client.HTTPConnection:
    """A connection to an address that was looked at, not to the name once more."""
    fault: OSError = OSError("the name has no address")
    for address in resolve(place.target, place.private):
        try:
            plain = socket.create_connection((address, place.target.port), _left(deadline))
        except OSError as error:
            fault = error
            continue
        return _spoken(place.target, plain)
    raise fault


def _spoken(target: Target, plain: socket.socket) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(target.host, target.port)
    if target.scheme == "https":
        try:
            plain = ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)
        except BaseException:
            plain.close()
            raise
    connection.sock = plain
    return connection


def _exchanged(connection: http.client.HTTPConnection, place: Place, body: bytes, deadline: float) -> bytes:
    headers = {
        "Host": place.target.authority,
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Connection": "close",
    }
    if place.token is not None:
        headers["Authorization"] = f"Bearer {place.token}"
    connection.sock.settimeout(_left(deadline))
    connection.request("POST", place.target.path, body, headers)
    sock = connection.sock
    answer = connection.getresponse()
    found = bytearray()
    while len(found) <= REMOTE_ANSWER_BYTES_MAX:
        # One byte at a time would otherwise outlast any time-out of a single read.
        sock.settimeout(_left(deadline))
        piece = answer.read1(_PIECE)
        if not piece:
            break
        found += piece
    if answer.status in _AGAIN:
        raise _PassingError(f"it answered {answer.status}", _seconds(answer.headers.get("Retry-After")))
    if not 200 <= answer.status < 300:
        raise UnansweredError(f"it answered {answer.status}")
    if len(found) > REMOTE_ANSWER_BYTES_MAX:
        raise UnansweredError(f"its answer is longer than {REMOTE_ANSWER_BYTES_MAX:,} bytes")
    return bytes(found)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _seconds(text: str | None) -> float | None:
    """Retry-After as seconds; a date is not read."""
    return float(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 6 else None

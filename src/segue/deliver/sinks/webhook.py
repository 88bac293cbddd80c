"""Signed HTTP requests to an address on the public internet.

Several go at once, but those about one user go one after the other.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from segue import __version__
from segue.deliver.sinks.http import Answer, Connection, ExchangeError
from segue.deliver.sinks.sink import BEHIND, DELIVERED, Message, Outcome, Refused, Retry
from segue.domain.address import Networks
from segue.domain.outbound import TargetError, parse_target
from segue.domain.signature import headers_of

GONE = 410
_BUSY = (429, 503)
_DOWN = (502, 503, 504)
_RETRY_AFTER_SECONDS_MAX = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where requests may go, how many at once, how long each may take (in ms)."""

    allowed: Networks
    connections: int
    timeout_ms: int


class Webhook:
    """A sink that posts each message; ``secrets`` sign it, all of them at once. TargetError for a bad URL."""

    def __init__(self, url: str, secrets: Sequence[str], bounds: Bounds) -> None:
        self._secrets = tuple(secrets)
        self._seconds = bounds.timeout_ms / 1_000
        target = parse_target(url, bounds.allowed)
        self._resolver = ThreadPoolExecutor(1, "segue-resolve")
        self._lanes = [Connection(target, bounds.allowed, self._resolver) for _ in range(bounds.connections)]
        self._threads = ThreadPoolExecutor(bounds.connections, "segue-webhook")

    def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Posts each message; a user's messages share a connection."""
        shares: list[list[int]] = [[] for _ in self._lanes]
        lane_of: dict[str, int] = {}
        for place, message in enumerate(messages):
            shares[lane_of.setdefault(message.key, len(lane_of) % len(shares))].append(place)
        outcomes: list[Outcome] = [BEHIND] * len(messages)
        work = [
            self._threads.submit(self._share, lane, [messages[place] for place in share])
            for lane, share in zip(self._lanes, shares, strict=True)
        ]
        for share, done in zip(shares, work, strict=True):
            for place, outcome in zip(share, done.result(), strict=True):
                outcomes[place] = outcome
        return outcomes

    def close(self) -> None:
        """Ends connections and threads."""
        self._threads.shutdown()
        self._resolver.shutdown(wait=False, cancel_futures=True)
        for lane in self._lanes:
            lane.close()

    def _share(self, lane: Connection, messages: Sequence[Message]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        held: set[str] = set()
        down: Retry | None = None
        for message in messages:
            if message.key in held:
                outcomes.append(BEHIND)
                continue
            outcome = down or self._posted(lane, message)
            if isinstance(outcome, Retry):
                held.add(message.key)
                down = outcome if outcome.down else down
            outcomes.append(outcome)
        return outcomes

    def _posted(self, lane: Connection, message: Message) -> Outcome:
        headers = headers_of(self._secrets, message.id, int(time.time()), message.body)
        headers |= {
            "Content-Type": "application/json",
            "User-Agent": f"segue/{__version__}",
            "Segue-Trigger": message.trigger,
            "Segue-Attempt": str(message.attempt),
        }
        try:
            return _outcome(lane.post(message.body, headers, self._seconds))
        except TargetError as refused:
            return Retry(f"the address is not to be reached: {refused}", down=True)
        except ExchangeError as fault:
            return Retry(str(fault), down=True)


def _outcome(answer: Answer) -> Outcome:
    status = answer.status
    if 200 <= status < 300:
        return DELIVERED
    if status == GONE:
        return Refused("answered with 410: gone")
    reason = f"answered with {status}"
    if 300 <= status < 400:
        reason += ": redirects are not followed"
    if status in _BUSY:
        return Retry(reason, retry_after_ms(answer.retry_after), down=True)
    return Retry(reason, down=status in _DOWN)


def retry_after_ms(told: str | None, now: float | None = None) -> int | None:
    """What a Retry-After asks for, in ms, a day at most; None when it cannot be read."""
    if told is None:
        return None
    text = told.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:6]) if len(text) <= 6 else _RETRY_AFTER_SECONDS_MAX
    else:
        try:
            date = parsedate_to_datetime(text)
        except ValueError:
            return None
        moment = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = max(0.0, moment.timestamp() - (time.time() if now is None else now))
    return round(min(seconds, _RETRY_AFTER_SECONDS_MAX) * 1_000)

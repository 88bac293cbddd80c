"""Messages as entries of a stream in Redis, a batch in one transaction.

A server that keeps its memory on disk once a second may lose that second; see docs/destinations.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry as Again

from segue.deliver.sinks.sink import DELIVERED, Message, Outcome, Retry
from segue.deliver.sinks.words import words


@dataclass(frozen=True, slots=True)
class Stream:
    """Which stream: ``url`` without a login; beyond ``entries`` the oldest are dropped, some later.

    ``authorities`` is a PEM file of those to trust instead of the system's.
    """

    url: str
    key: str
    entries: int
    authorities: Path | None = None
    username: str | None = None
    password: str | None = None


class RedisStream:
    """A sink that adds entries; ``timeout_ms`` is for connecting, and for each answer."""

    def __init__(self, stream: Stream, timeout_ms: int) -> None:
        self._stream = stream
        self._client = _client(stream, timeout_ms / 1_000)

    def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Adds all entries or none."""
        pipeline = self._client.pipeline(transaction=True)
        for message in messages:
            pipeline.xadd(self._stream.key, _fields(message), maxlen=self._stream.entries, approximate=True)
        try:
            answers = pipeline.execute(raise_on_error=False)
        except (redis.RedisError, OSError) as fault:
            self._client.connection_pool.disconnect()
            return [Retry(f"no answer: {_said(fault)}", down=True)] * len(messages)
        return [_outcome(each) for each in answers]

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()


def _client(stream: Stream, seconds: float) -> redis.Redis:
    parts = urlsplit(stream.url)
    authorities = None if stream.authorities is None else str(stream.authorities)
    options: dict[str, Any] = {}
    if parts.scheme == "rediss":
        options = {"ssl": True, "ssl_ca_certs": authorities, "ssl_check_hostname": True}
    return redis.Redis(
        host=parts.hostname or "localhost",
        port=parts.port or 6379,
        db=int(parts.path.strip("/") or 0),
        username=stream.username,
        password=stream.password,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        # Whoever calls tries again, and knows in which order.
        retry=Again(NoBackoff(), 0),
        **options,
    )


def _fields(message: Message) -> dict[Any, Any]:
    return {
        "id": message.id,
        "user_id": message.key,
        "trigger": message.trigger,
        "at": message.at,
        "body": message.body,
    }


def _outcome(answer: object) -> Outcome:
    if isinstance(answer, Exception):
        return Retry(f"the server refused it: {_said(answer)}", down=True)
    return DELIVERED


def _said(fault: Exception) -> str:
    # The library names the command that failed, and with it what would have been written.
    *_, said = words(fault, redis.AuthenticationError).rpartition(" of pipeline caused error: ")
    return said

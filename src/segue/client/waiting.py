"""Events that wait to be sent, those under way, and those that were refused."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence

from segue.client.errors import ClientError, UndeliveredError, UnreachableError
from segue.client.wire import BATCH_BYTES, BATCH_EVENTS

WAITING_MAX = 10_000


class Waiting:
    """In order; whoever uses it from several threads holds a lock."""

    def __init__(self) -> None:
        self._events: deque[bytes] = deque()
        self._under_way: Sequence[bytes] = ()
        self._refused: list[tuple[Sequence[bytes], ClientError]] = []

    @property
    def has_more(self) -> bool:
        """Whether there is something to be sent."""
        return bool(self._events)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, and nothing is under way."""
        return not self._events and not self._under_way

    @property
    def is_full(self) -> bool:
        """Whether no more should come now."""
        return len(self._events) >= WAITING_MAX

    def put(self, event: bytes) -> None:
        """One more."""
        self._events.append(event)

    def take(self) -> Sequence[bytes]:
        """The next ones that go together; they are under way until :meth:`done`."""
        found: list[bytes] = []
        size = 0
        while self._events and len(found) < BATCH_EVENTS and size + len(self._events[0]) <= BATCH_BYTES:
            size += len(self._events[0])
            found.append(self._events.popleft())
        self._under_way = found
        return found

    def done(self, events: Sequence[bytes], error: ClientError | None) -> None:
        """They are on the server's disk, or will never be."""
        self._under_way = ()
        if error is not None:
            self._refused.append((events, error))

    def raise_undelivered(self, closing: bool = False) -> None:
        """UndeliveredError for what was refused since the last time, and at the end for what waits."""
        refused, self._refused = self._refused, []
        if closing and not self.is_empty:
            left = [*self._under_way, *self._events]
            self._events.clear()
            self._under_way = ()
            refused.append((left, UnreachableError("the client was closed before they could be sent")))
        if refused:
            events = [json.loads(body) for bodies, _ in refused for body in bodies]
            raise UndeliveredError(events, refused[-1][1])

"""The queues of all destinations of a workspace, for as long as a server runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial

from segue.deliver.outbox import Outbox
from segue.deliver.queues.queue import MakeSink, Queue
from segue.domain.limits import SHUTDOWN_SECONDS_MAX
from segue.segments.destinations.definition import DestinationDefinition

Destinations = Callable[[], Mapping[str, DestinationDefinition]]


class Queues:
    """``destinations`` gives those that are defined now; what was defined once and is no more, waits."""

    def __init__(self, outbox: Outbox, destinations: Destinations, make_sink: MakeSink) -> None:
        self._outbox = outbox
        self._destinations = destinations
        self._make_sink = make_sink
        self._queues: dict[str, Queue] = {}
        self._forgotten: set[int] = set()
        self._lock = threading.Lock()
        self._open = False

    def start(self) -> None:
        """Sends what is pending from before, and from now on what comes."""
        self._open = True
        self._outbox.listeners.append(self.wake)
        self.wake(self._destinations().keys())

    def wake(self, names: Collection[str]) -> None:
        """Tells queues that something is pending, and makes those that are not there yet."""
        for name in names:
            queue = self._queues.get(name) or self._made(name)
            if queue is not None:
                queue.wake()

    def forget(self, rows: Iterable[int]) -> None:
        """Send nothing of these profiles any more; when this returns, nothing of them is written to files."""
        self._forgotten |= {*rows}
        with self._lock:
            queues = [*self._queues.values()]
        for queue in queues:
            queue.settle()

    def close(self) -> None:
        """Ends all; what was not sent waits in the outbox for the next start."""
        if not self._open:
            return
        self._outbox.listeners.remove(self.wake)
        with self._lock:
            self._open = False
            queues = [*self._queues.values()]
        for queue in queues:
            queue.end()
        for queue in queues:
            queue.join(SHUTDOWN_SECONDS_MAX)

    def _made(self, name: str) -> Queue | None:
        if name not in self._destinations():
            return None
        with self._lock:
            if not self._open or name in self._queues:
                return self._queues.get(name)
            definition = partial(self._definition, name)
            queue = Queue(name, definition, self._make_sink, self._outbox, self._forgotten)
            self._queues[name] = queue
            queue.start()
            return queue

    def _definition(self, name: str) -> DestinationDefinition | None:
        return self._destinations().get(name)

"""What all doors share: the service, the threads that wait for it, and the bounds on what runs at once."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from segue.access.gate import Access
from segue.api.caching import Caching
from segue.api.problems import not_serving, too_much
from segue.api.quotas import Quotas
from segue.api.stream.streams import Streams
from segue.deliver.outbox import Outbox
from segue.deliver.tags import Tags
from segue.domain.limits import POSTED_BYTES_MAX, READS_MAX
from segue.experiences.recommend.keeping import Keeper
from segue.experiences.recommend.recommender import Recommender
from segue.experiences.recording import Recording
from segue.service.service import Service

Result = TypeVar("Result")

READERS = 8
DECODERS = 2
RECOVERY_SECONDS = 2
"""How long after a failed write the server says that it is not ready: somebody has to try again some time."""


class Doors:
    """Without a service every door answers 503: it is starting, or stopping.

    ``token`` opens ``/control``, ``commands`` counts those that run there. ``description`` and ``page``
    are what ``/openapi.json`` and ``/docs`` show, ``caching`` what caches may hold, ``outbox`` what triggers
    send. Belongs to one event loop.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.quotas = Quotas()
        self.streams = Streams()
        self.connections: Callable[[], int] = lambda: 0
        self.commands = 0
        self.description = b"{}"
        self.page = b""
        self.caching = Caching(Tags())
        self.outbox: Outbox | None = None
        self._service: Service | None = None
        self._recording: Recording | None = None
        self._keeper: Keeper | None = None
        self._stopping = False
        self._failed_at = -math.inf
        self._reads = 0
        self._posted_bytes = 0
        self._readers = ThreadPoolExecutor(READERS, "segue-read")
        self._decoders = ThreadPoolExecutor(DECODERS, "segue-decode")

    @property
    def service(self) -> Service:
        """The service; E747 while there is none."""
        if self._service is None or self._stopping:
            raise not_serving(self._stopping)
        return self._service

    @property
    def recording(self) -> Recording:
        """Decisions, with the record of what they show; E747 while there is no service."""
        if self._recording is None or self._stopping:
            raise not_serving(self._stopping)
        return self._recording

    @property
    def recommender(self) -> Recommender:
        """What recommends items; E747 while there is no service."""
        if self._keeper is None or self._stopping:
            raise not_serving(self._stopping)
        return self._keeper.recommender

    @property
    def access(self) -> Access:
        """Keys and tokens; E747 while there is no service."""
        return self.service.access

    def open(self, service: Service) -> None:
        """From now on, answer."""
        self._service = service
        self._recording = Recording(service)
        self._keeper = Keeper.of(service)
        self._keeper.start()
        self.streams.open(service.core)

    def stop(self) -> None:
        """From now on, refuse; what is being worked on may end."""
        self._stopping = True
        self.streams.stop()

    @property
    def ready(self) -> bool:
        """Whether posts are taken and evaluated, as far as the last ones told."""
        waited = time.monotonic() - self._failed_at > RECOVERY_SECONDS
        return waited and self.service.core.failed is None

    def not_taken(self) -> None:
        """The log did not take a post."""
        self._failed_at = time.monotonic()

    def close(self) -> None:
        """Waits for the threads."""
        self.stop()
        self.streams.close()
        self._readers.shutdown()
        self._decoders.shutdown()
        if self._keeper is not None:
            self._keeper.stop()

    async def read(self, work: Callable[[], Result]) -> Result:
        """Runs what may block in a thread; E749 when too much waits already."""
        if self._reads >= READS_MAX:
            raise too_much()
        self._reads += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, work)
        finally:
            self._reads -= 1

    async def glance(self, work: Callable[[], Result]) -> Result:
        """Runs what only waits for the engine: here when it is free, else in a thread.

        The loop must not wait while a long batch is evaluated: posts would wait with it.
        """
        turn = self.service.core.turn
        if not turn.acquire(blocking=False):
            return await self.read(work)
        try:
            return work()
        finally:
            turn.release()

    async def decode(self, work: Callable[[], Result]) -> Result:
        """Runs the decoding of a large body beside the loop, apart from slow reads."""
        return await asyncio.get_running_loop().run_in_executor(self._decoders, work)

    @contextmanager
    def hold(self) -> Iterator[Callable[[int], None]]:
        """Counts the bytes of a body as they come, until it is dealt with; E749 when too many are held."""
        held = 0

        def grow(size: int) -> None:
            nonlocal held
            if self._posted_bytes + size > POSTED_BYTES_MAX:
                raise too_much()
            held += size
            self._posted_bytes += size

        try:
            yield grow
        finally:
            self._posted_bytes -= held

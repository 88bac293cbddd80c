"""All open streams: who may open one, who is still right to have one, and their end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from segue.access.gate import wall_ms
from segue.api.request import Receive
from segue.api.stream import endings
from segue.api.stream.fired import Firings, Following
from segue.api.stream.listener import Listener
from segue.api.stream.telling import Telling
from segue.api.stream.wire import Wire
from segue.deliver.outbox import Delivery
from segue.domain.errors import SegueError, refusal
from segue.domain.limits import STREAM_CHECK_SECONDS, STREAM_HEARTBEAT_SECONDS, STREAM_LISTENERS_MAX
from segue.service.core import Core
from segue.service.hub.ear import Wanted
from segue.service.hub.hub import Hub

_READERS = 2
_ROUNDS = 16
"""Each listener is looked at once in as many rounds, so that no round holds the loop up."""

Holds = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class After:
    """The last change and the last message of a trigger that a client has; None for what it does not say."""

    change: int | None = None
    fired: int | None = None


class Streams:
    """The listeners of one server. Belongs to the loop that :meth:`open` is called in."""

    def __init__(self) -> None:
        self._hub: Hub | None = None
        self._listeners: dict[Listener, Holds] = {}
        self._telling = Telling()
        self.firings: Firings | None = None
        """Messages of triggers for the live stream; None while nothing is sent."""
        self._reads = ThreadPoolExecutor(_READERS, "segue-listen")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False

    def __len__(self) -> int:
        return len(self._listeners)

    def open(self, core: Core) -> None:
        """From now on changes are handed on."""
        self._loop = asyncio.get_running_loop()
        self._hub = Hub(core, self._soon)
        self._hub.start()
        self._keeper = asyncio.create_task(self._keep())

    def _soon(self, call: Callable[..., Any], *arguments: object) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop has ended, and its listeners with it
            self._loop.call_soon_threadsafe(call, *arguments)

    def stop(self) -> None:
        """Every listener is told, and nobody comes any more. Any thread may call it."""
        self._stopping = True
        if self._loop is not None:
            self._soon(self._dismiss)

    def _dismiss(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
        for listener in list(self._listeners):
            listener.end(endings.RESTART, endings.STOPPING)

    def close(self) -> None:
        """Waits for the threads."""
        self.stop()
        if self._hub is not None:
            self._hub.close()
        self._reads.shutdown()

    def fired(self, deliveries: Sequence[Delivery]) -> None:
        """Messages of triggers go to those who listen. Any thread may call it; it blocks for a moment."""
        if self._loop is not None and self.firings is not None:
            self._soon(self._telling.tell, self.firings.told(deliveries))

    # ---- one listener ------------------------------------------------------------------------

    @property
    def hub(self) -> Hub:
        """Where changes come from."""
        assert self._hub is not None
        return self._hub

    def require_room(self) -> None:
        """E787 when there are as many listeners as there may be."""
        if len(self._listeners) >= STREAM_LISTENERS_MAX:
            raise too_many()

    async def attend(self, wanted: Wanted, wire: Wire, receive: Receive, after: After, holds: Holds) -> None:
        """Serve a listener until it leaves, is told to, or its right no longer ``holds``."""
        following = None
        if wanted.fired and self.firings is not None:
            following = Following(self.firings.stored, after.fired, after.fired is not None)
        listener = Listener(self.hub, self._reads, wanted, wire, after.change, following)
        self._listeners[listener] = holds
        self._telling.add(listener)
        try:
            if self._stopping:
                listener.end(endings.RESTART, endings.STOPPING)
            await listener.attend(receive)
        finally:
            del self._listeners[listener]
            self._telling.remove(listener)

    # ---- keeping -----------------------------------------------------------------------------

    async def _keep(self) -> None:
        while True:
            listeners = list(self._listeners.items())
            size = -(-len(listeners) // _ROUNDS)
            rest = iter(listeners)
            for _ in range(_ROUNDS):
                await asyncio.sleep(STREAM_CHECK_SECONDS / _ROUNDS)
                now, at = time.monotonic(), wall_ms()
                for listener, holds in islice(rest, size):
                    _check(listener, holds, now, at)


def _check(listener: Listener, holds: Holds, now: float, at: int) -> None:
    if listener.stalled:
        listener.cut(endings.LATER, endings.TOO_SLOW)
    elif not holds():
        listener.end(endings.POLICY, endings.NO_RIGHT)
    else:
        listener.look()
        if now - listener.idle_since >= STREAM_HEARTBEAT_SECONDS:
            listener.beat(at)


def too_many() -> SegueError:
    """A bound on open streams is reached."""
    finding = f"{STREAM_LISTENERS_MAX:,} streams are open already"
    return refusal(endings.TOO_MANY, finding, "try again later, or read /v1/changes")

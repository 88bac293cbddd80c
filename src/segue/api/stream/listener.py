"""One listener: what it has been sent, what waits for it, and the task that writes it."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypeVar

from segue.api.request import Receive
from segue.api.stream import endings, notice
from segue.api.stream.fired import Fired, Following
from segue.api.stream.notice import Item
from segue.api.stream.wire import Wire
from segue.domain.errors import Diagnostic, SegueError
from segue.domain.limits import STREAM_PAGE, STREAM_QUEUE_MAX, STREAM_STALLED_SECONDS
from segue.domain.time import format_instant
from segue.observe import metrics
from segue.service.hub.ear import Ear, Wanted
from segue.service.hub.hub import Hub
from segue.service.hub.message import Message

Result = TypeVar("Result")
_NOWHERE = sys.maxsize
_GONE = {"websocket.disconnect", "http.disconnect"}
_ENDING_SECONDS = 2

_log = logging.getLogger("segue.api")


class Listener:
    """From its first stored change to the end of its connection. Belongs to the loop.

    While it is ``behind`` it reads from the log, at its own pace; then it joins the hub at one number
    and hears what comes. When more waits than its queue takes, it is behind again: nothing is kept twice.
    """

    def __init__(
        self,
        hub: Hub,
        reads: Executor,
        wanted: Wanted,
        wire: Wire,
        after: int | None,
        following: Following | None = None,
    ) -> None:
        """``following`` is how far messages of triggers have got; None for who hears none."""
        self._hub = hub
        self._following = following
        self._reads = reads
        self._wire = wire
        self._after = after
        self._ear = Ear(wanted, self._hear, self._fall_behind, _NOWHERE)
        self._queue: list[Item] = []
        self._profile = wanted.user_id
        self._writer: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._told = False
        self._ended = False
        self._since = math.inf
        self.idle_since = time.monotonic()

    async def attend(self, receive: Receive) -> None:
        """Until the client leaves or is sent away."""
        await self._wire.open(receive)
        self._wake()
        try:
            while (await receive())["type"] not in _GONE:
                pass
        finally:
            self._leave()
            if self._closing is not None:
                await self._closing

    @property
    def wanted(self) -> Wanted:
        """What it listens to."""
        return self._ear.wanted

    @property
    def behind(self) -> bool:
        """Whether it reads from the log."""
        return self._ear.joined == _NOWHERE

    @property
    def stalled(self) -> bool:
        """Whether the client has taken nothing for too long."""
        return time.monotonic() - self._since > STREAM_STALLED_SECONDS

    # ---- what is for it ----------------------------------------------------------------------

    def _hear(self, message: Message) -> None:
        """What was on its way when it fell behind, or joined, is not heard: it is or was read."""
        if message.seq <= self._ear.joined:
            return
        if len(self._queue) >= STREAM_QUEUE_MAX:
            self._fall_behind()
            return
        if message.row not in self._ear.rows:
            self.look()
        self._queue.append(message)
        self._wake()

    def _fall_behind(self) -> None:
        if not self.behind:
            self._hub.leave(self._ear)
            self._ear.joined = _NOWHERE
            if self._following is not None and any(isinstance(each, Fired) for each in self._queue):
                self._following.behind = True
            self._queue.clear()
            self._wake()

    def look(self) -> None:
        """Says so when the user's id has come to lead to another profile."""
        user_id = self.wanted.user_id
        if user_id is None:
            return
        now = self._hub.index.profile_of(user_id)
        if now != self._profile and not self.wanted.alone:
            self._profile = now
            self._queue.append(notice.profile(now))
            self._wake()

    def tell(self, fired: Fired) -> None:
        """A message of a trigger; when too much waits, it is read again from what is stored."""
        if self._following is not None:
            if self._following.takes(fired.number, len(self._queue) >= STREAM_QUEUE_MAX):
                self._queue.append(fired)
            self._wake()

    def beat(self, at: int) -> None:
        """A heartbeat, unless there is something better to write."""
        if self._writer is None and not self.behind:
            self._after = max(self._after or 0, self._hub.settled)
            self._queue.append(notice.heartbeat(self._after, format_instant(at)))
            self._wake()

    # ---- writing -----------------------------------------------------------------------------

    def _wake(self) -> None:
        if self._writer is None and not self._ended:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while not self._ended and (self.behind or self._queue or self._following_behind):
                if self.behind:
                    await self._catch_up()
                elif self._queue:
                    items, self._queue = self._queue, []
                    await self._put(items)
                else:
                    await self._follow()
            self._writer = None
        except OSError:  # the client has left
            self._ended = True
        except SegueError as error:
            self.end(endings.FAULT, error.diagnostics[0])
        except Exception:  # noqa: BLE001 -- a task's last door
            _log.exception("a stream ended")
            self._ended = True
            self._wire.cut(endings.FAULT, "")

    async def _put(self, items: Sequence[Item]) -> None:
        if not items:
            return
        self._since = time.monotonic()
        await self._wire.write(items)
        self._since = math.inf
        self.idle_since = time.monotonic()
        self._after = max((item.seq for item in items if isinstance(item, Message)), default=self._after)
        for item in items:
            if isinstance(item, Fired) and self._following is not None:
                self._following.went(item.number)

    @property
    def _following_behind(self) -> bool:
        return self._following is not None and self._following.behind

    async def _follow(self) -> None:
        """One page of messages of triggers that are stored; the last one leads to what comes."""
        following = self._following
        assert following is not None
        following.missed = False
        found = await self._run(lambda: following.stored(self.wanted, following.sent or 0, STREAM_PAGE))
        await self._put(found)
        following.behind = following.missed or len(found) == STREAM_PAGE

    async def _catch_up(self) -> None:
        """One page of what is stored; the last one is read up to where the hub goes on."""
        upto = self._hub.head
        if self._after is not None and self._after < upto:
            found, reached = await self._read(self._after, upto, STREAM_PAGE)
            await self._put(found)
            self._after = reached
            if reached < upto or self._ended:
                return
        first = self._after is None
        joined = await self._run(lambda: self._hub.join(self._ear))
        if self._ended:  # it left while it joined
            self._hub.leave(self._ear)
            return
        if not first:
            found, _ = await self._read(self._after or 0, joined, None)
            await self._put(found)
        self._after = joined
        self._say_where(joined)

    def _say_where(self, joined: int) -> None:
        """Once, before what has been heard meanwhile."""
        if self._told or self.behind:
            return
        self._told = True
        user_id = self.wanted.user_id
        self._profile = None if user_id is None else self._hub.index.profile_of(user_id)
        self._queue.insert(0, notice.listening(joined, self._profile, self.wanted.segment))

    async def _read(self, after: int, upto: int, limit: int | None) -> tuple[list[Message], int]:
        return await self._run(lambda: self._hub.stored(self._ear, after, upto, limit))

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._reads, work)

    # ---- ending ------------------------------------------------------------------------------

    def end(self, code: int, why: Diagnostic) -> None:
        """Tells the client why, and closes; at once when it does not listen even to that."""
        if self._closing is None and not self._ended:
            metrics.STREAMS_ENDED.labels(why.code).inc()
            self._leave()
            self._closing = asyncio.create_task(self._end(code, why))

    async def _end(self, code: int, why: Diagnostic) -> None:
        try:
            async with asyncio.timeout(_ENDING_SECONDS):
                await self._wire.end(notice.closing(why), code, f"{why.code}: {why.message}")
        except TimeoutError:
            self._wire.cut(code, f"{why.code}: {why.message}")
        except OSError:
            pass

    def cut(self, code: int, why: Diagnostic) -> None:
        """Closes without waiting for the client."""
        metrics.STREAMS_ENDED.labels(why.code).inc()
        self._leave()
        self._wire.cut(code, f"{why.code}: {why.message}")

    def _leave(self) -> None:
        self._ended = True
        if not self.behind:
            self._hub.leave(self._ear)
            self._ear.joined = _NOWHERE
        self._queue.clear()

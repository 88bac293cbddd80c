"""Changes as a subscription hears them: a listener of the same hub that serves /v1/stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import msgspec

from segue.access.principal import Role
from segue.api.access import opens
from segue.api.graphql.asking import Asking
from segue.api.graphql.types import Change, change_of
from segue.api.request import Message as AsgiMessage
from segue.api.request import bad_parameter
from segue.api.stream.notice import Item, Notice
from segue.api.stream.streams import After
from segue.domain.errors import SegueError, refusal
from segue.domain.limits import GRAPHQL_WAITING_MAX
from segue.service.hub.ear import Wanted
from segue.service.hub.message import Message

_decode = msgspec.json.Decoder().decode


class _Pipe:
    """A wire whose other end is a generator here. A reader that falls behind makes the listener wait."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Message | SegueError] = asyncio.Queue(GRAPHQL_WAITING_MAX)
        self._left = asyncio.Event()
        self._ended = False

    async def receive(self) -> AsgiMessage:
        """What a listener waits for: that nobody listens any more."""
        await self._left.wait()
        return {"type": "websocket.disconnect"}

    def leave(self) -> None:
        """Nobody listens any more."""
        self._left.set()

    async def next(self) -> Message | SegueError:
        return await self._queue.get()

    # ---- as a wire ---------------------------------------------------------------------------

    async def open(self, receive: object) -> None: ...

    async def write(self, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item, Message):
                await self._queue.put(item)

    async def end(self, last: Notice, code: int, reason: str) -> None:  # noqa: ARG002 -- one shape for all
        self.cut(code, reason)

    def cut(self, code: int, reason: str) -> None:  # noqa: ARG002
        if not self._ended:
            self._ended = True
            if self._queue.full():
                self._queue.get_nowait()
            error, _, message = reason.partition(": ")
            self._queue.put_nowait(refusal(error, message, "subscribe again, after the last seq"))
            self._left.set()


async def heard(
    asking: Asking, user_id: str | None, segment: str | None, after: int | None
) -> AsyncGenerator[Change, None]:
    """Each change once, in order, until the listener is sent away: then with the reason as SegueError."""
    wanted = _wanted(asking, user_id, segment)
    streams = asking.doors.streams
    streams.require_room()
    if after is not None and not 0 <= after <= streams.hub.head:
        hint = "read the state anew: it is another log"
        raise bad_parameter(f"after is {after}, but the last change is {streams.hub.head}", hint)
    pipe = _Pipe()

    def holds() -> bool:
        if not asking.doors.access.holds(asking.principal):
            return False
        return wanted.user_id is None or opens(asking.doors, asking.principal, wanted.user_id)

    attending = asyncio.create_task(streams.attend(wanted, pipe, pipe.receive, After(after), holds))
    try:
        while True:
            found = await pipe.next()
            if isinstance(found, SegueError):
                raise found
            yield change_of(_decode(found.text))
    finally:
        pipe.leave()
        await attending


def _wanted(asking: Asking, user_id: str | None, segment: str | None) -> Wanted:
    """What is open to the asker: E762, or E701 for a segment it does not see."""
    principal = asking.principal
    user_id = user_id or principal.user_id
    if user_id is not None:
        asking.require_user(user_id)
    if segment is not None:
        asking.require_segment(segment)
        asking.service.segment(segment)
    return Wanted(user_id, segment, principal.role is Role.USER, principal.scope.sees, fired=False)

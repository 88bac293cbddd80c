"""The client for event loops: a task sends events, everything else is awaited."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from segue.client import records, verbs, wire
from segue.client.errors import ClientError
from segue.client.following import Followed
from segue.client.telling import Telling
from segue.client.verbs import Asked, Page
from segue.client.waiting import WAITING_MAX, Waiting

T = TypeVar("T")
Json = Any


class AsyncClient(Telling):
    """Speaks to one server, in one event loop; close it, or use it in an ``async with`` block.

    As :class:`segue.client.Client`, but that the verbs of events never wait: when 10,000 events wait to be
    sent they raise ClientError, and ``await client.flush()`` makes room.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        write_key: str | None = None,
        read_key: str | None = None,
        timeout: float = wire.TIMEOUT_SECONDS,
    ) -> None:
        self._write_key = write_key
        self._read_key = read_key
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout, headers=wire.HEADERS)
        self._waiting = Waiting()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # ---- events in ---------------------------------------------------------------------------

    def _put(self, body: bytes) -> None:
        if self._closed:
            raise ClientError("this client is closed: make another one")
        if self._waiting.is_full:
            raise ClientError(f"{WAITING_MAX:,} events wait to be sent: await flush() now and then")
        self._waiting.put(body)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send_all())

    async def flush(self, timeout: float | None = None) -> bool:
        """Waits until the server has every event, ``timeout`` (s) at most; whether it has.

        UndeliveredError with those that it refused since the last time.
        """
        await self._come_to_rest(timeout)
        self._waiting.raise_undelivered()
        return self._waiting.is_empty

    async def close(self, timeout: float | None = 30.0) -> None:
        """Sends what waits, for ``timeout`` (s) at most, and ends.

        UndeliveredError with the events that the server refused or has not taken by then.
        """
        self._closed = True
        await self._come_to_rest(timeout)
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._http.aclose()
        self._waiting.raise_undelivered(closing=True)

    async def _come_to_rest(self, timeout: float | None) -> None:
        if self._task is not None:
            await asyncio.wait([self._task], timeout=timeout)

    async def _send_all(self) -> None:
        """Ends when nothing waits any more."""
        while self._waiting.has_more:
            events = self._waiting.take()
            self._waiting.done(events, await self._sent(events))

    async def _sent(self, events: Sequence[bytes]) -> ClientError | None:
        """Tries until the server takes them, or says that it never will."""
        patience = wire.Patience()
        while True:
            try:
                wire.require_taken(await self._http.request(**wire.batch(events, self._write_key)))
            except httpx.HTTPError as error:
                failed: ClientError = wire.unreachable(self._http.base_url, error)
            except ClientError as error:
                failed = error
            else:
                return None
            pause = patience.after(failed)
            if pause is None:
                return failed
            await asyncio.sleep(pause)

    # ---- questions ---------------------------------------------------------------------------

    async def user(self, user_id: str) -> records.User:
        """Segments, traits, features and scores of a user now; one never heard of is not ``known``."""
        return await self._answer(verbs.user(user_id))

    async def is_in(self, user_id: str, segment: str) -> bool:
        """Whether a user is in a segment now."""
        return (await self.user(user_id)).is_in(segment)

    async def profile(self, user_id: str) -> Mapping[str, Json]:
        """All that is known of a user, as the server writes it."""
        return await self._answer(verbs.profile(user_id))

    async def explain(self, user_id: str, segment: str, as_of: datetime | None = None) -> Mapping[str, Json]:
        """Why a user is in a segment, or what is missing, as the server writes it."""
        return await self._answer(verbs.explain(user_id, segment, as_of))

    async def segments(self) -> list[records.Segment]:
        """All segments with their sizes."""
        return await self._answer(verbs.segments())

    def members(self, segment: str, as_of: datetime | None = None) -> AsyncIterator[tuple[str, datetime]]:
        """(user id, since) of a segment's members by user id, read page by page."""
        return self._pages(verbs.members(segment, as_of))

    def changes(self, after: int = 0, segment: str | None = None) -> AsyncIterator[records.Change]:
        """The stored changes with a greater number, in order, read page by page."""
        return self._pages(verbs.changes(after, segment))

    async def preview(self, when: str, as_of: datetime | None = None) -> records.Preview:
        """Whom a condition would select; RefusedError with the place in it for one that is not understood."""
        return await self._answer(verbs.preview(when, as_of))

    async def decide(
        self,
        user_id: str,
        slots: Sequence[str],
        context: Mapping[str, Json] | None = None,
        events: Sequence[Mapping[str, Json]] = (),
        record: bool = True,
    ) -> records.Decision:
        """What a user should see in some slots."""
        return await self._answer(verbs.decide(user_id, slots, context, events, record))

    async def recommend(
        self, user_id: str | None, count: int | None = None, **said: Json
    ) -> records.Recommendations:
        """Items for a user, best first; ``recent``, ``vector``, ``filters`` and ``context`` as over HTTP."""
        return await self._answer(verbs.recommend(user_id, count, **said))

    async def put_items(self, items: Sequence[Mapping[str, Json]]) -> records.ItemsTaken:
        """Put items into the catalogue, up to 10,000 at once; takes an admin key."""
        return await self._answer(verbs.put_items(items))

    async def item(self, item_id: str) -> Mapping[str, Json]:
        """An item of the catalogue; RefusedError E842 when there is none."""
        return await self._answer(verbs.item(item_id))

    async def remove_item(self, item_id: str) -> None:
        """Take an item out of the catalogue; takes an admin key."""
        await self._answer(verbs.remove_item(item_id))

    async def forget(self, user_id: str) -> Mapping[str, Json]:
        """Erase a user everywhere; takes an admin key."""
        return await self._answer(verbs.forget(user_id))

    async def follow(
        self, segment: str | None = None, user_id: str | None = None, after: int | None = None
    ) -> AsyncIterator[records.Change]:
        """Changes as they happen, without an end: after a lost connection it goes on where it was.

        With ``after`` first the stored ones with a greater number. RefusedError when the key ends.
        """
        followed, patience = Followed(user_id, segment, after), wire.Patience()
        while True:
            try:
                async for change in self._heard(followed):
                    patience = wire.Patience()
                    yield change
                failed: ClientError = wire.ended(self._http.base_url)
            except (httpx.HTTPError, json.JSONDecodeError) as error:
                failed = wire.unreachable(self._http.base_url, error)
            except ClientError as error:
                failed = error
            pause = patience.after(failed)
            if pause is None:
                raise failed
            await asyncio.sleep(pause)

    async def _heard(self, followed: Followed) -> AsyncIterator[records.Change]:
        asked = wire.listening(followed, self._read_key)
        async with self._http.stream(**asked) as answer:
            if not answer.is_success:
                await answer.aread()
                wire.require_taken(answer)
            async for line in answer.aiter_lines():
                change = followed.heard(line)
                if change is not None:
                    yield change

    async def _answer(self, asked: Asked[T]) -> T:
        try:
            answer = await self._http.request(**wire.question(asked, self._read_key))
        except httpx.HTTPError as error:
            raise wire.unreachable(self._http.base_url, error) from error
        return wire.answered(answer, asked)

    async def _pages(self, asked: Asked[Page[T]]) -> AsyncIterator[T]:
        following: Asked[Page[T]] | None = asked
        while following is not None:
            page = await self._answer(following)
            for row in page.rows:
                yield row
            following = page.following

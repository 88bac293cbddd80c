"""The client for programs that wait: a thread of its own sends events, everything else is asked at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from segue.client import records, verbs, wire
from segue.client.errors import ClientError
from segue.client.following import Followed
from segue.client.telling import Telling
from segue.client.verbs import Asked, Page
from segue.client.waiting import Waiting

T = TypeVar("T")
Json = Any


class Client(Telling):
    """Speaks to one server; close it, or use it in a ``with`` block. Any thread may use it.

    ``write_key`` is for events, ``read_key`` (or a user's token) for everything else; without keys only a
    server that has none either answers, on its own machine. ``timeout`` (s) is of one request.

    Events are sent in order, up to 500 together, and again until the server has them on disk: each counts
    once, however often it was sent. Verbs return at once; when 10,000 events wait, they wait too. What the
    server refuses for good is raised by the next :meth:`flush` or :meth:`close`, with the events.
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
        self._http = httpx.Client(base_url=url, timeout=timeout, headers=wire.HEADERS)
        self._changed = threading.Condition()
        self._waiting = Waiting()
        self._closing = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- events in ---------------------------------------------------------------------------

    def _put(self, body: bytes) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or not self._waiting.is_full)
            if self._closing:
                raise ClientError("this client is closed: make another one")
            self._waiting.put(body)
            if self._thread is None:
                self._thread = threading.Thread(target=self._send_all, name="segue-client", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, timeout: float | None = None) -> bool:
        """Waits until the server has every event, ``timeout`` (s) at most; whether it has.

        UndeliveredError with those that it refused since the last time.
        """
        with self._changed:
            empty = self._changed.wait_for(lambda: self._waiting.is_empty, timeout)
            self._waiting.raise_undelivered()
        return empty

    def close(self, timeout: float | None = 30.0) -> None:
        """Sends what waits, for ``timeout`` (s) at most, and ends.

        UndeliveredError with the events that the server refused or has not taken by then.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting.is_empty, timeout)
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(wire.TIMEOUT_SECONDS)
        self._http.close()
        with self._changed:
            self._waiting.raise_undelivered(closing=True)

    def _send_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._waiting.has_more)
                if self._closing:
                    return
                events = self._waiting.take()
            error = self._sent(events)
            with self._changed:
                self._waiting.done(events, error)
                self._changed.notify_all()

    def _sent(self, events: Sequence[bytes]) -> ClientError | None:
        """Tries until the server takes them, or says that it never will, or the client is closed."""
        patience = wire.Patience()
        while True:
            try:
                wire.require_taken(self._http.request(**wire.batch(events, self._write_key)))
            except httpx.HTTPError as error:
                failed: ClientError = wire.unreachable(self._http.base_url, error)
            except ClientError as error:
                failed = error
            else:
                return None
            pause = patience.after(failed)
            with self._changed:
                if pause is None or self._changed.wait_for(lambda: self._closing, pause):
                    return failed

    # ---- questions ---------------------------------------------------------------------------

    def user(self, user_id: str) -> records.User:
        """Segments, traits, features and scores of a user now; one never heard of is not ``known``."""
        return self._answer(verbs.user(user_id))

    def is_in(self, user_id: str, segment: str) -> bool:
        """Whether a user is in a segment now."""
        return self.user(user_id).is_in(segment)

    def profile(self, user_id: str) -> Mapping[str, Json]:
        """All that is known of a user, as the server writes it."""
        return self._answer(verbs.profile(user_id))

    def explain(self, user_id: str, segment: str, as_of: datetime | None = None) -> Mapping[str, Json]:
        """Why a user is in a segment, or what is missing, as the server writes it."""
        return self._answer(verbs.explain(user_id, segment, as_of))

    def segments(self) -> list[records.Segment]:
        """All segments with their sizes."""
        return self._answer(verbs.segments())

    def members(self, segment: str, as_of: datetime | None = None) -> Iterator[tuple[str, datetime]]:
        """(user id, since) of a segment's members by user id, read page by page."""
        return self._pages(verbs.members(segment, as_of))

    def changes(self, after: int = 0, segment: str | None = None) -> Iterator[records.Change]:
        """The stored changes with a greater number, in order, read page by page."""
        return self._pages(verbs.changes(after, segment))

    def preview(self, when: str, as_of: datetime | None = None) -> records.Preview:
        """Whom a condition would select; RefusedError with the place in it for one that is not understood."""
        return self._answer(verbs.preview(when, as_of))

    def decide(
        self,
        user_id: str,
        slots: Sequence[str],
        context: Mapping[str, Json] | None = None,
        events: Sequence[Mapping[str, Json]] = (),
        record: bool = True,
    ) -> records.Decision:
        """What a user should see in some slots."""
        return self._answer(verbs.decide(user_id, slots, context, events, record))

    def recommend(
        self, user_id: str | None, count: int | None = None, **said: Json
    ) -> records.Recommendations:
        """Items for a user, best first; ``recent``, ``vector``, ``filters`` and ``context`` as over HTTP."""
        return self._answer(verbs.recommend(user_id, count, **said))

    def put_items(self, items: Sequence[Mapping[str, Json]]) -> records.ItemsTaken:
        """Put items into the catalogue, up to 10,000 at once; takes an admin key."""
        return self._answer(verbs.put_items(items))

    def item(self, item_id: str) -> Mapping[str, Json]:
        """An item of the catalogue; RefusedError E842 when there is none."""
        return self._answer(verbs.item(item_id))

    def remove_item(self, item_id: str) -> None:
        """Take an item out of the catalogue; takes an admin key."""
        self._answer(verbs.remove_item(item_id))

    def forget(self, user_id: str) -> Mapping[str, Json]:
        """Erase a user everywhere; takes an admin key."""
        return self._answer(verbs.forget(user_id))

    def follow(
        self, segment: str | None = None, user_id: str | None = None, after: int | None = None
    ) -> Iterator[records.Change]:
        """Changes as they happen, without an end: after a lost connection it goes on where it was.

        With ``after`` first the stored ones with a greater number. RefusedError when the key ends.
        """
        followed, patience = Followed(user_id, segment, after), wire.Patience()
        while True:
            try:
                for change in self._heard(followed):
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
            time.sleep(pause)

    def _heard(self, followed: Followed) -> Iterator[records.Change]:
        with self._http.stream(**wire.listening(followed, self._read_key)) as answer:
            if not answer.is_success:
                answer.read()
                wire.require_taken(answer)
            for line in answer.iter_lines():
                change = followed.heard(line)
                if change is not None:
                    yield change

    def _answer(self, asked: Asked[T]) -> T:
        try:
            answer = self._http.request(**wire.question(asked, self._read_key))
        except httpx.HTTPError as error:
            raise wire.unreachable(self._http.base_url, error) from error
        return wire.answered(answer, asked)

    def _pages(self, asked: Asked[Page[T]]) -> Iterator[T]:
        following: Asked[Page[T]] | None = asked
        while following is not None:
            page = self._answer(following)
            yield from page.rows
            following = page.following

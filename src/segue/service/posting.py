"""Posts on their way to the disk: all that waits is written in one transaction, then acknowledged."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby

from segue.access.keys import hushed
from segue.domain.errors import refusal
from segue.ingest.decode import Decoded, gathered
from segue.ingest.reject import Rejected
from segue.ingest.suppression import let_go
from segue.ingest.tally import Tally
from segue.ingest.warm import warm
from segue.log.batch import EventBatch, Quarantined
from segue.log.quality import Count
from segue.observe import recording
from segue.service.core import Core
from segue.service.counting import counts_of

POSTS_WAITING_MAX = 4_096
POSTS_AT_ONCE = 512


Done = Future[Tally] | asyncio.Future[Tally]
Outcome = Tally | BaseException


@dataclass(slots=True)
class Post:
    """One request's events and who waits for them."""

    decoded: Decoded
    source: str
    done: Done
    received: float
    """By ``time.perf_counter``."""


class Committer:
    """The thread that makes posts durable: takes all that is waiting, never waits for more."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._posts: queue.SimpleQueue[Post | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="segue-committer")

    def start(self) -> None:
        """Begin to take posts, the first as fast as any other."""
        warm()
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end."""
        self._posts.put(None)
        self._thread.join()

    def post(self, decoded: Decoded, source: str) -> Future[Tally]:
        """The counts of all that was written together with these events, once that is durable.

        E604 when too much waits already.
        """
        done: Future[Tally] = Future()
        self._put(Post(decoded, source, done, time.perf_counter()))
        return done

    def posted(self, decoded: Decoded, source: str) -> asyncio.Future[Tally]:
        """The same for who waits in the running event loop.

        The loop is woken once for all posts that were written together.
        """
        done: asyncio.Future[Tally] = asyncio.get_running_loop().create_future()
        self._put(Post(decoded, source, done, time.perf_counter()))
        return done

    def _put(self, post: Post) -> None:
        """Let a post wait its turn; a few too many are let in when threads meet here, which does no harm."""
        if self._posts.qsize() < POSTS_WAITING_MAX:
            self._posts.put(post)
            return
        said, hint = "more posts are waiting than can be written in a moment", "send it again shortly"
        post.done.set_exception(refusal("E604", said, hint))

    def _run(self) -> None:
        while (first := self._posts.get()) is not None:
            posts = [first]
            ending = False
            while len(posts) < POSTS_AT_ONCE and not ending:
                try:
                    found = self._posts.get_nowait()
                except queue.Empty:
                    break
                if found is None:
                    ending = True
                else:
                    posts.append(found)
            self._commit(posts)
            if ending:
                return

    def _commit(self, posts: Sequence[Post]) -> None:
        """Write some posts as one transaction and tell everyone who waits."""
        posts = sorted(posts, key=lambda post: post.source)
        outcomes: Sequence[Outcome]
        try:
            outcomes = self._written(posts)
        except BaseException as error:  # noqa: BLE001 -- whoever waits must hear of it
            outcomes = [error] * len(posts)
        else:
            recording.durable(post.received for post in posts)
        _tell_all([(post.done, outcome) for post, outcome in zip(posts, outcomes, strict=True)])

    def _written(self, posts: Sequence[Post]) -> list[Tally]:
        core = self._core
        with core.gate:
            at = core.stamp()
            upcoming = core.log.next_seq
            batches: list[EventBatch] = []
            aside: list[Quarantined] = []
            tallies: list[Tally] = []
            counts: list[Count] = []
            day = core.day()
            try:
                for source, together in groupby(posts, lambda post: post.source):
                    group = list(together)
                    received = None if core.clock == "log" else at
                    decoded = gathered([post.decoded for post in group])
                    taken = core.intake.accept(decoded, source, upcoming, received, at or None)
                    sent = [each for post in group for each in post.decoded.rejected]
                    unreadable = let_go(core.intake.identity, sent, taken.tally)
                    held = [set_aside(each, source, at) for each in (*unreadable, *taken.rejected)]
                    aside += held
                    if len(taken.batch):
                        batches.append(taken.batch)
                        upcoming = taken.batch.last_seq + 1
                    taken.tally.rows += len(sent)
                    taken.tally.quarantined += len(unreadable)
                    taken.tally.mended += sum(post.decoded.mended for post in group)
                    counts += counts_of(day, source, taken.tally, held)
                    tallies += [taken.tally] * len(group)
            except BaseException:
                core.intake.take_back()
                raise
            done = core.append(batches, aside, counts)
        if batches:
            first = min(post.received for post in posts)
            done.add_done_callback(lambda _: recording.evaluated(first))
        return tallies


def _tell_all(told: Sequence[tuple[Done, Outcome]]) -> None:
    """Tell everyone who waits: those in threads at once, those in an event loop together."""
    of_loops: dict[asyncio.AbstractEventLoop, list[tuple[Done, Outcome]]] = {}
    for done, outcome in told:
        if isinstance(done, Future):
            _tell([(done, outcome)])
        else:
            of_loops.setdefault(done.get_loop(), []).append((done, outcome))
    for loop, those in of_loops.items():
        with suppress(RuntimeError):  # the loop has ended, and who waited with it
            loop.call_soon_threadsafe(_tell, those)


def _tell(told: Sequence[tuple[Done, Outcome]]) -> None:
    for done, outcome in told:
        if done.done():  # given up meanwhile: the log has the events all the same
            continue
        if isinstance(outcome, BaseException):
            done.set_exception(outcome)
        else:
            done.set_result(outcome)


def set_aside(rejected: Rejected, source: str, at: int) -> Quarantined:
    """A rejected event for the quarantine; ``at`` (ms) is its receipt."""
    return Quarantined(at, source, rejected.code, rejected.message, rejected.hint, hushed(rejected.raw))

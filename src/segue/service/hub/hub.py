"""The hub: stored changes come in by the evaluator's thread, and go out to listeners in the loop.

    evaluator ── columns ──► queue ── own thread: who hears what, each change written once ──► loop

Everything goes by one number, the ``head``: changes up to it have been handed out, later ones will be.
Whoever joins reads what is stored up to the head, and hears what comes after it.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from segue.log.changes import ChangeColumns
from segue.observe import recording
from segue.service.core import Core
from segue.service.hub.ear import Ear
from segue.service.hub.index import Index, Picked
from segue.service.hub.message import Message, messages_of

CHANGES_AT_ONCE = 1_000
"""So that the loop and those who join never wait long for the hub."""

_log = logging.getLogger("segue.hub")

Schedule = Callable[..., Any]
"""Runs a function with its arguments in the loop, soon and in order; any thread may call it."""


class Hub:
    """Hands changes to listeners; of one service, for one loop."""

    def __init__(self, core: Core, schedule: Schedule) -> None:
        self._core = core
        self._schedule = schedule
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[ChangeColumns | None] = queue.SimpleQueue()
        self._index = Index(core.intake.identity)
        self._under_way = 0
        self._delivered = 0
        self._thread = threading.Thread(target=self._work, name="segue-hub")
        core.change_listeners.append(self._queue.put)
        self._head = core.progress.next_change - 1

    def start(self) -> None:
        """Begin to hand on."""
        self._thread.start()

    def close(self) -> None:
        """Hand nothing on any more."""
        self._core.change_listeners.remove(self._queue.put)
        self._queue.put(None)
        self._thread.join()

    # ---- listening ---------------------------------------------------------------------------

    @property
    def index(self) -> Index:
        """Who is who; adding and removing go through the hub."""
        return self._index

    @property
    def head(self) -> int:
        """The last change that was handed out."""
        return self._head

    @property
    def settled(self) -> int:
        """The last change of which all before have reached their listeners. In the loop only."""
        with self._lock:
            return self._delivered if self._under_way else self._head

    def stored(self, ear: Ear, after: int, upto: int, limit: int | None) -> tuple[list[Message], int]:
        """What a listener wants of the stored changes ``after < seq <= upto``, and how far that reaches.

        At most ``limit`` changes are looked at. Blocks.
        """
        wanted = ear.wanted
        with self._core.gate:  # an identity that may still be taken back must not be seen
            rows = self._index.rows_for(ear)
        if upto <= after or rows == []:
            return [], upto
        found = list(messages_of(self._core.log.changes(after, upto, wanted.segment, limit, rows)))
        reached = upto if limit is None or len(found) < limit else found[-1].seq
        return [message for message in found if wanted.sees(message.segment)], reached

    def join(self, ear: Ear) -> int:
        """From the number that is told on, the listener hears each change. Blocks for a moment."""
        with self._core.gate, self._lock:
            self._index.add(ear)
            ear.joined = self._head
        return ear.joined

    def leave(self, ear: Ear) -> None:
        """The listener hears nothing any more, but for what is under way to it."""
        with self._lock:
            self._index.remove(ear)

    # ---- handing on --------------------------------------------------------------------------

    def _work(self) -> None:
        while (columns := self._queue.get()) is not None:
            first = max(columns.first_seq, self._head + 1)
            for start in range(first - columns.first_seq, len(columns), CHANGES_AT_ONCE):
                self._hand_on(columns, start, min(start + CHANGES_AT_ONCE, len(columns)))

    def _hand_on(self, columns: ChangeColumns, start: int, stop: int) -> None:
        rows: list[int] = columns.rows[start:stop].tolist()
        names = [columns.names[code] for code in columns.segments[start:stop].tolist()]
        head = columns.first_seq + stop - 1
        with self._lock:
            if not len(self._index):
                self._head = head
                return
            picked = None if self._index.is_stale() else self._index.pick(rows, names, settled=False)
            if picked is not None:
                self._passed(picked, head)
        if picked is None:
            with self._core.gate, self._lock:
                self._index.refresh()
                picked = self._index.pick(rows, names, settled=True)
                assert picked is not None
                self._passed(picked, head)
        if picked:
            first = int(columns.at[start + picked[0][0]]) if self._core.clock == "wall" else None
            self._send(picked, rows, columns.first_seq + start, head, first)

    def _passed(self, picked: Picked, head: int) -> None:
        """In the same breath as picking: who joins later begins after the head."""
        self._head = head
        self._under_way += bool(picked)

    def _send(self, picked: Picked, rows: Sequence[int], first: int, head: int, at: int | None) -> None:
        ears = [ear for _, ear in picked]
        try:
            chosen = sorted({rows[place] for place, _ in picked})
            written = messages_of(self._core.log.changes(first - 1, head, rows=chosen))
            by_seq = {message.seq: message for message in written}
            heard = [(ear, by_seq[first + place]) for place, ear in picked]
        except Exception:  # noqa: BLE001 -- the thread must go on, and the listeners can read it again
            _log.exception("changes %d to %d could not be read back", first, head)
            self._schedule(self._missed, ears, head)
        else:
            self._schedule(self._deliver, heard, head, at)

    def _deliver(self, heard: Sequence[tuple[Ear, Message]], head: int, at: int | None) -> None:
        for ear, message in heard:
            ear.hear(message)
        if at is not None:
            recording.pushed(at, len(heard))
        self._arrived(head)

    def _missed(self, ears: Sequence[Ear], head: int) -> None:
        for ear in ears:
            ear.miss()
        self._arrived(head)

    def _arrived(self, head: int) -> None:
        with self._lock:
            self._under_way -= 1
            self._delivered = head

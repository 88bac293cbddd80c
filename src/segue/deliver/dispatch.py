"""The dispatcher: works firings off in their order, and what has waited long enough, into the outbox.

    evaluator ── firings, stored with the changes ──► own thread: rules, payload ──► outbox ──► queues

The number of the last firing is stored with what became of it, so that a crash repeats nothing and loses
nothing. One thread; whoever sends has others.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from segue.deliver.causes import events_at
from segue.deliver.deciding import Decider, firing_of
from segue.deliver.outbox import Delivery, Outbox, State, wall_ms
from segue.domain.errors import SegueError
from segue.domain.time import HOUR, SECOND
from segue.observe import metrics
from segue.segments.triggers.definition import STREAM, TriggerDefinition
from segue.service.service import Service

FIRINGS_AT_ONCE = 500
LOOK_SECONDS = 1.0
"""How long it sleeps at most: by the log's clock nobody tells it that time has gone on."""
TROUBLE_SECONDS = 1.0
PRUNE_EVERY_MS = HOUR

_log = logging.getLogger("segue.deliver")


class Dispatcher:
    """Of one service, for as long as it is served."""

    def __init__(self, service: Service, outbox: Outbox) -> None:
        self._service = service
        self._outbox = outbox
        self._decider = Decider(service, outbox)
        self._signal = threading.Condition()
        self._told = True
        self._ending = False
        self._guard = threading.Lock()
        self._forgotten: set[int] = set()
        self._pruned_at = 0
        self._streamed = outbox.last()
        self._thread = threading.Thread(target=self._run, name="segue-dispatcher")
        self.streamed: list[Callable[[Sequence[Delivery]], None]] = []
        """Told what goes to the live stream, once it is stored; they must not wait or raise."""

    def start(self) -> None:
        """Work off what is left from before, and from now on what comes."""
        self._service.core.firing.listeners.append(self.wake)
        self._service.core.forget_listeners.append(self.forget)
        self._thread.start()

    def wake(self) -> None:
        """There may be firings; never waits."""
        with self._signal:
            self._told = True
            self._signal.notify()

    def close(self) -> None:
        """Work off what is there, then end."""
        with self._signal:
            self._ending = True
            self._signal.notify()
        self._thread.join()
        self._service.core.firing.listeners.remove(self.wake)
        self._service.core.forget_listeners.remove(self.forget)

    def forget(self, rows: Iterable[int]) -> None:
        """Write nothing of these profiles any more; the outbox is erased after this."""
        with self._guard:
            self._forgotten.update(rows)

    # ---- the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._signal:
                if not self._told and not self._ending:
                    self._signal.wait(self._patience())
                self._told, ending = False, self._ending
            if not self._worked() or ending:
                if ending:
                    return
                time.sleep(TROUBLE_SECONDS)

    def _patience(self) -> float:
        due = self._outbox.next_waiting()
        if due is None or self._service.core.clock == "log":
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(0.001, (due - self._decider.clock()) / SECOND))

    def _worked(self) -> bool:
        """Whether all went well; what did not is tried again."""
        try:
            while self.work():
                pass
            self._prune()
        except SegueError as refused:
            _log.warning("deliveries wait: %s", refused.diagnostics[0].message)
            return False
        except Exception:  # noqa: BLE001 -- the thread's last door: what failed is tried again
            _log.exception("the dispatcher failed")
            return False
        return True

    def work(self) -> bool:
        """Decide on the next firings and on what has waited; whether there may be more."""
        firings = self._service.log.firings(self._outbox.cursor(), FIRINGS_AT_ONCE)
        waited = self._outbox.waiting(self._decider.clock(), FIRINGS_AT_ONCE)
        if not firings and not waited:
            return False
        seqs = [each.event_seq for each in (*firings, *map(firing_of, waited)) if each.event_seq is not None]
        events = events_at(self._service.log, seqs)
        found: list[Delivery] = []
        for delivery in waited:
            seq = firing_of(delivery).event_seq
            found.append(self._decider.waited(delivery, None if seq is None else events.get(seq), found))
        for firing in firings:
            event = None if firing.event_seq is None else events.get(firing.event_seq)
            found += self._decider.fired(firing, event, found)
        self._put(found, firings[-1].number if firings else None)
        return len(firings) == FIRINGS_AT_ONCE or len(waited) == FIRINGS_AT_ONCE

    def _put(self, found: Sequence[Delivery], cursor: int | None) -> None:
        with self._guard:
            kept = [each for each in found if each.row not in self._forgotten]
            self._outbox.put(kept, cursor)
        if self._service.core.clock == "wall":
            for each in kept:
                if each.state in (State.PENDING, State.SENT):
                    metrics.DISPATCHED.observe(max(0.0, time.time() - each.moment / SECOND))
        if self.streamed and any(each.destination == STREAM and each.state is State.SENT for each in kept):
            self._stream()

    def _stream(self) -> None:
        while told := self._outbox.streamed(self._streamed, FIRINGS_AT_ONCE):
            self._streamed = told[-1].number
            for listener in self.streamed:
                listener(told)

    def _prune(self) -> None:
        """Drop, now and then, what has ended and that no rule will ask for any more."""
        now = wall_ms()
        if now - self._pruned_at < PRUNE_EVERY_MS:
            return
        self._pruned_at = now
        workspace = self._service.workspace
        kept = workspace.settings.deliveries_kept_ms
        asked = max(map(_looks_back, workspace.triggers.values()), default=0)
        self._outbox.prune(now - kept, self._decider.clock() - max(kept, asked))


def _looks_back(trigger: TriggerDefinition) -> int:
    """How old a delivery may be, in ms, that a rule of a trigger asks for."""
    policy = trigger.policy
    return max(policy.cooldown_ms or 0, *(cap.per_ms for cap in policy.caps), 0)

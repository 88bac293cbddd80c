"""One destination's queue: takes what is pending, has it sent, notes what became of it, and again.

What was taken is noted for some moments together, since each note waits for the disk and keeps others from
it. That is all that the outbox does not hold: a crash repeats what was under way or not noted yet.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Collection, Sequence

from segue.deliver.outbox import Delivery, Outbox, wall_ms
from segue.deliver.outbox import Outcome as Noted
from segue.deliver.queues.pace import of_destinations, of_messages
from segue.deliver.queues.verdict import Judge, Verdict, message_of
from segue.deliver.sinks.sink import Outcome, Retry, Sink
from segue.domain.errors import SegueError
from segue.observe import metrics
from segue.segments.destinations.definition import DestinationDefinition

LOOK_SECONDS = 1.0
"""How often the outbox is looked at without being told to: another process may have replayed something."""

AGAIN_SECONDS = 0.02
"""How soon it is looked at anew when something is due that may not go: it is just being erased."""
NOTE_SECONDS = 0.05
"""How long what was taken stays unnoted, at most."""
UNNOTED_MAX = 1_000

Lookup = Callable[[], DestinationDefinition | None]
MakeSink = Callable[[DestinationDefinition], Sink]

_log = logging.getLogger("segue.deliver")


class Queue:
    """The thread of one destination. ``definition`` is asked for each time, since it may be edited."""

    def __init__(
        self, name: str, definition: Lookup, make_sink: MakeSink, outbox: Outbox, forgotten: Collection[int]
    ) -> None:
        """``forgotten`` are rows of whom nothing is to be sent, and may grow."""
        self.name = name
        self.failures = 0
        self._definition = definition
        self._make_sink = make_sink
        self._outbox = outbox
        self._forgotten = forgotten
        self._under_way = threading.Lock()
        self._made_of: DestinationDefinition | None = None
        self._sink: Sink | None = None
        self._unnoted: dict[int, Noted] = {}
        self._unnoted_since = 0.0
        dice = random.Random()
        self._pauses = of_destinations(dice)
        self._retries = of_messages(dice)
        self._signal = threading.Condition()
        self._told = False
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=f"segue-to-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something is pending; never waits."""
        with self._signal:
            self._told = True
            self._signal.notify()

    def end(self) -> None:
        """Take no more; a batch under way is finished."""
        with self._signal:
            self._ending = True
            self._signal.notify()

    def settle(self) -> None:
        """Where messages stay in files of Segue's own: wait until none is written that was taken before."""
        definition = self._definition()
        if definition is not None and definition.kind == "file":
            with self._under_way:
                pass

    def join(self, seconds: float) -> None:
        """Wait for the thread."""
        self._thread.join(seconds)

    # ---- the loop ----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ending:
            definition = self._definition()
            if definition != self._made_of:
                self._let_go()
            try:
                worked = definition is not None and self._step(definition)
                if definition is None:
                    self._write_notes()
            except SegueError as refused:  # the outbox cannot be read or written now
                self._failed(str(refused.diagnostics[0].message))
                worked = False
            if not worked:
                self._rest(LOOK_SECONDS)
        self._end()

    def _step(self, definition: DestinationDefinition) -> bool:
        """Sends one batch; False when there is nothing to send now."""
        # Of a destination that is down one message asks whether it still is.
        with self._under_way:
            batch = self._fresh(1 if self.failures else definition.limits.batch)
            outcomes = self._sent(definition, batch) if batch else []
        if not batch:
            self._wait_for_next()
            return True
        judge = Judge(definition.limits.retry_ms, self._retries, self.failures > 0)
        verdict = judge.judge(batch, outcomes, wall_ms())
        self._note(verdict)
        if verdict.down:
            self._failed(verdict.reason)
            ended = wall_ms() - definition.limits.retry_ms
            dead = self._outbox.expire(self.name, ended, verdict.reason)
            metrics.DELIVERIES.labels(self.name, "dead").inc(dead)
            pause_ms = max(self._pauses.after(self.failures), verdict.pause_ms)
            self._pause(min(pause_ms, verdict.left_ms) / 1_000)
        elif verdict.sent:
            self._recovered()
        return True

    def _fresh(self, size: int) -> list[Delivery]:
        """What may go now, without what went already and is not noted yet."""
        found = self._outbox.pending(self.name, wall_ms(), size + len(self._unnoted))
        fresh = [each for each in found if each.number not in self._unnoted]
        return [each for each in fresh if each.row not in self._forgotten][:size]

    def _sent(self, definition: DestinationDefinition, batch: Sequence[Delivery]) -> Sequence[Outcome]:
        try:
            if self._sink is None:
                self._sink = self._make_sink(definition)
                self._made_of = definition
            return self._sink.send([message_of(each) for each in batch])
        except SegueError as refused:
            said = refused.diagnostics[0]
            return [Retry(f"{said.code}: {said.message}", down=True)] * len(batch)
        except Exception as fault:  # noqa: BLE001 -- the thread's last door: nothing is lost, others go on
            _log.exception("sending to %s failed", self.name)
            self._let_go()
            return [Retry(f"a fault in Segue: {type(fault).__name__}", down=True)] * len(batch)

    def _note(self, verdict: Verdict) -> None:
        if not self._unnoted:
            self._unnoted_since = time.monotonic()
        self._unnoted |= {each.number: each for each in verdict.noted}
        waited = time.monotonic() - self._unnoted_since >= NOTE_SECONDS
        if waited or verdict.reason or verdict.dead or len(self._unnoted) >= UNNOTED_MAX:
            self._write_notes()
        self._outbox.hold_back(self.name, verdict.held)
        now = wall_ms()
        seconds = metrics.DELIVERY_SECONDS.labels(self.name)
        for delivery in verdict.sent:
            seconds.observe(max(0, now - delivery.since) / 1_000)
        counts = {"sent": len(verdict.sent), "retried": verdict.retried, "dead": verdict.dead}
        for outcome, count in counts.items():
            if count:
                metrics.DELIVERIES.labels(self.name, outcome).inc(count)

    def _write_notes(self) -> None:
        if self._unnoted:
            self._outbox.note(self._unnoted.values())
            self._unnoted = {}

    def _failed(self, reason: str) -> None:
        self.failures += 1
        metrics.DESTINATION_DOWN.labels(self.name).set(1)
        if self.failures == 1:
            _log.warning("%s takes nothing: %s", self.name, reason)

    def _recovered(self) -> None:
        metrics.DESTINATION_DOWN.labels(self.name).set(0)
        if self.failures:
            _log.warning("%s takes messages again", self.name)
            self.failures = 0

    def _end(self) -> None:
        try:
            self._write_notes()
        except SegueError:
            _log.warning("what %s took last could not be noted; it will be sent again", self.name)
        self._let_go()

    def _let_go(self) -> None:
        used, self._sink, self._made_of = self._sink, None, None
        if used is not None:
            try:
                used.close()
            except Exception:  # noqa: BLE001 -- what is let go of cannot hold up what comes after it
                _log.exception("closing %s failed", self.name)

    # ---- waiting -----------------------------------------------------------------------------

    def _wait_for_next(self) -> None:
        if self._unnoted:
            left = NOTE_SECONDS - (time.monotonic() - self._unnoted_since)
            if left > 0:
                self._rest(left)
            else:
                self._write_notes()
            return
        due = self._outbox.next_due(self.name)
        left = LOOK_SECONDS if due is None else (due - wall_ms()) / 1_000
        self._rest(min(left, LOOK_SECONDS) if left > 0 else AGAIN_SECONDS)

    def _rest(self, seconds: float) -> None:
        """Until it is told of something, or for so long."""
        with self._signal:
            self._signal.wait_for(lambda: self._told or self._ending, seconds)
            self._told = False

    def _pause(self, seconds: float) -> None:
        """For so long, whatever comes in, unless the address becomes another one meanwhile."""
        until = time.monotonic() + seconds
        made_of = self._made_of
        with self._signal:
            while (left := until - time.monotonic()) > 0 and not self._ending:
                self._signal.wait_for(lambda: self._ending, min(left, LOOK_SECONDS))
                if made_of is not None and self._definition() != made_of:
                    break

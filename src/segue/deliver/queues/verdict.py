"""What follows for a delivery from what its sink said of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from segue.deliver.outbox import Delivery, Outcome, State
from segue.deliver.queues.pace import Pace
from segue.deliver.sinks import sink


@dataclass(slots=True)
class Verdict:
    """Of one batch: what is noted, which users wait until when (ms), and whether the destination is down.

    ``sent`` are the deliveries that were taken; ``pause_ms`` is how long the destination asked to be left
    alone, if it did; ``left_ms`` is until the time of the first is up; ``reason`` is the last of those for a
    retry.
    """

    noted: list[Outcome] = field(default_factory=list)
    held: dict[int, int] = field(default_factory=dict)
    sent: list[Delivery] = field(default_factory=list)
    retried: int = 0
    dead: int = 0
    down: bool = False
    pause_ms: int = 0
    left_ms: int = sys.maxsize
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Judge:
    """Knows for how long messages are tried (ms), and how long one waits between attempts.

    ``probing`` says that the destination took nothing before, and is asked whether it does again.
    """

    retry_ms: int
    pace: Pace
    probing: bool = False

    def judge(self, batch: Sequence[Delivery], outcomes: Sequence[sink.Outcome], now: int) -> Verdict:
        """What follows from the outcomes of a batch at a moment (wall ms)."""
        found = Verdict()
        for delivery, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, sink.Delivered):
                found.sent.append(delivery)
                found.noted.append(Outcome(delivery.number, State.SENT))
            elif isinstance(outcome, sink.Refused):
                self._dead(found, delivery, outcome.reason)
            elif outcome is not sink.BEHIND:
                self._again(found, delivery, outcome, now)
        if found.retried > (0 if self.probing else 1) and not found.sent and not found.dead:
            found.down = True  # it turns everybody down: whoever comes next is not to be tried at once
        return found

    def _again(self, found: Verdict, delivery: Delivery, outcome: sink.Retry, now: int) -> None:
        found.reason = outcome.reason
        if outcome.down:
            found.down = True
            found.pause_ms = max(found.pause_ms, outcome.after_ms or 0)
        ends = delivery.since + self.retry_ms
        if now >= ends:
            self._dead(found, delivery, outcome.reason)
            return
        found.retried += 1
        found.left_ms = min(found.left_ms, ends - now)
        due = delivery.due
        if outcome.after_ms is not None:
            due = now + outcome.after_ms
        elif not outcome.down:
            due = now + self.pace.after(delivery.attempts + 1)
        # The last attempt is made when the time is up, not after it.
        due = min(due, ends)
        found.noted.append(Outcome(delivery.number, State.PENDING, outcome.reason, due))
        if due > now:
            found.held[delivery.row] = due

    def _dead(self, found: Verdict, delivery: Delivery, reason: str) -> None:
        found.dead += 1
        found.noted.append(Outcome(delivery.number, State.DEAD, reason))


def message_of(delivery: Delivery) -> sink.Message:
    """A delivery as sinks take it."""
    return sink.Message(
        delivery.id, delivery.user_id, delivery.trigger, delivery.at, delivery.body, delivery.attempts + 1
    )

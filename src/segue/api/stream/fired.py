"""Messages of triggers on their way to listeners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from segue.api.stream.notice import Notice
from segue.deliver.outbox import Delivery, Outbox
from segue.domain.time import format_instant
from segue.service.core import Core
from segue.service.hub.ear import Wanted


class Fired(Notice):
    """One message; ``number`` rises from each to the next, and gaps mean nothing."""

    __slots__ = ("number", "user_id")

    def __init__(self, delivery: Delivery) -> None:
        self.number = delivery.number
        self.user_id = delivery.user_id
        more = {"id": delivery.id, "trigger": delivery.trigger, "user_id": delivery.user_id}
        at = format_instant(delivery.at)
        super().__init__("fired", msgspec.Raw(delivery.body), None, **more, at=at, number=delivery.number)


@dataclass(frozen=True, slots=True)
class Told:
    """A message with all ids under which it may be listened to."""

    fired: Fired
    names: frozenset[str]


Stored = Callable[[Wanted, int, int], Sequence[Fired]]
"""What a listener wants of the messages past a number, in order, at most so many. Blocks."""


@dataclass(slots=True)
class Following:
    """How far one listener has got: all up to ``sent`` went out, None before the first.

    While it is ``behind`` it reads what is stored; ``missed`` says that something came meanwhile.
    """

    stored: Stored
    sent: int | None = None
    behind: bool = False
    missed: bool = False

    def takes(self, number: int, full: bool) -> bool:
        """Whether a message that has just come is to wait for the listener, whose queue may be full."""
        if self.sent is None:
            self.sent = number - 1
        if self.behind or full:
            self.behind = self.missed = True
            return False
        return number > self.sent

    def went(self, number: int) -> None:
        """A message went out."""
        self.sent = max(self.sent or 0, number)


class Firings:
    """The live stream's side of an outbox."""

    def __init__(self, core: Core, outbox: Outbox) -> None:
        self._core = core
        self._outbox = outbox

    def told(self, deliveries: Sequence[Delivery]) -> list[Told]:
        """Deliveries as listeners get them. Blocks for a moment."""
        identity = self._core.intake.identity
        with self._core.gate:  # an identity that may still be taken back must not be seen
            names = [frozenset(map(identity.user_id, identity.rows_of(each.row))) for each in deliveries]
        return [Told(Fired(each), ids) for each, ids in zip(deliveries, names, strict=True)]

    def stored(self, wanted: Wanted, after: int, limit: int) -> list[Fired]:
        """As :data:`Stored` says."""
        return [Fired(each) for each in self._outbox.streamed(after, limit, self._names(wanted))]

    def last(self) -> int:
        """The number of the newest delivery; a listener can have heard no later one."""
        return self._outbox.last()

    def _names(self, wanted: Wanted) -> frozenset[str] | None:
        if wanted.user_id is None or wanted.alone:
            return None if wanted.user_id is None else frozenset((wanted.user_id,))
        identity = self._core.intake.identity
        with self._core.gate:
            row = identity.row_of(wanted.user_id)
            rows = set() if row is None else identity.rows_of(row)
            return frozenset((wanted.user_id, *map(identity.user_id, rows)))

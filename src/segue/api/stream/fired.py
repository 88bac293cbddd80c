"""Messages of triggers on their way to listeners: they go to who listens at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from segue.api.stream.listener import Listener
from segue.api.stream.notice import Notice
from segue.deliver.outbox import Delivery
from segue.domain.time import format_instant


@dataclass(frozen=True, slots=True)
class Fired:
    """One message. ``user_id`` is the profile's own, ``names`` are all ids that lead to it."""

    user_id: str
    names: frozenset[str]
    notice: Notice


def fired_of(delivery: Delivery, names: frozenset[str]) -> Fired:
    """A delivery for the live stream as listeners get it."""
    more = {"id": delivery.id, "trigger": delivery.trigger, "user_id": delivery.user_id}
    notice = Notice("fired", msgspec.Raw(delivery.body), None, **more, at=format_instant(delivery.at))
    return Fired(delivery.user_id, names, notice)


class Told:
    """Listeners by the user they listen to, so that a message costs the same however many there are."""

    def __init__(self) -> None:
        self._everyone: set[Listener] = set()
        self._by_id: dict[str, set[Listener]] = {}

    def add(self, listener: Listener) -> None:
        """It is told from now on, if it may be."""
        wanted = listener.wanted
        if wanted.fired and wanted.user_id is None:
            self._everyone.add(listener)
        elif wanted.fired and wanted.user_id is not None:
            self._by_id.setdefault(wanted.user_id, set()).add(listener)

    def remove(self, listener: Listener) -> None:
        """It is told no more."""
        self._everyone.discard(listener)
        user_id = listener.wanted.user_id
        if user_id is not None and user_id in self._by_id:
            self._by_id[user_id].discard(listener)
            if not self._by_id[user_id]:
                del self._by_id[user_id]

    def tell(self, messages: Sequence[Fired]) -> None:
        """Each message to everyone, to who listens to the user, and to who followed another id to them."""
        for message in messages:
            for listener in self._everyone:
                listener.tell(message.notice)
            for name in message.names:
                for listener in self._by_id.get(name, ()):
                    if name == message.user_id or not listener.wanted.alone:
                        listener.tell(message.notice)

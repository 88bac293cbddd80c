"""Who is told of a trigger's message: listeners by the user they listen to, so that its cost is the same
however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from segue.api.stream.fired import Told
from segue.api.stream.listener import Listener


class Telling:
    """Belongs to the loop."""

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

    def tell(self, messages: Sequence[Told]) -> None:
        """Each message to everyone, to who listens to the user, and to who followed another id to them."""
        for message in messages:
            for listener in self._everyone:
                listener.tell(message.fired)
            for name in message.names:
                for listener in self._by_id.get(name, ()):
                    if name == message.fired.user_id or not listener.wanted.alone:
                        listener.tell(message.fired)

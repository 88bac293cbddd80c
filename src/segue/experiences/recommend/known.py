"""Items by number: every id that the catalogue or an event named gets a place, and keeps it while we run."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from segue.domain.limits import ITEMS_MAX

NOWHERE = -1
"""The place of an item that came after the bound was reached."""


class Known:
    """Ids and their places. Places only ever grow, so what was counted under one stays true."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._places: dict[str, int] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, identifier: str) -> int:
        """The place of an id; NOWHERE for one never heard of."""
        return self._places.get(identifier, NOWHERE)

    def place(self, identifier: str, bound: int = ITEMS_MAX) -> int:
        """The place of an id, a new one if need be; NOWHERE beyond the bound.

        Events can name anything, so what they bring is bounded; the catalogue is bounded itself.
        """
        found = self._places.get(identifier)
        if found is not None:
            return found
        with self._lock:
            if len(self.ids) >= bound:
                return self._places.get(identifier, NOWHERE)
            found = self._places.setdefault(identifier, len(self.ids))
            if found == len(self.ids):
                self.ids.append(identifier)
        return found

    def places(self, identifiers: Iterable[str], bound: int = ITEMS_MAX) -> list[int]:
        """The same for many."""
        return [self.place(each, bound) for each in identifiers]

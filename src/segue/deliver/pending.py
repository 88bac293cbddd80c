"""What a cache still has to be told: bounded, and never less than what is stale."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

import numpy as np

from segue.deliver.tags import EVERYTHING, Tags
from segue.domain.limits import PURGED_CHANGES_MAX, PURGED_TAGS_MAX
from segue.log.changes import ChangeColumns

ECHO_SECONDS = 2.0
"""An answer that was on its way to the cache while its tag was purged is filed after that: so each tag
is purged once more when no such answer can be left."""


class Pending:
    """Changes come in from the evaluator and tags go out to one sender.

    Beyond its bounds it knows only that everything is stale, which takes no room.
    """

    def __init__(self, tags: Tags) -> None:
        self._tags = tags
        self._changed = threading.Condition()
        self._columns: deque[ChangeColumns] = deque()
        self._size = 0
        self._all = False
        self._echoes: deque[tuple[float, frozenset[str]]] = deque()
        self._echoed = 0
        self._closed = False

    def put(self, columns: ChangeColumns) -> None:
        """Takes changes; costs the same whether they are one or a million."""
        with self._changed:
            if self._size + len(columns) > PURGED_CHANGES_MAX:
                self._forget()
            else:
                self._columns.append(columns)
                self._size += len(columns)
            self._changed.notify()

    def put_everything(self) -> None:
        """All that caches hold is stale."""
        with self._changed:
            self._forget()
            self._changed.notify()

    def _forget(self) -> None:
        self._columns.clear()
        self._size = 0
        self._all = True

    def close(self) -> None:
        """What is there may still be taken; nobody waits for more."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def pause(self, seconds: float) -> None:
        """Waits, but not beyond the closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, seconds)

    def take(self) -> frozenset[str] | None:
        """All tags that are stale by now, waiting for the first; None when closed and nothing is left."""
        with self._changed:
            while not (self._columns or self._all or self._closed or self._due()):
                self._changed.wait(self._patience())
            found, everything = list(self._columns), self._all
            self._columns.clear()
            self._size, self._all = 0, False
            echoes = self._taken_echoes()
        fresh = frozenset((EVERYTHING,)) if everything else self._named(found)
        if not fresh and not echoes:
            return None
        self._echo(fresh)
        return fresh | echoes

    def _named(self, found: Sequence[ChangeColumns]) -> frozenset[str]:
        if not found:
            return frozenset()
        rows = np.unique(np.concatenate([each.rows for each in found])).tolist()
        if len(rows) > PURGED_TAGS_MAX:
            return frozenset((EVERYTHING,))
        names = {each.names[place] for each in found for place in np.unique(each.segments).tolist()}
        return frozenset(map(self._tags.profile, rows)) | frozenset(map(self._tags.segment, names))

    # ---- once more ---------------------------------------------------------------------------

    def _echo(self, tags: frozenset[str]) -> None:
        if self._echoed + len(tags) > PURGED_TAGS_MAX:
            tags = frozenset((EVERYTHING,))
            self._echoes.clear()
            self._echoed = 0
        if tags:
            self._echoes.append((time.monotonic() + ECHO_SECONDS, tags))
            self._echoed += len(tags)

    def _due(self) -> bool:
        return bool(self._echoes) and self._echoes[0][0] <= time.monotonic()

    def _patience(self) -> float | None:
        return max(0.0, self._echoes[0][0] - time.monotonic()) if self._echoes else None

    def _taken_echoes(self) -> frozenset[str]:
        found: frozenset[str] = frozenset()
        while self._echoes and (self._closed or self._due()):
            tags = self._echoes.popleft()[1]
            self._echoed -= len(tags)
            found |= tags
        return found

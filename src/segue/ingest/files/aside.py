"""Rows that an earlier import set aside are there already, like good rows that it took."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable

from segue.ingest.files.portion import Portion
from segue.log.quarantine import Held


class AsideBefore:
    """Knows what was set aside of a source before a file of it is read.

    Alike rows of one file are told apart by how many they are, as those without a message id are.
    """

    def __init__(self, held: Callable[[None], Iterable[Held]], source: str) -> None:
        self._held = held  # None: in every state
        self._source = source
        self._left: Counter[bytes] | None = None

    def leave_out(self, portion: Portion) -> None:
        """Count as duplicate what is there already; the quarantine is read at the first bad row alone."""
        if not portion.quarantined:
            return
        if self._left is None:
            events = (held.event for held in self._held(None))
            self._left = Counter(_digest(each.raw) for each in events if each.source == self._source)
        new = [each for each in portion.quarantined if not self._met(each.raw)]
        again = len(portion.quarantined) - len(new)
        portion.quarantined = new
        portion.tally.quarantined -= again
        portion.tally.duplicate += again

    def _met(self, raw: bytes) -> bool:
        assert self._left is not None
        digest = _digest(raw)
        met = self._left[digest] > 0
        self._left[digest] -= met
        return met


def _digest(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=16).digest()

"""The rows of users by the bytes of their ids: what the table of identities says of those seen lately.

Only an aid: it is asked first, and whoever it does not know is looked up there. An id keeps its row until it
is forgotten or taken back, and then all is forgotten here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from segue.log.lane.cuts import Octets, Places
from segue.log.lane.words import TOO_LONG, Words

KEPT_MAX = 500_000
"""Ids that are known here; beyond, all are learned anew."""
BYTES_MAX = 64
"""Of an id that is known here."""
_UNKNOWN = -1


class Known:
    """One thread at a time, as the table of identities itself."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Know nobody."""
        self._words = Words(BYTES_MAX)
        self._rows = np.full(256, _UNKNOWN, np.int32)

    def rows(
        self, octets: Octets, starts: Places, stops: Places, ask: Callable[[int], int]
    ) -> NDArray[np.int32]:
        """The row of each id between two places; ``ask`` gives that of the id at a place, in their order."""
        if len(self._words) > KEPT_MAX:
            self.clear()
        numbers = self._words.numbered(octets, starts, stops)
        while len(self._rows) < len(self._words):
            self._rows = np.concatenate((self._rows, np.full(len(self._rows), _UNKNOWN, np.int32)))
        rows = self._rows[numbers]
        unknown = np.flatnonzero((rows == _UNKNOWN) | (numbers == TOO_LONG)).tolist()
        for at in unknown:
            rows[at] = ask(at)
        learned = [at for at in unknown if numbers[at] != TOO_LONG]
        self._rows[numbers[learned]] = rows[learned]
        return rows

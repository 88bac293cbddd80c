"""Which code each event of a batch has, by its type and name; looked up once for each name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from segue.domain.event import TYPES
from segue.engine.program.codes import Codes
from segue.log.columns import Picked

NOT_ASKED = -1
"""The number of an event that no stream wants."""
_UNKNOWN = -2


class Numbering:
    """The codes of a program as a table by type and name, filled in as names turn up."""

    def __init__(self, codes: Codes) -> None:
        self._codes = codes
        self._names: Sequence[str | None] = ()
        self._table = np.zeros((len(TYPES), 0), np.int32)

    def numbers(self, kinds: npt.NDArray[np.uint8], names: Picked[str | None]) -> npt.NDArray[np.int32]:
        """The code's number for each event; ``kinds`` are places in TYPES."""
        if names.words is not self._names:
            self._names, self._table = names.words, self._table[:, :0]
        if len(names.words) > self._table.shape[1]:
            grown = np.full((len(TYPES), 2 * len(names.words)), _UNKNOWN, np.int32)
            grown[:, : self._table.shape[1]] = self._table
            self._table = grown
        found = self._table[kinds, names.codes]
        unknown = found == _UNKNOWN
        if unknown.any():
            for kind, name in set(zip(kinds[unknown].tolist(), names.codes[unknown].tolist(), strict=True)):
                code = self._codes.find(TYPES[kind], names.words[name])
                self._table[kind, name] = code.number if code.links else NOT_ASKED
            found = self._table[kinds, names.codes]
        return found

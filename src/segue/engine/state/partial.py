"""A program cut down to what has to be shown the past; the rest lies still in it, in its place.

The layout stays that of the whole program, so that what comes of a replay can be laid beside what
the program before knew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np

from segue.engine.kernel import layout as k
from segue.engine.program.codes import Codes
from segue.engine.program.compile import Compiled
from segue.engine.program.guards import summed
from segue.engine.state.selection import Selection


def partial(whole: Compiled, selection: Selection) -> Compiled:
    """The program in which only the selected streams, features and segments are alive."""
    codes = whole.codes.only(selection.streams)
    return replace(
        whole,
        program=_Cut(whole.program, selection).program(codes),
        codes=codes,
        columns={column: at for column, at in whole.columns.items() if at in selection.features},
    )


class _Cut:
    """Shorter lists, put behind those of the whole program."""

    def __init__(self, whole: k.Program, selection: Selection) -> None:
        self.whole = whole
        self.selection = selection
        self.pool = whole.pool.tolist()

    def program(self, codes: Codes) -> k.Program:
        """The tables."""
        whole, chosen = self.whole, self.selection
        in_features, in_segments = chosen.features.__contains__, chosen.segments.__contains__
        mask = _bits(chosen.segments, whole.atom_sleeper.shape[1])
        sleepers = whole.atom_sleeper & mask
        bounds = whole.bounds.copy()
        first, last = int(bounds[k.B_CREATION_AT]), int(bounds[k.B_CREATION_END])
        bounds[k.B_CREATION_AT], bounds[k.B_CREATION_END] = self._put(first, last, in_segments)
        return whole._replace(
            **codes.tables(),
            features=self._features(),
            streams=self._listed(whole.streams, in_features, "feature", "other"),
            cursors=self._listed(whole.cursors, in_features, "leave", "recompute"),
            atoms=self._listed(whole.atoms, in_segments, "waker"),
            atom_sleeper=sleepers,
            atom_sleeper_sum=summed(sleepers, whole.atom_sleeper_sum.shape[1]),
            bounds=bounds,
            pool=np.array(self.pool, np.int64),
        )

    def _features(self) -> k.Records:
        """Those that lie still are columns that nobody sets."""
        table = self.whole.features.copy()
        still = [number for number in range(len(table)) if number not in self.selection.features]
        table["kind"][still] = k.GIVEN
        return table

    def _listed(self, table: k.Records, wanted: Callable[[int], bool], *lists: str) -> k.Records:
        cut = table.copy()
        for record in cut:
            for name in lists:
                first, last = int(record[f"{name}_at"]), int(record[f"{name}_end"])
                if first < last:
                    record[f"{name}_at"], record[f"{name}_end"] = self._put(first, last, wanted)
        return cut

    def _put(self, first: int, last: int, wanted: Callable[[int], bool]) -> tuple[int, int]:
        start = len(self.pool)
        self.pool += [value for value in self.whole.pool[first:last].tolist() if wanted(value)]
        return start, len(self.pool)


def _bits(numbers: Collection[int], words: int) -> k.Words:
    mask = np.zeros(words, np.uint64)
    for number in numbers:
        mask[number >> 6] |= np.uint64(1 << (number & 63))
    return mask

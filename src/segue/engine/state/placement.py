"""Where a program's values stand in a profile's row of cells.

A feature has cells of its own from the first event on that its stream could take; until then all of
its values are those of no event, and every feature of equal first values shares the same cells. So
a workspace of ten thousand segments over events that nobody sends costs a row a few cells, not 80 kB.

Nothing but such an event writes another value: counting anew along an empty chain, or joining two
profiles without events, writes what is there already.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

from segue.engine.kernel import layout as k
from segue.engine.program.compile import Compiled

STEP_CELLS = 4
"""Rows grow by half a cache line: whole ones left 32 MB of a million profiles unused."""


class Placement(msgspec.Struct):
    """Cells by feature and by stream (the chain's newest entry, -1 if none is kept) of one program.

    ``initial`` has the first value of every cell of a row; ``used`` of them are given out. ``own`` says
    which streams have cells of their own. ``session`` is the first of two cells, -1 without sessions.
    """

    features: list[int]
    streams: list[int]
    own: list[bool]
    session: int
    initial: list[int]
    used: int = 0

    @classmethod
    def of(cls, compiled: Compiled) -> Placement:
        """That of a program which no event has reached yet."""
        streams = compiled.program.streams
        placed = cls([-1] * len(compiled.initials), [-1] * len(streams), [False] * len(streams), -1, [])
        shared: dict[tuple[int, ...], int] = {}

        def together(values: tuple[int, ...]) -> int:
            if values not in shared:
                shared[values] = placed._give(values)
            return shared[values]

        for number, (record, values) in enumerate(
            zip(compiled.program.features, compiled.initials, strict=True)
        ):
            placed.features[number] = together(values) if record["stream"] >= 0 else placed._give(values)
        for number, record in enumerate(streams):
            if record["kept"]:
                placed.streams[number] = together((-1,))
        if compiled.program.bounds[k.B_SESSION_STREAM] >= 0:
            placed.session = placed._give((-1, -1))
        return placed

    def _give(self, values: tuple[int, ...]) -> int:
        """The next free cells, from now on with these first values."""
        first = self.used
        self.used += len(values)
        missing = self.used - len(self.initial)
        if missing > 0:
            self.initial += [0] * (-(-missing // STEP_CELLS) * STEP_CELLS)
        self.initial[first : self.used] = values
        return first

    def separate(self, compiled: Compiled, streams: Iterable[int]) -> range:
        """Give streams that share their cells, and the features on them, cells of their own; which.

        What an event touches together stands together: a chain before the features that read it.
        """
        first = self.used
        program = compiled.program
        for stream in streams:
            if self.own[stream]:
                continue
            self.own[stream] = True
            record = program.streams[stream]
            if record["kept"]:
                self.streams[stream] = self._give((-1,))
            for feature in compiled.features_on[stream]:
                self.features[feature] = self._give(compiled.initials[feature])
        return range(first, self.used)

    def applied(self, program: k.Program) -> k.Program:
        """The program, or another one of the same features and streams, with its cells told."""
        features, streams, bounds = program.features.copy(), program.streams.copy(), program.bounds.copy()
        features["column"], streams["column"] = self.features, self.streams
        bounds[k.B_SESSION_COLUMN] = self.session
        initial = np.array(self.initial, np.int64)
        return program._replace(features=features, streams=streams, bounds=bounds, column_initial=initial)

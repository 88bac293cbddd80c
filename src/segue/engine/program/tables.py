"""Lists of varying length in one array, and the cursors that pass a stream's entries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segue.engine.kernel import layout as k
from segue.engine.program.registry import ANY, FeatureKey, Registry, Stream
from segue.language.tree import Last, SinceEvent, ThisSession


class Cursors:
    """One cursor for each (stream, distance), with all that hangs on it."""

    def __init__(self, registry: Registry, session_gap: int) -> None:
        self.registry = registry
        self.session_gap = session_gap
        self.numbers: dict[tuple[int, int], int] = {}
        self.streams: dict[int, list[int]] = {}
        self.leaves: list[list[int]] = []
        self.recounts: list[list[int]] = []
        self.atoms: list[list[int]] = []

    def _number(self, stream: int, distance: int) -> int:
        if (stream, distance) not in self.numbers:
            self.streams.setdefault(stream, []).append(len(self.numbers))
            self.numbers[stream, distance] = len(self.numbers)
            for lists in (self.leaves, self.recounts, self.atoms):
                lists.append([])
        return self.numbers[stream, distance]

    def of_window(self, feature: int, key: FeatureKey) -> None:
        """The cursors that a feature's window needs."""
        window = key.window
        if isinstance(window, Last):
            assert isinstance(key.stream, Stream)
            self.leaves[self._number(self.registry.number(key.stream), window.ms)].append(feature)
        elif isinstance(window, ThisSession):
            session = self.registry.number(Stream(ANY))
            self.recounts[self._number(session, self.session_gap + 1)].append(feature)
        elif isinstance(window, SinceEvent) and isinstance(window.window, Last):
            anchor = self.registry.number(Stream(window.event))
            self.recounts[self._number(anchor, window.window.ms)].append(feature)

    def of_atom(self, stream: int, distance: int, atom: int) -> None:
        """The cursor at whose distance an ELAPSED atom may flip."""
        self.atoms[self._number(stream, distance)].append(atom)

    def of_stream(self, stream: int) -> list[int]:
        """The cursors of a stream."""
        return self.streams.get(stream, [])

    def table(self, pool: Pool) -> k.Records:
        """The kernel's records."""
        table = np.zeros(len(self.numbers), k.CURSOR)
        for (stream, distance), number in self.numbers.items():
            record = table[number]
            record["stream"], record["distance"] = stream, distance
            pool.lists(
                record, leave=self.leaves[number], atom=self.atoms[number], recompute=self.recounts[number]
            )
        return table


class Pool:
    """Lists of varying length, one after the other."""

    def __init__(self) -> None:
        self._values: list[int] = []

    def put(self, values: Sequence[int]) -> tuple[int, int]:
        """Where the values stand: (start, end)."""
        start = len(self._values)
        self._values += values
        return start, len(self._values)

    def lists(self, record: k.Records, **lists: Sequence[int]) -> None:
        """Put lists and note in a record where each stands."""
        for name, values in lists.items():
            record[f"{name}_at"], record[f"{name}_end"] = self.put(values)

    def pairs(self, record: k.Records, **lists: Sequence[tuple[int, int]]) -> None:
        """Put lists of pairs: all first halves, noted, then as many second ones."""
        for name, values in lists.items():
            self.lists(record, **{name: [first for first, _ in values]})
            self.put([second for _, second in values])

    def array(self) -> k.Ints:
        """All of it."""
        return np.array(self._values, np.int64)

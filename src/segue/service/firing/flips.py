"""What flipped while an entry was worked off, in one order, and what held at any place in it.

Due moments come before steps of the same time, steps by their position in the log:

    (at, 0, -1)   what fell due at a moment, with the events whose time came then
    (at, 1, seq)  an event or a record
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segue.domain.watch import is_watch
from segue.engine.engine import Engine, Made
from segue.engine.kernel import layout as k
from segue.log.changes import NO_EVENT

Key = tuple[int, int, int]
"""A place in the order."""
DUE, STEP = 0, 1
NO_STEP = -1
_Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Flip:
    """A name that began to hold for a row, or ended; ``made`` and ``place`` say where the engine noted it."""

    name: str
    row: int
    entered: bool
    at: int
    cause: int
    seq: int
    made: int
    place: int

    @property
    def key(self) -> Key:
        """Its place in the order."""
        by_time = self.cause == k.BY_TIME
        return self.at, DUE if by_time else STEP, NO_STEP if by_time else self.seq

    @property
    def event_seq(self) -> int:
        """The event that caused it, else NO_EVENT."""
        return self.seq if self.cause == k.BY_EVENT else NO_EVENT


class Asked:
    """Some of the names that an engine follows, as masks over the numbers of its program."""

    def __init__(self, names: Iterable[str]) -> None:
        self._wanted = frozenset(names)
        self._names: Sequence[str] = ()
        self._asked = self._segments = np.zeros(0, np.bool_)

    def of(self, made: Made) -> _Chosen:
        """Which records are of names that are asked for."""
        self._know(made.names)
        chosen: _Chosen = self._asked[made.records["segment"]]
        return chosen

    def changes(self, made: Made) -> _Chosen:
        """Which records are changes of a segment, and none of a watch."""
        self._know(made.names)
        chosen: _Chosen = self._segments[made.records["segment"]]
        return chosen

    def _know(self, names: Sequence[str]) -> None:
        if names is not self._names:
            self._names = names
            self._asked = np.array([name in self._wanted for name in names], np.bool_)
            self._segments = np.array([not is_watch(name) for name in names], np.bool_)


class Flips:
    """The flips of the names that are asked for, since a mark in what the engine made."""

    def __init__(self, engine: Engine, mark: int, asked: Asked, unsaved: Sequence[Made]) -> None:
        """``unsaved`` was made before, and taken from the engine, and is not stored yet."""
        self._engine = engine
        self._made = engine.made[:]
        self._asked = asked
        self._unsaved = unsaved
        self._before: dict[int, int] = {}
        self.all = [flip for number in range(mark, len(self._made)) for flip in self._in(number)]
        self._keys: dict[tuple[str, int], list[Key]] = {}
        for flip in self.all:
            self._keys.setdefault((flip.name, flip.row), []).append(flip.key)

    def _in(self, number: int) -> Iterable[Flip]:
        made = self._made[number]
        places = np.flatnonzero(self._asked.of(made))
        for place, record in zip(places.tolist(), made.records[places].tolist(), strict=True):
            at, seq, row, segment, entered, cause = record
            yield Flip(made.names[segment], row, bool(entered), at, cause, seq, number, place)

    def held(self, name: str, row: int, key: Key) -> bool:
        """Whether a name held for a row at a place in the order: as it does now, the later flips undone."""
        engine = self._engine
        number = engine.compiled.numbers[name]
        word = int(engine.machine.state.members[row, number >> 6]) if row < engine.machine.rows else 0
        later = sum(each > key for each in self._keys.get((name, row), ()))
        return bool(word >> (number & 63) & 1) is (later % 2 == 0)

    def change(self, flip: Flip) -> int:
        """How many changes of segments that are not stored come before this one."""
        if flip.made not in self._before:
            earlier = (*self._unsaved, *self._made[: flip.made])
            self._before[flip.made] = sum(int(self._asked.changes(each).sum()) for each in earlier)
        own = self._asked.changes(self._made[flip.made])
        return self._before[flip.made] + int(own[: flip.place].sum())

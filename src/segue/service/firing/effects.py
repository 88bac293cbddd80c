"""When the events of an entry took effect, and for whom: at their receipt, or at their time if later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segue.domain.event import TYPES, Event
from segue.language.interpret import pattern_predicate
from segue.language.interpret.person import Rules
from segue.language.tree import EventPattern
from segue.log.batch import EventBatch
from segue.log.columns import codes, ints, picked
from segue.service.firing.flips import DUE, NO_STEP, STEP, Key


@dataclass(frozen=True, slots=True)
class Held:
    """An event whose time is still to come, and the row that it was for when the entry began."""

    event: Event
    row: int


@dataclass(frozen=True, slots=True)
class Effect:
    """An event that took effect for the profile of a row; ``seen`` are places of the patterns it meets."""

    key: Key
    row: int
    seq: int
    seen: tuple[int, ...]


class Patterns:
    """What is waited for, asked of whole batches: names first, and the rest of those events alone."""

    def __init__(self, patterns: Sequence[EventPattern], rules: Rules) -> None:
        self._asked = [pattern_predicate(each, rules.zone) for each in patterns]
        self._named: dict[str, set[str | None]] = {}
        """By type, the names that are asked for; None among them is every name."""
        for each in patterns:
            for kind in TYPES if each.type == "any" else (each.type,):
                self._named.setdefault(kind, set()).add(each.name)
        self._words: Sequence[str | None] = ()
        self._known = 0
        self._codes: dict[str, int] = {}

    def of(self, event: Event) -> tuple[int, ...]:
        """Which patterns an event meets."""
        return tuple(place for place, meets in enumerate(self._asked) if meets(event))

    def possible(self, batch: EventBatch) -> npt.NDArray[np.bool_]:
        """Which events of a batch any pattern means by type and name."""
        kinds, names = codes(batch.types, TYPES, np.uint8), picked(batch.names)
        if names.words is not self._words or len(names.words) != self._known:
            self._words, self._known = names.words, len(names.words)
            self._codes = {word: code for code, word in enumerate(names.words) if word is not None}
        found = np.zeros(len(batch), np.bool_)
        for kind, wanted in self._named.items():
            hit = kinds == TYPES.index(kind)
            if None not in wanted:
                hit &= np.isin(names.codes, [self._codes[name] for name in wanted if name in self._codes])
            found |= hit
        return found


class Effects:
    """Follows the batches of one entry; :meth:`all` gives what took effect by its end."""

    def __init__(self, patterns: Patterns, before: int, held: Sequence[Held]) -> None:
        """``before`` is the engine's time when the entry began, ``held`` what waited for its time then."""
        self._patterns = patterns
        self._now = before
        self._held = [*held]
        self._merges: list[tuple[int, int, int]] = []
        self._found: list[Effect] = []

    def take(self, batch: EventBatch) -> None:
        """The events of the next batch."""
        if not len(batch):
            return
        received = np.maximum.accumulate(ints(batch.received, np.int64))
        now = np.maximum(received, self._now)
        self._now = int(now[-1])
        self._merges += [(int(now[place]), gone, row) for place, gone, row in batch.merges]
        for place in np.flatnonzero(self._patterns.possible(batch)).tolist():
            event = batch.event(place)
            if event.timestamp > now[place]:
                self._held.append(Held(event, event.row))
            else:
                self._note(event, event.row, (int(now[place]), STEP, event.seq))

    def all(self, until: int) -> list[Effect]:
        """Everything that took effect up to a moment, in no order."""
        for held in self._held:
            moment = held.event.timestamp
            if moment <= until:
                self._note(held.event, self._owner(held.row, moment), (moment, DUE, NO_STEP))
        return self._found

    def _note(self, event: Event, row: int, key: Key) -> None:
        seen = self._patterns.of(event)
        if seen and row >= 0:
            self._found.append(Effect(key, row, event.seq, seen))

    def _owner(self, row: int, moment: int) -> int:
        """Whose a row's events were at a moment that came before the step of the same time."""
        for now, gone, survivor in self._merges:
            if now < moment and gone == row:
                row = survivor
        return row

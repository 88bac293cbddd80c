"""Collects firings while the engine works entries off, until they are stored with what it made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from segue.domain.event import Json
from segue.engine.engine import Engine, Made
from segue.engine.kernel import layout as k
from segue.language.interpret import Rules
from segue.log.batch import Entry, EventBatch, Stretch
from segue.log.changes import NO_EVENT
from segue.log.firings import ACTIONS, FIRING, NO_CHANGE, Fired
from segue.log.sqlite import SqliteLog
from segue.segments.workspace import Workspace
from segue.service.firing.effects import Effects, Held, Patterns
from segue.service.firing.flips import Asked, Flips, Key
from segue.service.firing.thresholds import Thresholds
from segue.service.firing.wanted import NOTHING, Turning, Wanted, wanted_of

_SILENT = (k.BY_MERGE, k.BY_FORGET)
"""Whoever is merged or forgotten leaves everything, and nobody is to be told so."""
_CHANGED = ACTIONS.index("changed")
_SEEN = ACTIONS.index("seen")


@dataclass(frozen=True, slots=True, order=True)
class _Noted:
    """A firing before it is stored, in the order of firings. ``change`` counts changes not stored yet."""

    key: Key
    row: int
    place: int
    action: int
    cause: int
    event_seq: int
    change: int


class Collector:
    """One thread at a time: the one that evaluates."""

    def __init__(self, log: SqliteLog) -> None:
        self._log = log
        self._wanted: Wanted = NOTHING
        self._rules = Rules()
        self._patterns = Patterns((), Rules())
        self._asked = Asked(())
        self._thresholds = Thresholds()
        self._anew: frozenset[str] = frozenset()
        """What is followed for another condition than before, by the definitions that are being installed."""
        self.imports: set[int] = set()
        """Where batches begin that come from files and are not evaluated yet."""
        self._batches: list[tuple[Sequence[str], list[_Noted]]] = []
        self._started = False
        self.listeners: list[Callable[[], None]] = []
        """Told that firings were stored, by whichever thread evaluates; they must not wait or raise."""

    def start(self, workspace: Workspace | None, upto: int) -> None:
        """Collect from now on; what lies up to a position is stored."""
        self._started = True
        self._thresholds = Thresholds(self._log.going_back())
        self.imports |= self._log.imported(upto)
        if workspace is not None:
            self._want(workspace)

    def use(self, before: Workspace | None, workspace: Workspace) -> None:
        """Go on with other definitions; of a threshold that has changed nobody has come back."""
        if not self._started:
            return
        held, rules = self._wanted, self._rules
        self._want(workspace)
        same = before is not None and self._rules == rules
        kept = {
            each.name
            for each in self._wanted.turnings
            if same and before is not None and _trees(before, each) == _trees(workspace, each)
        }
        self._anew = frozenset(each.name for each in self._wanted.turnings if each.name not in kept)
        for each in held.turnings:
            if each.rests and each.name not in kept:
                self._thresholds.clear(held.names[each.place])

    def _want(self, workspace: Workspace) -> None:
        self._wanted = wanted_of(workspace)
        self._rules = Rules(workspace.settings.timezone, workspace.settings.session_gap_ms)
        self._patterns = Patterns([each.pattern for each in self._wanted.seen], self._rules)
        self._asked = Asked(self._wanted.followed())

    # ---- collecting --------------------------------------------------------------------------

    @contextmanager
    def showing(self, engine: Engine, unsaved: Sequence[Made], entry: Entry | None = None) -> Iterator[None]:
        """The engine works an entry off within; ``unsaved`` are changes made before and not stored."""
        historic = self._historic(entry)
        if self._wanted.idle or not self._started:
            yield
            return
        before, mark, feed = engine.now, len(engine.made), engine.feed
        held = [Held(event, feed.current(event.row)) for _, _, event in feed.waiting]
        yield
        if historic and not self._wanted.backfills and not self._thresholds_wanted:
            return
        flips = Flips(engine, mark, self._asked, unsaved)
        noted = [*self._turned(flips, historic)]
        self._anew = frozenset()
        noted += self._seen(engine, flips, Effects(self._patterns, before, held), entry, historic)
        if noted:
            self._batches.append((self._wanted.names, sorted(noted)))

    def _historic(self, entry: Entry | None) -> bool:
        if isinstance(entry, EventBatch) and entry.first_seq in self.imports:
            self.imports.remove(entry.first_seq)
            return True
        return isinstance(entry, Stretch)

    @property
    def _thresholds_wanted(self) -> bool:
        return any(each.rests for each in self._wanted.turnings)

    def _turned(self, flips: Flips, historic: bool) -> Iterator[_Noted]:
        names = self._wanted.names
        for flip in flips.all:
            silent = flip.cause in _SILENT
            old = historic or flip.cause == k.BY_DEFINITION
            for each in self._wanted.by_name.get(flip.name, ()):
                anew = flip.cause == k.BY_DEFINITION and each.name in self._anew
                action = self._thresholds.turned(names[each.place], each, flip, silent, anew)
                if action is None or silent or (old and not each.backfill):
                    continue
                change = flips.change(flip) if each.is_membership else NO_CHANGE
                yield _Noted(
                    flip.key, flip.row, each.place, ACTIONS.index(action), flip.cause, flip.event_seq, change
                )

    def _seen(
        self, engine: Engine, flips: Flips, effects: Effects, entry: Entry | None, historic: bool
    ) -> Iterator[_Noted]:
        wanted = self._wanted.seen
        if not wanted or (historic and not any(each.backfill for each in wanted)):
            return
        if isinstance(entry, EventBatch):
            effects.take(entry)
        elif isinstance(entry, Stretch):
            for batch in self._log.read_stretch(entry):
                effects.take(batch)
        for effect in effects.all(engine.now):
            if engine.feed.current(effect.row) < 0:
                continue
            for place in effect.seen:
                each = wanted[place]
                if historic and not each.backfill:
                    continue
                if each.holds is None or flips.held(each.holds, effect.row, effect.key):
                    yield _Noted(effect.key, effect.row, each.place, _SEEN, k.BY_EVENT, effect.seq, NO_CHANGE)

    # ---- storing -----------------------------------------------------------------------------

    def take(self, first_change: int) -> Fired | None:
        """What is to be stored with the changes from a number on; None for nothing."""
        between = self._thresholds.difference()
        if not self._batches and between is None:
            return None
        names = sorted({name for known, _ in self._batches for name in known})
        place_of = {name: place for place, name in enumerate(names)}
        records = np.zeros(sum(len(noted) for _, noted in self._batches), FIRING)
        at = 0
        for known, noted in self._batches:
            for each in noted:
                change = each.change if each.change == NO_CHANGE else first_change + each.change
                records[at] = (
                    place_of[known[each.place]], each.row, each.action, each.key[0], each.cause,
                    each.event_seq, change,
                )  # fmt: skip
                at += 1
        return Fired(names, records) if between is None else Fired(names, records, {}, between)

    def stored(self) -> None:
        """What was taken is stored."""
        told = bool(self._batches)
        self._batches.clear()
        self._thresholds.stored()
        if told:
            self.tell()

    def tell(self) -> None:
        """Tell the listeners that there are firings."""
        for listener in self.listeners:
            listener()

    def fire_changed(self, changes: Sequence[tuple[str, int, int, Json]]) -> None:
        """Store firings of item triggers, each (trigger, row, at, what changed); tell of them.

        Who calls sees to it that nothing is told twice.
        """
        names = sorted({name for name, _, _, _ in changes})
        records = np.zeros(len(changes), FIRING)
        for at, (name, row, moment, _) in enumerate(changes):
            records[at] = (names.index(name), row, _CHANGED, moment, k.BY_EVENT, NO_EVENT, NO_CHANGE)
        details = {at: detail for at, (_, _, _, detail) in enumerate(changes)}
        if changes:
            self._log.append_firings(Fired(names, records, details))
            self.tell()


def _trees(workspace: Workspace, turning: Turning) -> tuple[object, object]:
    rests = turning.rests
    return workspace.watches.get(turning.name), None if rests is None else workspace.watches.get(rests)

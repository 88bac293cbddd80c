"""One profile's state on its own, so that something can be tried on it: the machine it is of stays as it is.

What a profile's next moments hang on is its own row, its own entries and what was counted of its own values;
how long the log is makes no difference.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from segue.engine.kernel import layout as k
from segue.engine.kernel.table import FREE, free_pairs, free_singles, pairs_moved, singles_moved
from segue.engine.state.machine import Machine, fresh_state
from segue.engine.state.placement import Placement

ROW = 0
"""Of the profile in a machine of its own."""
_COUNTING = (k.DISTINCT, k.DAYS)
_DATED = (k.GIVEN, k.LATEST, k.EARLIEST)
_WORD = (1 << 64) - 1
_DAY_MS = 86_400_000
Met = tuple[int, int, int]
"""(stream, value, timestamp) of an event that may still reach a stream."""


def set_aside(machine: Machine, row: int | None, until: int, met: Iterable[Met]) -> Machine:
    """A machine with one profile alone, as it is in another one; without any for None.

    It is good for moments up to ``until`` (ms) and for events that bring no more than ``met``.
    """
    placement = _copied(machine.placement)
    if row is None:
        state = fresh_state(machine.compiled, rows=1, cells=len(placement.initial))
    else:
        state = _Copy(machine, row, until).state(met)
    return Machine(machine.compiled, _unheard, state, placement)


def _copied(held: Placement) -> Placement:
    """One that may give out cells of its own."""
    return Placement(
        list(held.features), list(held.streams), list(held.own), held.session, list(held.initial), held.used
    )


def _unheard(_changes: k.Records) -> None:
    """What is only tried is nobody's news."""


@dataclass
class _Copy:
    """What one row has of a machine's state."""

    machine: Machine
    row: int
    until: int
    dues: list[tuple[int, int, int, int]] = field(default_factory=list)

    @property
    def _now(self) -> int:
        return self.machine.now

    def state(self, met: Iterable[Met]) -> k.State:
        """A state of one row."""
        theirs = self.machine.state
        chains = self._chains()
        entries = [entry for chain in chains.values() for entry in chain]
        counted = self._counted(chains, met)
        state = fresh_state(
            self.machine.compiled, rows=1, entries=len(entries) + 1024, cells=theirs.columns.shape[1]
        )
        for name in ("columns", "members", "awake", "awake_sum", "flags"):
            getattr(state, name)[ROW] = getattr(theirs, name)[self.row]
        self._put_entries(state, chains, entries)
        state = self._with_counts(state, counted)
        state = self._with_overrides(state)
        self._put_since(state)
        self._await_dates(state)
        registers = state.registers
        registers[k.R_ROWS], registers[k.R_NOW] = 1, self._now
        return self._with_dues(state)

    # ---- entries -----------------------------------------------------------------------------

    def _chains(self) -> dict[int, list[int]]:
        """The entries of each stream, the newest first."""
        streams, theirs = self.machine.program.streams, self.machine.state
        own = np.flatnonzero((streams["kept"] != 0) & np.array(self.machine.placement.own, np.bool_))
        heads = theirs.columns[self.row, streams["column"][own]]
        earlier = theirs.entries["earlier"]
        found: dict[int, list[int]] = {}
        for stream, head in zip(own[heads >= 0].tolist(), heads[heads >= 0].tolist(), strict=True):
            chain, entry = [], head
            while entry >= 0:
                chain.append(entry)
                entry = int(earlier[entry])
            found[stream] = chain
        return found

    def _put_entries(self, state: k.State, chains: dict[int, list[int]], entries: list[int]) -> None:
        """All stand outside of the lists by time: what they wait for is in the heap."""
        program, count = self.machine.program, len(entries)
        state.entries[:count] = self.machine.state.entries[entries]
        part = state.entries[:count]
        part["row"], part["next"] = ROW, -1
        part["earlier"] = np.arange(1, count + 1)
        at = 0
        for stream, chain in chains.items():
            end = at + len(chain)
            state.columns[ROW, program.streams["column"][stream]] = at
            part["stream"][at:end] = -1 - stream
            part["earlier"][end - 1] = -1
            self._await_entries(stream, part["timestamp"][at:end], at)
            at = end
        state.registers[k.R_ENTRIES] = count

    def _await_entries(self, stream: int, timestamps: k.Ints, first: int) -> None:
        program = self.machine.program
        record = program.streams[stream]
        for cursor in program.pool[record["cursor_at"] : record["cursor_end"]].tolist():
            due = timestamps + program.cursors["distance"][cursor]
            for place in np.flatnonzero((due > self._now) & (due <= self.until)).tolist():
                self.dues.append((int(due[place]), k.DUE_LEAVE, cursor, first + place))

    # ---- what was counted --------------------------------------------------------------------

    def _counted(self, chains: dict[int, list[int]], met: Iterable[Met]) -> list[tuple[int, int, int]]:
        """(feature, value, how often) of the values that may matter."""
        features, entries = self.machine.program.features, self.machine.state.entries
        counting = np.flatnonzero(np.isin(features["kind"], _COUNTING)).tolist()
        by_stream: dict[int, list[tuple[int, int]]] = {}
        for stream, value, timestamp in met:
            by_stream.setdefault(stream, []).append((value, timestamp))
        found = []
        for feature in counting:
            stream = int(features["stream"][feature])
            chain = chains.get(stream, [])
            values, times = entries["value"][chain].tolist(), entries["timestamp"][chain].tolist()
            pairs = [*zip(values, times, strict=True), *by_stream.get(stream, [])]
            days = features["kind"][feature] == k.DAYS
            for value in {self._day(at) if days else value for value, at in pairs}:
                number = self._number_of((feature << 32) | self.row, value)
                if number:
                    found.append((feature, value, number))
        return found

    def _day(self, timestamp: int) -> int:
        zone = self.machine.program.zone
        at = max(0, int(np.searchsorted(zone["at"], timestamp, "right")) - 1)
        return int((timestamp + int(zone["offset"][at])) // _DAY_MS)

    def _number_of(self, home: int, value: int) -> int:
        table = self.machine.state.counts
        mask = len(table) - 1
        slot = mixed(home, value) & mask
        while (found := int(table["home"][slot])) != FREE:
            if found == home and int(table["value"][slot]) == value:
                return int(table["number"][slot])
            slot = (slot + 1) & mask
        return 0

    def _with_counts(self, state: k.State, counted: list[tuple[int, int, int]]) -> k.State:
        if not counted:
            return state
        records = [((feature << 32) | ROW, value, number) for feature, value, number in counted]
        held = np.array(records, k.COUNTED)
        size = len(state.counts)
        while size < 4 * len(held):
            size *= 2
        counts = free_pairs(size)
        pairs_moved(held, counts)
        state.registers[k.R_COUNTS] = len(held)
        return state._replace(counts=counts)

    # ---- what people said, and since when ----------------------------------------------------

    def _with_overrides(self, state: k.State) -> k.State:
        if not state.flags[ROW] & k.OVERRIDDEN:
            return state
        table = self.machine.state.overrides
        held = table[(table["key"] != FREE) & (table["key"] >> k.SEGMENT_BITS == self.row)].copy()
        held["key"] &= (1 << k.SEGMENT_BITS) - 1
        for key, value in held.tolist():
            due = value >> 2
            if self._now < due <= self.until:
                self.dues.append((due, k.DUE_OVERRIDE, ROW, key))
        size = len(state.overrides)
        while size < 4 * len(held):
            size *= 2
        overrides = free_singles(size)
        singles_moved(held, overrides)
        state.registers[k.R_OVERRIDES] = len(held)
        return state._replace(overrides=overrides)

    def _put_since(self, state: k.State) -> None:
        theirs = self.machine.state
        home, count = theirs.since_homes[self.row].tolist()
        if not count:
            return
        units = 1
        while k.SINCE_UNIT * units < count:
            units *= 2
        here = slice(k.SINCE_UNIT, k.SINCE_UNIT + count)
        there = slice(home * k.SINCE_UNIT, home * k.SINCE_UNIT + count)
        state.since_at[here], state.since_segment[here] = theirs.since_at[there], theirs.since_segment[there]
        state.since_homes[ROW] = (1, count)
        state.registers[k.R_SINCE] = 1 + units

    # ---- what falls due ----------------------------------------------------------------------

    def _await_dates(self, state: k.State) -> None:
        """Moments that hang on values which no cursor passes."""
        program = self.machine.program
        features = program.features
        dated = np.flatnonzero((features["due_at"] < features["due_end"]) & np.isin(features["kind"], _DATED))
        for feature in dated.tolist():
            record = features[feature]
            value = int(state.columns[ROW, record["column"]])
            if value == k.MISSING:
                continue
            first, end = int(record["due_at"]), int(record["due_end"])
            atoms = program.pool[end : 2 * end - first].tolist()
            for offset, atom in zip(program.pool[first:end].tolist(), atoms, strict=True):
                if self._now < value + offset <= self.until:
                    self.dues.append((value + offset, k.DUE_ATOM, ROW, atom))

    def _with_dues(self, state: k.State) -> k.State:
        """In the order of a heap."""
        everyone = self.machine.compiled.everyone_due
        concerned = [(due, atom) for due, atom in everyone if self._now < due <= self.until]
        self.dues += [(due, k.DUE_EVERYONE, atom, 0) for due, atom in concerned]
        heapq.heapify(self.dues)
        room = len(state.heap) + len(self.dues)
        heap = np.zeros(room, k.DUE)
        heap[: len(self.dues)] = self.dues
        state.registers[k.R_HEAP] = len(self.dues)
        return state._replace(heap=heap)


def mixed(a: int, b: int) -> int:
    """The twin of the kernel's hash, which only compiled code can call."""
    x = (a * 0x9E3779B97F4A7C15) & _WORD
    x ^= ((b & _WORD) + 0x7F4A7C159E3779B9 + ((x << 6) & _WORD) + (x >> 2)) & _WORD
    x ^= x >> 32
    x = (x * 0xD6E8FEB86659FD93) & _WORD
    x ^= x >> 29
    return x & 0x7FFFFFFFFFFFFFFF

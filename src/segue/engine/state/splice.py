"""Two states laid together: what was shown the past goes on with what the program before knew.

Both stand at the same log position and moment. Columns, entries, counted values, memberships and
moments of entry are taken over by what they mean, never by number: numbers are another program's.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from segue.engine.kernel import layout as k
from segue.engine.kernel.splice import (
    bits_spliced,
    counts_spliced,
    counts_taken,
    entries_numbered,
    entries_spliced,
    since_spliced,
    since_units,
    woken,
)
from segue.engine.kernel.table import free_pairs, free_singles, pairs_moved, singles_moved
from segue.engine.kernel.world import world_of
from segue.engine.program.compile import Compiled
from segue.engine.program.guards import summed
from segue.engine.state.machine import NOTHING, Machine
from segue.engine.state.selection import Selection, spelled_atom

LOAD = 0.7
"""How full a table of counted values may be."""


def spliced(old: Machine, shown: Machine, whole: Compiled, selection: Selection) -> Machine:
    """A machine for ``whole``: what is selected from ``shown``, the rest from ``old``.

    ``shown`` ran the selected part of ``whole`` and is given up: its arrays become the new ones.
    """
    return _Splice(old, shown, whole, selection).machine()


class _Splice:
    """One splice; each method makes some of the arrays of the state."""

    def __init__(self, old: Machine, shown: Machine, whole: Compiled, selection: Selection) -> None:
        self.old = old
        self.theirs = old.state
        self.shown = shown
        self.whole = whole
        self.selection = selection
        self.rows = max(old.rows, shown.rows)
        shown.reserve_rows(self.rows)
        self.ours = shown.state
        before, after = old.compiled.numbers, whole.numbers
        self.features = _places(len(old.compiled.program.features), selection.kept)
        self.streams = _places(len(old.compiled.program.streams), selection.streams_kept)
        self.segments = _places(
            len(before),
            {
                number: before[name]
                for name, number in after.items()
                if name in before and number not in selection.segments
            },
        )
        self.cursors = _places(
            len(old.compiled.program.cursors),
            {
                number: old.compiled.cursors[selection.streams_kept[stream], distance]
                for (stream, distance), number in whole.cursors.items()
                if stream in selection.streams_kept
            },
        )

    def machine(self) -> Machine:
        """All of it together."""
        registers = self.ours.registers.copy()
        registers[k.R_ROWS] = self.rows
        registers[k.R_NOW] = max(self.old.now, int(registers[k.R_NOW]))
        numbers = self._entries()
        self._columns(numbers)
        state = self.ours._replace(registers=registers)
        entries = state.entries
        registers[k.R_ENTRIES] += int(np.count_nonzero(numbers >= 0))
        state = state._replace(
            counts=self._counts(registers),
            overrides=self._overrides(registers),
            flags=self._flags(),
            **self._cursors(numbers, entries, registers),
            heap=self._heap(numbers, registers),
        )
        self.ours = self._memberships(state)
        return Machine(self.whole, self.old.sink, self._since(self.ours), self.shown.placement)

    def _program(self) -> k.Program:
        return self.shown.placement.applied(self.whole.program)

    # ---- entries and columns -----------------------------------------------------------------

    def _entries(self) -> k.Ints32:
        """Add the entries taken over behind ours; their numbers."""
        count, first = int(self.theirs.registers[k.R_ENTRIES]), int(self.ours.registers[k.R_ENTRIES])
        numbers = entries_numbered(self.theirs.entries, count, self.streams, first)
        taken = int(np.count_nonzero(numbers >= 0))
        room = first + taken + 2 * int(self.whole.program.bounds[k.B_ENTRIES_MAX]) + 1024
        entries = self.ours.entries
        if len(entries) < room:
            entries = np.zeros(room, k.ENTRY)
            entries[:first] = self.ours.entries[:first]
        entries_spliced(self.theirs.entries, numbers, self.streams, entries)
        self.ours = self.ours._replace(entries=entries)
        return numbers

    def _columns(self, numbers: k.Ints32) -> None:
        """Copy the cells of features taken over, and the heads of chains taken over with new numbers."""
        rows, kept, streams_kept = self.old.rows, self.selection.kept, self.selection.streams_kept
        before, after = self.old.placement, self.shown.placement
        origins = {
            number: int(self.old.compiled.program.features[at]["stream"]) for number, at in kept.items()
        }
        reached = {number for number, origin in origins.items() if origin >= 0 and before.own[origin]}
        self.shown.separate(
            {int(self.whole.program.features[number]["stream"]) for number in reached}
            | {number for number, at in streams_kept.items() if before.own[at]}
        )
        self.ours = self.ours._replace(columns=self.shown.state.columns)
        self.ours.columns[self.shown.rows : self.rows] = after.initial
        ours, theirs = self.ours.columns[:rows], self.theirs.columns[:rows]
        for number, at in kept.items():
            if number in reached or origins[number] < 0:
                to, start, width = (
                    after.features[number],
                    before.features[at],
                    len(self.whole.initials[number]),
                )
                ours[:, to : to + width] = theirs[:, start : start + width]
        for number, at in streams_kept.items():
            if before.own[at] and self.whole.program.streams[number]["kept"]:
                heads = theirs[:, before.streams[at]]
                found = np.full(rows, -1, np.int64)
                held = heads >= 0
                found[held] = numbers[heads[held]]
                ours[:, after.streams[number]] = found
        if int(self.whole.program.bounds[k.B_SESSION_STREAM]) in streams_kept:
            start, to = before.session, after.session
            ours[:, to : to + 2] = theirs[:, start : start + 2]

    def _counts(self, registers: k.Ints) -> k.Records:
        total = int(registers[k.R_COUNTS]) + counts_taken(self.theirs.counts, self.features)
        registers[k.R_COUNTS] = total
        counts = self.ours.counts
        wanted = total + int(self.whole.program.bounds[k.B_COUNTS_MAX]) + 1024
        if len(counts) * LOAD < wanted:
            counts = free_pairs(1 << int(wanted / LOAD).bit_length())
            pairs_moved(self.ours.counts, counts)
        counts_spliced(self.theirs.counts, self.features, counts)
        return counts

    # ---- what is due -------------------------------------------------------------------------

    def _cursors(self, numbers: k.Ints32, entries: k.Records, registers: k.Ints) -> dict[str, k.AnyArray]:
        """Where cursors stand and when they go on; where streams end."""
        before, after = self.old.compiled, self.whole
        states, places = self.ours.stream_states.copy(), self.ours.cursor_next.copy()
        for number, at in self.selection.streams_kept.items():
            end = int(self.theirs.stream_states[at]["end"])
            states[number] = self.theirs.stream_states[at]
            states[number]["end"] = numbers[end] if end >= 0 else -1
        for (stream, distance), number in after.cursors.items():
            if stream in self.selection.streams_kept:
                kept = before.cursors[self.selection.streams_kept[stream], distance]
                entry = int(self.theirs.cursor_next[kept])
                places[number] = numbers[entry] if entry >= 0 else -1
        waiting = np.flatnonzero(places >= 0)
        dues = entries["timestamp"][places[waiting]] + after.program.cursors["distance"][waiting]
        order = np.argsort(dues)
        heap = np.zeros(len(places), k.CURSOR_DUE)
        heap["due"][: len(waiting)], heap["cursor"][: len(waiting)] = dues[order], waiting[order]
        registers[k.R_CURSORS] = len(waiting)
        return {"stream_states": states, "cursor_next": places, "cursor_heap": heap}

    def _heap(self, numbers: k.Ints32, registers: k.Ints) -> k.Records:
        """Everything due that no cursor passes; a sorted array is a heap."""
        theirs = self.theirs.heap[: int(self.theirs.registers[k.R_HEAP])]
        ours = self.ours.heap[: int(registers[k.R_HEAP])]
        chosen = np.array(sorted(self.selection.segments), np.int32)
        settled = (ours["kind"] != k.DUE_EVERYONE) & (
            (ours["kind"] != k.DUE_OVERRIDE) | np.isin(ours["b"], chosen)
        )
        everyone = [
            (due, k.DUE_EVERYONE, atom, 0)
            for due, atom in self.whole.everyone_due
            if due > registers[k.R_NOW]
        ]
        parts = (
            ours[settled],
            _moved(theirs, k.DUE_LEAVE, a=self.cursors, b=numbers),
            _moved(theirs, k.DUE_ATOM, b=self._atoms()),
            _moved(theirs, k.DUE_OVERRIDE, b=self.segments),
            np.array(everyone, k.DUE),
        )
        total = sum(map(len, parts))
        heap = np.zeros(total + 2 * int(self.whole.program.bounds[k.B_PUSHES_MAX]) + 1024, k.DUE)
        joined = np.concatenate(parts)
        heap[:total] = joined[np.argsort(joined["due"], kind="stable")]
        registers[k.R_HEAP] = total
        return heap

    def _atoms(self) -> k.Ints32:
        """For each atom of the program before that waits for a value's moment: its number in the new one."""
        before, after = self.old.compiled, self.whole
        numbers = {
            spelled_atom(after, number): number
            for number, key in enumerate(after.atoms)
            if key.kind == k.ELAPSED and key.feature not in self.selection.features
        }
        found = np.full(len(before.atoms) + 1, -1, np.int32)
        for number, key in enumerate(before.atoms):
            if key.kind == k.ELAPSED:
                found[number] = numbers.get(spelled_atom(before, number), -1)
        return found

    # ---- memberships -------------------------------------------------------------------------

    def _flags(self) -> k.Bytes:
        flags = self.ours.flags
        flags[: self.old.rows] |= self.theirs.flags[: self.old.rows]
        return flags

    def _overrides(self, registers: k.Ints) -> k.Records:
        """Overrides of the selected segments from ours, of the others from theirs."""
        mine, kept = self.ours.overrides, self.theirs.overrides
        mine = mine[(mine["key"] >= 0) & np.isin(mine["key"] & _SEGMENT, sorted(self.selection.segments))]
        kept = kept[kept["key"] >= 0]
        to = self.segments[kept["key"] & _SEGMENT]
        kept, to = kept[to >= 0], to[to >= 0]
        moved = np.zeros(len(kept), k.KEYED)
        moved["key"], moved["value"] = (kept["key"] & ~_SEGMENT) | to, kept["value"]
        every = np.concatenate((mine, moved))
        table = free_singles(1 << max(10, (4 * len(every)).bit_length()))
        singles_moved(every, table)
        registers[k.R_OVERRIDES] = len(every)
        return table

    def _memberships(self, state: k.State) -> k.State:
        """Members, and who is awake: noted anew where the guard is another."""
        rows, words = self.old.rows, state.members.shape[1]
        mask = np.zeros(words, np.uint64)
        for number in self.selection.segments:
            mask[number >> 6] |= np.uint64(1 << (number & 63))
        bits_spliced(self.theirs.members[:rows], self.segments, mask, state.members)
        bits_spliced(self.theirs.awake[:rows], self.segments, mask, state.awake)
        woken(world_of(self._program(), state, NOTHING), self._guarded_otherwise())
        state.awake_sum[:] = summed(state.awake, state.awake_sum.shape[1])
        return state

    def _guarded_otherwise(self) -> k.Ints32:
        """Segments taken over that sleep under another guard than before."""
        before, after = self.old.compiled, self.whole
        return np.array(
            [
                number
                for at, number in enumerate(self.segments.tolist())
                if number >= 0
                and (
                    after.program.segments[number]["sleeps"] != before.program.segments[at]["sleeps"]
                    or _guard(after, number) != _guard(before, at)
                )
            ],
            np.int32,
        )

    def _since(self, state: k.State) -> k.State:
        """The moments of entry of both."""
        theirs, segments = self.theirs, len(self.whole.names)
        own = _places(segments, {number: number for number in self.selection.segments})
        ours = (state.since_homes, state.since_at, state.since_segment)
        units = since_units(
            self.rows, theirs.since_homes, theirs.since_segment, self.segments, ours[0], ours[2], own
        )
        room = k.SINCE_UNIT * (units + 4 * segments + 1024)
        registers = state.registers
        registers[k.R_SINCE] = 1
        fresh = state._replace(
            since_at=np.zeros(room, np.int64),
            since_segment=np.zeros(room, np.int32),
            since_homes=np.zeros(len(ours[0]), k.HOME),
            since_free=np.zeros_like(state.since_free),
        )
        since_spliced(
            world_of(self._program(), fresh, NOTHING),
            theirs.since_homes, theirs.since_at, theirs.since_segment, self.segments,
            *ours, own,
        )  # fmt: skip
        return fresh


_SEGMENT = np.int64((1 << k.SEGMENT_BITS) - 1)


def _places(size: int, kept: Mapping[int, int]) -> k.Ints32:
    """For each old number the new one, -1 for what is not taken over; ``kept`` is the way back."""
    found = np.full(size + 1, -1, np.int32)
    for number, at in kept.items():
        found[at] = number
    return found


def _moved(dues: k.Records, kind: int, **places: k.Ints32) -> k.Records:
    """Dues of one kind with new numbers, without those that are not taken over."""
    moved = dues[dues["kind"] == kind].copy()
    for name, found in places.items():
        moved[name] = found[moved[name]]
        moved = moved[moved[name] >= 0]
    return moved


def _guard(compiled: Compiled, segment: int) -> set[tuple[object, ...]]:
    record = compiled.program.segments[segment]
    atoms = compiled.program.pool[record["guard_at"] : record["guard_end"]].tolist()
    return {spelled_atom(compiled, atom) for atom in atoms}

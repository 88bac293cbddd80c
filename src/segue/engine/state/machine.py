"""A program with its state: gives the kernel batches and room, and takes the changes away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from segue.engine.kernel import layout as k
from segue.engine.kernel.compact import compact
from segue.engine.kernel.run import run
from segue.engine.kernel.since import since_found
from segue.engine.kernel.table import (
    free_pairs,
    free_singles,
    pairs_moved,
    singles_moved,
)
from segue.engine.kernel.world import place_batch, world_of
from segue.engine.program.compile import Compiled
from segue.engine.program.guards import word_counts
from segue.engine.state.placement import Placement

MOVED_AT_ONCE = 1 << 20
"""Entries copied before the memory they stood in is given back."""

CHANGES_HELD = 1 << 16
"""Changes the kernel writes before they are taken away; a profile's own always fit."""

Sink = Callable[[k.Records], None]
"""Takes changes in order, as an array of CHANGE records; ``segment`` is its number in the program."""


def fresh_state(compiled: Compiled, rows: int = 1024, entries: int = 1024, cells: int = 0) -> k.State:
    """A state without profiles, with room for so many rows and entries.

    ``cells`` is the width of a row, where it is not that of a program which no event has reached.
    """
    p = compiled.program
    segments = len(compiled.names)
    words, sums = word_counts(segments)
    registers = np.zeros(k.R_SIZE, np.int64)
    registers[k.R_SINCE] = 1
    room = k.SINCE_UNIT * (4 * segments + 1024)
    registers[k.R_NOW] = k.MISSING // 2
    everyone = compiled.everyone_due
    registers[k.R_HEAP] = len(everyone)
    heap = np.zeros(2 * int(p.bounds[k.B_PUSHES_MAX]) + len(everyone) + 1024, k.DUE)
    heap[: len(everyone)] = [(due, k.DUE_EVERYONE, atom, 0) for due, atom in everyone]
    streams = np.zeros(len(p.streams), k.STREAM_STATE)
    streams["newest"], streams["end"] = k.MISSING, -1
    return k.State(
        registers=registers,
        columns=np.zeros((rows, cells or len(Placement.of(compiled).initial)), np.int64),
        members=np.zeros((rows, words), np.uint64),
        awake=np.zeros((rows, words), np.uint64),
        awake_sum=np.zeros((rows, sums), np.uint64),
        flags=np.zeros(rows, np.uint8),
        touched=np.full(rows, -1, np.int32),
        dirty=np.zeros(rows, np.int32),
        touches=np.zeros(2 * int(p.bounds[k.B_TOUCHES_MAX]) + 1024, k.TOUCH),
        entries=np.zeros(2 * int(p.bounds[k.B_ENTRIES_MAX]) + entries, k.ENTRY),
        stream_states=streams,
        cursor_next=np.full(len(p.cursors), -1, np.int32),
        cursor_heap=np.zeros(len(p.cursors), k.CURSOR_DUE),
        heap=heap,
        counts=free_pairs(_power(4 * int(p.bounds[k.B_COUNTS_MAX]) + 1024)),
        since_at=np.zeros(room, np.int64),
        since_segment=np.zeros(room, np.int32),
        since_homes=np.zeros(rows, k.HOME),
        since_free=np.zeros(40, np.int64),
        overrides=free_singles(1024),
        dirty_segments=np.zeros(words, np.uint64),
        dirty_sum=np.zeros(sums, np.uint64),
        flips=np.zeros(segments + 1, np.int32),
        out=np.zeros(max(CHANGES_HELD, 2 * segments + 2), k.CHANGE),
    )


def _power(size: int) -> int:
    return 1 << (size - 1).bit_length()


class Machine:
    """Runs one program. Not thread-safe; the kernel itself releases the interpreter lock."""

    def __init__(
        self,
        compiled: Compiled,
        sink: Sink,
        state: k.State | None = None,
        placement: Placement | None = None,
    ) -> None:
        """``placement`` says where the cells of ``state`` stand if any event has reached it."""
        self.compiled = compiled
        self.sink = sink
        self.placement = Placement.of(compiled) if placement is None else placement
        self.state = fresh_state(compiled) if state is None else state
        self._placed: k.State | None = None
        self._places = np.zeros(0, np.int64)
        self._place()

    @property
    def now(self) -> int:
        """Engine time, in ms."""
        return int(self.state.registers[k.R_NOW])

    @property
    def rows(self) -> int:
        """How many rows there are, absorbed and forgotten ones included."""
        return int(self.state.registers[k.R_ROWS])

    def _place(self) -> None:
        """Note the program with its cells, and which codes lead to streams that share theirs."""
        self.program = self.placement.applied(self.compiled.program)
        own = self.placement.own
        sharing = [not all(own[stream] for stream, *_ in code.links) for code in self.compiled.codes.all]
        self._sharing = np.array(sharing, np.bool_)
        self._placed = None

    def separate(self, streams: Iterable[int]) -> None:
        """Give streams, before the first of their events, cells of their own."""
        cells = self.placement.separate(self.compiled, streams)
        columns, width = self.state.columns, len(self.placement.initial)
        if columns.shape[1] < width:
            columns = np.zeros((len(columns), width), np.int64)
            columns[: self.rows, : cells.start] = self.state.columns[: self.rows, : cells.start]
            self.state = self.state._replace(columns=columns)
        columns[: self.rows, cells.start : cells.stop] = self.placement.initial[cells.start : cells.stop]
        self._place()

    def _make_own(self, batch: k.Batch) -> None:
        """Have cells for whatever the batch may write."""
        codes = batch.ops["a"][batch.ops["op"] == k.OP_EVENT]
        if self._sharing[codes].any():
            found = [self.compiled.codes.all[code] for code in np.unique(codes).tolist()]
            self.separate([stream for code in found for stream, *_ in code.links])

    def run(self, batch: k.Batch, until: int = k.MISSING) -> None:
        """Work off a batch, then everything due up to ``until``; changes go to the sink in order."""
        self._make_own(batch)
        created = batch.ops["row"][batch.ops["op"] == k.OP_CREATE]
        if len(created):
            self.reserve_rows(int(created.max()) + 1)
        self.reserve_overrides(int(np.count_nonzero(batch.ops["op"] == k.OP_OVERRIDE)))
        self.state.registers[k.R_STEP] = 0
        self.state.registers[k.R_OPERATION] = 0
        while (need := run(self._world(batch), until)) != k.DONE:
            self._make_room(need)
        self._flush()

    def _world(self, batch: k.Batch) -> k.Ints:
        """Where everything is; found anew only when an array was replaced."""
        if self._placed is not self.state:
            self._places = world_of(self.program, self.state, batch)
            self._placed = self.state
        place_batch(self._places, batch)
        return self._places

    def advance(self, until: int) -> None:
        """Work off everything due up to and at ``until``."""
        self.run(NOTHING, until)

    def next_due(self) -> int | None:
        """The earliest due moment, None when there is none."""
        s = self.state
        dues = []
        if s.registers[k.R_CURSORS]:
            dues.append(int(s.cursor_heap["due"][0]))
        if s.registers[k.R_HEAP]:
            dues.append(int(s.heap["due"][0]))
        return min(dues, default=None)

    def _flush(self) -> None:
        s = self.state
        count = int(s.registers[k.R_OUT])
        if count:
            s.registers[k.R_OUT] = 0
            self.sink(s.out[:count].copy())

    # ---- room --------------------------------------------------------------------------------

    def _make_room(self, need: int) -> None:
        s = self.state
        if need == k.FLUSH_CHANGES:
            self._flush()
        elif need == k.GROW_ENTRIES:
            self.make_entry_room()
        elif need == k.GROW_HEAP:
            self._grow(["heap"], 2 * len(s.heap))
        elif need == k.GROW_TOUCHES:
            self._grow(["touches"], 2 * len(s.touches))
        elif need == k.GROW_COUNTS:
            counts = free_pairs(2 * len(s.counts))
            pairs_moved(s.counts, counts)
            self.state = s._replace(counts=counts)
        else:
            self._grow(["since_at", "since_segment"], len(s.since_at) * 3 // 2)

    def make_entry_room(self) -> None:
        """Let go of entries too old to matter; grow the pool by half if that does not free a quarter."""
        self.compact()
        size = len(self.state.entries)
        needed = max(int(self.compiled.program.bounds[k.B_ENTRIES_MAX]), size // 4)
        if size - int(self.state.registers[k.R_ENTRIES]) < needed:
            self.state = self.state._replace(entries=_moved(self.state.entries, size * 3 // 2 + needed))

    def compact(self) -> None:
        """Let go of entries too old to matter."""
        compact(world_of(self.program, self.state, NOTHING))

    def reserve_rows(self, rows: int) -> None:
        """Have room for profiles up to row ``rows - 1``."""
        if rows > len(self.state.flags):
            names = ["columns", "members", "awake", "awake_sum", "flags", "touched", "dirty", "since_homes"]
            self._grow(names, max(rows, len(self.state.flags) * 3 // 2))

    def reserve_overrides(self, more: int) -> None:
        """Have room for more overrides."""
        s = self.state
        wanted = int(s.registers[k.R_OVERRIDES]) + more
        if wanted > len(s.overrides) // 2:
            overrides = free_singles(_power(4 * wanted))
            singles_moved(s.overrides, overrides)
            self.state = s._replace(overrides=overrides)

    def _grow(self, names: list[str], size: int) -> None:
        grown = {name: _larger(getattr(self.state, name), size) for name in names}
        if "touched" in grown:
            grown["touched"][len(self.state.touched) :] = -1
        self.state = self.state._replace(**grown)

    # ---- reading -----------------------------------------------------------------------------

    def member_rows(self, segment: int) -> k.Ints32:
        """Rows of a segment's members, rising."""
        word, bit = segment >> 6, np.uint64(segment & 63)
        return np.flatnonzero((self.state.members[: self.rows, word] >> bit) & np.uint64(1)).astype(np.int32)

    def segments_of(self, row: int) -> list[int]:
        """Numbers of the segments a profile is in."""
        if row >= self.rows:
            return []
        return list(_bits(self.state.members[row]))

    def since(self, rows: k.Ints32, segment: int) -> k.Ints:
        """When the members entered, in ms."""
        return self._since(rows, np.full(len(rows), segment, np.int32))

    def since_of(self, row: int, segments: list[int]) -> k.Ints:
        """When one profile entered some segments, in ms."""
        return self._since(np.full(len(segments), row, np.int32), np.array(segments, np.int32))

    def _since(self, rows: k.Ints32, segments: k.Ints32) -> k.Ints:
        s = self.state
        return since_found(s.since_homes, s.since_at, s.since_segment, rows, segments)


def _bits(words: k.Words) -> Iterator[int]:
    for place, word in enumerate(words.tolist()):
        left = word
        while left:
            low = left & -left
            yield (place << 6) + low.bit_length() - 1
            left ^= low


def _larger(array: k.AnyArray, size: int) -> k.AnyArray:
    grown = np.zeros((size, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown


def _moved(array: k.AnyArray, size: int) -> k.AnyArray:
    """The same, of a large array that is given up: its memory is given back on the way."""
    if not array.flags.owndata:
        return _larger(array, size)
    grown = np.zeros((size, *array.shape[1:]), array.dtype)
    end = len(array)
    while end > 0:
        start = max(0, end - MOVED_AT_ONCE)
        grown[start:end] = array[start:end]
        array.resize((start, *array.shape[1:]), refcheck=False)
        end = start
    return grown


NOTHING = k.Batch(np.zeros(0, k.STEP), np.zeros(0, k.OPERATION), np.zeros(0, np.int64))
"""A batch without steps."""

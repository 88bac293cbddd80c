"""Letting go of entries that nothing asks for any more.

An entry matters for its stream's horizon: until the longest distance at which a cursor passes it,
or a window or a sequence may look back to it. What is older is taken out and the others move up,
in place and in order, so every chain and list that names an entry is told its new number. Chains
and lists run in time order, so what is let go is always their oldest end.
"""

from __future__ import annotations

import numpy as np

from segue.engine.kernel.compiled import compiled, inlined
from segue.engine.kernel.layout import (
    DUE_LEAVE,
    FAR,
    R_ENTRIES,
    R_HEAP,
    R_MOMENT,
    R_NOW,
    R_ROWS,
    Ints,
    Ints32,
)
from segue.engine.kernel.world import (
    World,
    columns_of,
    cursor_next_of,
    entries_of,
    heap_of,
    inside,
    registers_of,
    stream_states_of,
    streams_of,
)


@inlined
def moved_up(w: World, numbers: Ints32) -> int:
    """Move the entries that still matter together, and note their new numbers; how many there are."""
    limit = min(registers_of(w)[R_NOW], registers_of(w)[R_MOMENT])
    kept = 0
    for entry in range(registers_of(w)[R_ENTRIES]):
        stream = entries_of(w)[entry].stream
        horizon = streams_of(w)[stream if stream >= 0 else -1 - stream].horizon
        if horizon < FAR and entries_of(w)[entry].timestamp + horizon < limit:
            numbers[entry] = -1
        else:
            numbers[entry] = kept
            entries_of(w)[kept] = entries_of(w)[entry]
            kept += 1
    return kept


@inlined
def renumbered(numbers: Ints32, entry: int) -> int:
    """The new number of an entry, -1 for none."""
    return numbers[entry] if entry >= 0 else entry


@compiled
def compact(world: Ints) -> int:
    """Let go of what is too old to matter; how many entries are left. Between operations only."""
    w = inside(world)
    numbers = np.empty(registers_of(w)[R_ENTRIES], np.int32)
    kept = moved_up(w, numbers)
    registers_of(w)[R_ENTRIES] = kept
    for entry in range(kept):
        entries_of(w)[entry].earlier = renumbered(numbers, entries_of(w)[entry].earlier)
        entries_of(w)[entry].next = renumbered(numbers, entries_of(w)[entry].next)
    for stream in range(streams_of(w).shape[0]):
        stream_states_of(w)[stream].end = renumbered(numbers, stream_states_of(w)[stream].end)
    for cursor in range(cursor_next_of(w).shape[0]):
        cursor_next_of(w)[cursor] = renumbered(numbers, cursor_next_of(w)[cursor])
    for place in range(registers_of(w)[R_HEAP]):
        if heap_of(w)[place].kind == DUE_LEAVE:
            heap_of(w)[place].b = renumbered(numbers, heap_of(w)[place].b)
    for row in range(registers_of(w)[R_ROWS]):
        for stream in range(streams_of(w).shape[0]):
            if streams_of(w)[stream].kept:
                column = streams_of(w)[stream].column
                columns_of(w)[row, column] = renumbered(numbers, columns_of(w)[row, column])
    return kept

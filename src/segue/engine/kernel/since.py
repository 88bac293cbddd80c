"""Since when: for each profile a short list of (segment, moment of entry), in no order.

The lists lie in blocks of 4, 8, 16 … places in two pools side by side. A profile's changes of one
moment all fall into its own block, where a table of all memberships would be a cache miss for each.
A freed block holds in its first place the next free one of its size; home 0 is no block.
"""

from __future__ import annotations

import numpy as np

from segue.engine.kernel.compiled import compiled, inlined
from segue.engine.kernel.layout import MISSING, R_SINCE, SINCE_UNIT, Ints, Ints32, Records
from segue.engine.kernel.world import (
    World,
    registers_of,
    since_at_of,
    since_free_of,
    since_homes_of,
    since_segment_of,
)


@inlined
def size_class(count: int) -> int:
    """The size of block that holds so many: ``SINCE_UNIT << class`` places."""
    found = 0
    while SINCE_UNIT << found < count:
        found += 1
    return found


@inlined
def block_taken(w: World, size: int) -> int:
    """A block of a size, in units; room was made before."""
    home = since_free_of(w)[size]
    if home > 0:
        since_free_of(w)[size] = since_at_of(w)[home * SINCE_UNIT]
        return home
    home = registers_of(w)[R_SINCE]
    registers_of(w)[R_SINCE] = home + (1 << size)
    return home


@inlined
def block_freed(w: World, home: int, size: int) -> None:
    """Give a block back."""
    since_at_of(w)[home * SINCE_UNIT] = since_free_of(w)[size]
    since_free_of(w)[size] = home


@inlined
def block_changed(w: World, row: int, size: int, kept: int) -> None:
    """Move a profile's list of ``kept`` to a block of another size."""
    home = since_homes_of(w)[row].home
    other = block_taken(w, size)
    for k in range(kept):
        since_at_of(w)[other * SINCE_UNIT + k] = since_at_of(w)[home * SINCE_UNIT + k]
        since_segment_of(w)[other * SINCE_UNIT + k] = since_segment_of(w)[home * SINCE_UNIT + k]
    since_homes_of(w)[row].home = other


@inlined
def since_noted(w: World, row: int, segment: int, at: int) -> None:
    """The profile entered a segment it was not in."""
    count = since_homes_of(w)[row].count
    home = since_homes_of(w)[row].home
    if count == 0:
        home = block_taken(w, 0)
        since_homes_of(w)[row].home = home
    else:
        size = size_class(count)
        if count == SINCE_UNIT << size:
            block_changed(w, row, size + 1, count)
            block_freed(w, home, size)
            home = since_homes_of(w)[row].home
    since_at_of(w)[home * SINCE_UNIT + count] = at
    since_segment_of(w)[home * SINCE_UNIT + count] = segment
    since_homes_of(w)[row].count = count + 1


@inlined
def since_dropped(w: World, row: int, segment: int) -> None:
    """The profile left a segment it was in."""
    count = since_homes_of(w)[row].count - 1
    home = since_homes_of(w)[row].home
    base = home * SINCE_UNIT
    place = base
    while since_segment_of(w)[place] != segment:
        place += 1
    since_at_of(w)[place] = since_at_of(w)[base + count]
    since_segment_of(w)[place] = since_segment_of(w)[base + count]
    since_homes_of(w)[row].count = count
    size = size_class(count + 1)
    if count == 0:
        since_homes_of(w)[row].home = 0
        block_freed(w, home, 0)
    elif size_class(count) < size:
        block_changed(w, row, size - 1, count)
        block_freed(w, home, size)


@compiled
def since_found(homes: Records, at: Ints, segment: Ints32, rows: Ints32, wanted: Ints32) -> Ints:
    """Since when row ``rows[i]`` is in segment ``wanted[i]``, MISSING where it is not; both of one length."""
    found = np.full(rows.shape[0], MISSING, np.int64)
    for i in range(rows.shape[0]):
        base = homes[rows[i]].home * SINCE_UNIT
        for place in range(base, base + homes[rows[i]].count):
            if segment[place] == wanted[i]:
                found[i] = at[place]
    return found

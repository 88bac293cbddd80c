"""What two states know laid together in one: loops over entries, memberships and counted values.

``places`` arrays give for each number of the program before (stream, feature, segment) that in the
program that follows, or -1 for what is not taken over.
"""

from __future__ import annotations

import numpy as np

from segue.engine.kernel.compact import renumbered
from segue.engine.kernel.compiled import compiled, inlined
from segue.engine.kernel.conditions import guard_up
from segue.engine.kernel.layout import ALIVE, R_ROWS, SINCE_UNIT, Ints, Ints32, Records, Words
from segue.engine.kernel.settle import lowest_bit, set_awake
from segue.engine.kernel.since import block_taken, size_class
from segue.engine.kernel.table import FREE, pair_slot
from segue.engine.kernel.world import (
    World,
    flags_of,
    inside,
    registers_of,
    since_at_of,
    since_homes_of,
    since_segment_of,
)

ONE = np.uint64(1)


@compiled
def entries_numbered(old: Records, count: int, places: Ints32, first: int) -> Ints32:
    """The numbers, from ``first`` on, that the entries of streams taken over will have; -1 for the others."""
    numbers = np.empty(count, np.int32)
    number = first
    for entry in range(count):
        stream = old[entry].stream
        if places[stream if stream >= 0 else -1 - stream] >= 0:
            numbers[entry] = number
            number += 1
        else:
            numbers[entry] = -1
    return numbers


@compiled
def entries_spliced(old: Records, numbers: Ints32, places: Ints32, new: Records) -> None:
    """Copy numbered entries, with all that they name."""
    for entry in range(numbers.shape[0]):
        at = numbers[entry]
        if at < 0:
            continue
        new[at] = old[entry]
        new[at].earlier = renumbered(numbers, old[entry].earlier)
        new[at].next = renumbered(numbers, old[entry].next)
        stream = old[entry].stream
        new[at].stream = places[stream] if stream >= 0 else -1 - places[-1 - stream]


@compiled
def counts_taken(old: Records, places: Ints32) -> int:
    """How many counted values belong to features taken over."""
    count = 0
    for i in range(old.shape[0]):
        if old[i].home != FREE and places[old[i].home >> 32] >= 0:
            count += 1
    return count


@compiled
def counts_spliced(old: Records, places: Ints32, new: Records) -> None:
    """Add the counted values of features taken over to a table with room."""
    for i in range(old.shape[0]):
        if old[i].home == FREE:
            continue
        feature = places[old[i].home >> 32]
        if feature >= 0:
            home = (feature << 32) | (old[i].home & 0xFFFFFFFF)
            slot = pair_slot(new, home, old[i].value)
            new[slot].home = home
            new[slot].value = old[i].value
            new[slot].number = old[i].number


@compiled
def bits_spliced(old: Words, places: Ints32, mask: Words, new: Words) -> None:
    """Keep what ``mask`` covers of the new bitsets, and add the old bits in their new places."""
    for row in range(new.shape[0]):
        for word in range(new.shape[1]):
            new[row, word] &= mask[word]
    for row in range(old.shape[0]):
        for word in range(old.shape[1]):
            left = old[row, word]
            while left != 0:
                place = places[(word << 6) + lowest_bit(left)]
                left &= left - ONE
                if place >= 0:
                    new[row, place >> 6] |= ONE << np.uint64(place & 63)


@compiled
def woken(world: Ints, segments: Ints32) -> None:
    """Note anew for whom segments sleep."""
    w = inside(world)
    for row in range(registers_of(w)[R_ROWS]):
        if flags_of(w)[row] & ALIVE:
            for k in range(segments.shape[0]):
                set_awake(w, row, segments[k], guard_up(w, segments[k], row))


@inlined
def moments_kept(homes: Records, segments: Ints32, places: Ints32, row: int) -> int:
    """How many of a profile's moments of entry are taken over."""
    if row >= homes.shape[0]:
        return 0
    count = 0
    first = homes[row].home * SINCE_UNIT
    for place in range(first, first + homes[row].count):
        if places[segments[place]] >= 0:
            count += 1
    return count


@compiled
def since_units(
    rows: int, homes: Records, segments: Ints32, places: Ints32,
    other_homes: Records, other_segments: Ints32, other_places: Ints32,
) -> int:  # fmt: skip
    """The units that the moments of entry taken over from two states need, with one for no block."""
    units = 1
    for row in range(rows):
        count = moments_kept(homes, segments, places, row)
        count += moments_kept(other_homes, other_segments, other_places, row)
        if count > 0:
            units += 1 << size_class(count)
    return units


@inlined
def moments_copied(
    w: World, at: int, homes: Records, moments: Ints, segments: Ints32, places: Ints32, row: int
) -> int:
    """Copy what is kept of a profile's moments to the places from ``at`` on; the next free one."""
    if row >= homes.shape[0]:
        return at
    first = homes[row].home * SINCE_UNIT
    for place in range(first, first + homes[row].count):
        if places[segments[place]] >= 0:
            since_at_of(w)[at] = moments[place]
            since_segment_of(w)[at] = places[segments[place]]
            at += 1
    return at


@compiled
def since_spliced(
    world: Ints, homes: Records, moments: Ints, segments: Ints32, places: Ints32,
    other_homes: Records, other_moments: Ints, other_segments: Ints32, other_places: Ints32,
) -> None:  # fmt: skip
    """Fill the empty pools of a state with the moments of entry taken over from two others."""
    w = inside(world)
    for row in range(registers_of(w)[R_ROWS]):
        count = moments_kept(homes, segments, places, row)
        count += moments_kept(other_homes, other_segments, other_places, row)
        since_homes_of(w)[row].count = count
        since_homes_of(w)[row].home = 0
        if count > 0:
            home = block_taken(w, size_class(count))
            since_homes_of(w)[row].home = home
            at = moments_copied(w, home * SINCE_UNIT, homes, moments, segments, places, row)
            moments_copied(w, at, other_homes, other_moments, other_segments, other_places, row)

"""From marked segments to memberships turned over, and from those to changes written down.

Segments are numbered in the order of their references, so taking the lowest mark first meets each
segment after all that it refers to; an exclusive group is settled as one, at its first member.
"""

from __future__ import annotations

import numpy as np

from segue.engine.kernel.compiled import inlined
from segue.engine.kernel.conditions import ONE, condition_holds, guard_up
from segue.engine.kernel.layout import (
    ALIVE,
    BY_MERGE,
    DONE,
    FLUSH_CHANGES,
    GROW_SINCE,
    OVERRIDDEN,
    R_CAUSE,
    R_DIRTY,
    R_EVALUATED,
    R_EVALUATIONS,
    R_OUT,
    R_SEQ,
    R_SINCE,
    R_TOUCHES,
    SEGMENT_BITS,
    SINCE_UNIT,
)
from segue.engine.kernel.since import since_dropped, since_noted
from segue.engine.kernel.table import single_slot
from segue.engine.kernel.world import (
    World,
    atom_sleeper_of,
    atom_sleeper_sum_of,
    atoms_of,
    awake_of,
    awake_sum_of,
    dirty_of,
    dirty_segments_of,
    dirty_sum_of,
    flags_of,
    flips_of,
    groups_of,
    members_of,
    out_of,
    overrides_of,
    pool_of,
    registers_of,
    segments_of,
    since_at_of,
    touched_of,
    touches_of,
)


@inlined
def lowest_bit(word: int) -> int:
    """The index of the lowest set bit."""
    x = word & (~word + ONE)
    index = 0
    if x & np.uint64(0xFFFFFFFF00000000):
        index += 32
    if x & np.uint64(0xFFFF0000FFFF0000):
        index += 16
    if x & np.uint64(0xFF00FF00FF00FF00):
        index += 8
    if x & np.uint64(0xF0F0F0F0F0F0F0F0):
        index += 4
    if x & np.uint64(0xCCCCCCCCCCCCCCCC):
        index += 2
    if x & np.uint64(0xAAAAAAAAAAAAAAAA):
        index += 1
    return index


@inlined
def mark(w: World, segment: int) -> None:
    """Have a segment looked at for the profile at hand."""
    dirty_segments_of(w)[segment >> 6] |= ONE << np.uint64(segment & 63)
    dirty_sum_of(w)[segment >> 12] |= ONE << np.uint64((segment >> 6) & 63)


@inlined
def mark_dependents(w: World, atom: int, row: int) -> None:
    """Mark the segments an atom may flip: its wakers, and its sleepers that are awake."""
    for k in range(atoms_of(w)[atom].waker_at, atoms_of(w)[atom].waker_end):
        mark(w, pool_of(w)[k])
    for high in range(atom_sleeper_sum_of(w).shape[1]):
        words = atom_sleeper_sum_of(w)[atom, high]
        if words != 0:
            words &= awake_sum_of(w)[row, high]
        while words != 0:
            word = (high << 6) + lowest_bit(words)
            words &= words - ONE
            found = atom_sleeper_of(w)[atom, word] & awake_of(w)[row, word]
            if found != 0:
                dirty_segments_of(w)[word] |= found
                dirty_sum_of(w)[high] |= ONE << np.uint64(word & 63)


@inlined
def set_awake(w: World, row: int, segment: int, up: bool) -> None:
    """Note whether a segment sleeps for a profile."""
    word = segment >> 6
    bit = ONE << np.uint64(segment & 63)
    if up:
        awake_of(w)[row, word] |= bit
        awake_sum_of(w)[row, word >> 6] |= ONE << np.uint64(word & 63)
    else:
        awake_of(w)[row, word] &= ~bit
        if awake_of(w)[row, word] == 0:
            awake_sum_of(w)[row, word >> 6] &= ~(ONE << np.uint64(word & 63))


@inlined
def is_member(w: World, row: int, segment: int) -> bool:
    """Whether the profile is in the segment."""
    return (members_of(w)[row, segment >> 6] >> np.uint64(segment & 63)) & ONE != 0


@inlined
def override_of(w: World, row: int, segment: int) -> int:
    """0 none, 1 in, 2 out."""
    if not flags_of(w)[row] & OVERRIDDEN:
        return 0
    key = (row << SEGMENT_BITS) | segment
    slot = single_slot(overrides_of(w), key)
    return overrides_of(w)[slot].value & 3 if overrides_of(w)[slot].key == key else 0


@inlined
def flip(w: World, row: int, segment: int, at: int, count: int) -> int:
    """Turn a membership over and mark what refers to it; the new number of flips."""
    members_of(w)[row, segment >> 6] ^= ONE << np.uint64(segment & 63)
    if is_member(w, row, segment):
        since_noted(w, row, segment, at)
    else:
        since_dropped(w, row, segment)
    place = count
    rank = segments_of(w)[segment].rank
    while place > 0 and segments_of(w)[flips_of(w)[place - 1]].rank > rank:
        flips_of(w)[place] = flips_of(w)[place - 1]
        place -= 1
    flips_of(w)[place] = segment
    if segments_of(w)[segment].atom >= 0:
        mark_dependents(w, segments_of(w)[segment].atom, row)
    return count + 1


@inlined
def group_winner(w: World, row: int, group: int) -> int:
    """Whom the exclusive group's seat goes to: an override in, else the largest priority that holds."""
    winner = -1
    for k in range(groups_of(w)[group].member_at, groups_of(w)[group].member_end):
        segment = pool_of(w)[k]
        override = override_of(w, row, segment)
        if override == 1:
            return segment
        if winner < 0 and override == 0:
            registers_of(w)[R_EVALUATIONS] += 1
            if condition_holds(w, segment, row):
                winner = segment
    return winner


@inlined
def settle_group(w: World, row: int, group: int, at: int, count: int) -> int:
    """Evaluate an exclusive group as one; the new number of flips."""
    winner = group_winner(w, row, group)
    for k in range(groups_of(w)[group].member_at, groups_of(w)[group].member_end):
        segment = pool_of(w)[k]
        dirty_segments_of(w)[segment >> 6] &= ~(ONE << np.uint64(segment & 63))
        set_awake(w, row, segment, guard_up(w, segment, row))
        if is_member(w, row, segment) != (segment == winner):
            count = flip(w, row, segment, at, count)
    return count


@inlined
def settle_segment(w: World, row: int, segment: int, at: int, count: int) -> int:
    """Evaluate a segment outside of groups; the new number of flips."""
    override = override_of(w, row, segment)
    holds = override == 1
    up = guard_up(w, segment, row)
    if override == 0:
        registers_of(w)[R_EVALUATIONS] += 1
        holds = segments_of(w)[segment].default != 0
        if up:
            holds = not holds if segments_of(w)[segment].single else condition_holds(w, segment, row)
    if segments_of(w)[segment].sleeps:
        set_awake(w, row, segment, up)
    if holds != is_member(w, row, segment):
        return flip(w, row, segment, at, count)
    return count


@inlined
def settle_marked(w: World, row: int, at: int) -> int:
    """Evaluate the marked segments in the order of their references; the number of flips."""
    count = 0
    for high in range(dirty_sum_of(w).shape[0]):
        while dirty_sum_of(w)[high] != 0:
            word = (high << 6) + lowest_bit(dirty_sum_of(w)[high])
            marked = dirty_segments_of(w)[word]
            if marked == 0:
                dirty_sum_of(w)[high] &= ~(ONE << np.uint64(word & 63))
                continue
            segment = (word << 6) + lowest_bit(marked)
            dirty_segments_of(w)[word] = marked & (marked - ONE)
            group = segments_of(w)[segment].group
            if group >= 0:
                count = settle_group(w, row, group, at, count)
            else:
                count = settle_segment(w, row, segment, at, count)
    return count


@inlined
def leave_all(w: World, row: int, at: int) -> int:
    """A profile that is no more leaves every segment; the number of flips."""
    count = 0
    for word in range(members_of(w).shape[1]):
        while members_of(w)[row, word] != 0:
            segment = (word << 6) + lowest_bit(members_of(w)[row, word])
            count = flip(w, row, segment, at, count)
        awake_of(w)[row, word] = 0
    awake_sum_of(w)[row, :] = 0
    dirty_segments_of(w)[:] = 0
    dirty_sum_of(w)[:] = 0
    return count


@inlined
def evaluate_row(w: World, row: int, at: int) -> None:
    """Look at a touched profile and write down its changes."""
    place = touched_of(w)[row]
    touched_of(w)[row] = -1
    cause = registers_of(w)[R_CAUSE]
    if flags_of(w)[row] & ALIVE:
        while place >= 0:
            atom = touches_of(w)[place].atom
            if atom >= 0:
                mark_dependents(w, atom, row)
            else:
                mark(w, -1 - atom)
            place = touches_of(w)[place].next
        count = settle_marked(w, row, at)
    else:
        count = leave_all(w, row, at)
        if cause == 0:
            cause = BY_MERGE
    out = registers_of(w)[R_OUT]
    for k in range(count):
        segment = flips_of(w)[k]
        out_of(w)[out].row = row
        out_of(w)[out].segment = segment
        out_of(w)[out].entered = is_member(w, row, segment)
        out_of(w)[out].at = at
        out_of(w)[out].cause = cause
        out_of(w)[out].seq = registers_of(w)[R_SEQ]
        out += 1
    registers_of(w)[R_OUT] = out


@inlined
def sort_dirty(w: World) -> None:
    """Touched profiles are evaluated by order of creation."""
    size = registers_of(w)[R_DIRTY]
    if size < 2:
        return
    if size <= 16:
        for i in range(1, size):
            row = dirty_of(w)[i]
            k = i
            while k > 0 and dirty_of(w)[k - 1] > row:
                dirty_of(w)[k] = dirty_of(w)[k - 1]
                k -= 1
            dirty_of(w)[k] = row
        return
    dirty_of(w)[:size] = np.sort(dirty_of(w)[:size])


@inlined
def since_fits(w: World) -> bool:
    """Whether one profile may enter and leave as many segments as there are."""
    free = since_at_of(w).shape[0] // SINCE_UNIT - registers_of(w)[R_SINCE]
    return free > 2 * segments_of(w).shape[0] + 16


@inlined
def evaluate_dirty(w: World, at: int) -> int:
    """Evaluate the touched profiles from where it stopped; DONE, or what is needed first."""
    segments = segments_of(w).shape[0]
    while registers_of(w)[R_EVALUATED] < registers_of(w)[R_DIRTY]:
        if out_of(w).shape[0] - registers_of(w)[R_OUT] < segments + 1:
            return FLUSH_CHANGES
        if not since_fits(w):
            return GROW_SINCE
        evaluate_row(w, dirty_of(w)[registers_of(w)[R_EVALUATED]], at)
        registers_of(w)[R_EVALUATED] += 1
    registers_of(w)[R_DIRTY] = 0
    registers_of(w)[R_TOUCHES] = 0
    registers_of(w)[R_EVALUATED] = 0
    return DONE

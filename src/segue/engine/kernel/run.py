"""The loop: due moments and steps in the order the contract gives them.

Before a step is looked at, everything due at or before its time is worked off, moment by
moment; then the step alone. After each moment the touched profiles are evaluated by order of
creation. The loop keeps its place in registers, so that it can come back for more room, or to
have the changes taken away, and go on where it was.
"""

from __future__ import annotations

import numpy as np

from segue.engine.kernel.chains import chain_length
from segue.engine.kernel.compiled import compiled, inlined
from segue.engine.kernel.conditions import (
    ONE,
    condition_holds,
    guard_up,
    touch,
    touch_row,
)
from segue.engine.kernel.features import cursor_passes, forgotten, given, merged, stream_event
from segue.engine.kernel.heap import cursor_due, cursor_top_moved, heap_pop, heap_push, next_due
from segue.engine.kernel.layout import (
    ALIVE,
    B_COUNTS_MAX,
    B_CREATION_AT,
    B_CREATION_END,
    B_ENTRIES_MAX,
    B_PUSHES_MAX,
    B_RECOUNTS_VALUES,
    B_TOUCHES_MAX,
    BY_MERGE,
    BY_TIME,
    DAYS,
    DISTINCT,
    DONE,
    DUE_ATOM,
    DUE_LEAVE,
    DUE_OVERRIDE,
    FAR,
    FLUSH_CHANGES,
    GROW_COUNTS,
    GROW_ENTRIES,
    GROW_HEAP,
    GROW_SINCE,
    GROW_TOUCHES,
    OP_CREATE,
    OP_EVENT,
    OP_FORGET,
    OP_MERGE,
    OP_OVERRIDE,
    OP_SET,
    OVERRIDDEN,
    PHASE_APPLY,
    PHASE_COLLECT,
    PHASE_DUE,
    PHASE_EVALUATE_DUE,
    PHASE_EVALUATE_STEP,
    R_CAUSE,
    R_COUNTS,
    R_CURSORS,
    R_DIRTY,
    R_ENTRIES,
    R_EVALUATED,
    R_EVALUATIONS,
    R_HEAP,
    R_LIVE_EVENTS,
    R_MOMENT,
    R_NOW,
    R_OPERATION,
    R_OUT,
    R_OVERRIDES,
    R_PHASE,
    R_ROWS,
    R_SEQ,
    R_SINCE,
    R_STEP,
    R_TOUCHES,
)
from segue.engine.kernel.table import single_delete, single_slot
from segue.engine.kernel.world import (
    World,
    atom_flips_of,
    atom_sleeper_of,
    atom_sleeper_sum_of,
    atoms_of,
    awake_of,
    awake_sum_of,
    bounds_of,
    codes_of,
    column_initial_of,
    columns_of,
    counts_of,
    cursor_heap_of,
    cursor_next_of,
    dirty_of,
    dirty_segments_of,
    dirty_sum_of,
    entries_of,
    event_count_of,
    features_of,
    flags_of,
    flips_of,
    groups_of,
    heap_of,
    links_of,
    members_of,
    ops_of,
    out_of,
    overrides_of,
    pool_of,
    registers_of,
    segments_of,
    since_of,
    slots_of,
    steps_of,
    touched_of,
    touches_of,
)

SEGMENT_BITS = 20
"""A membership's key is ``row << SEGMENT_BITS | segment``."""

FOREVER = FAR >> 3
"""The end of an override without one; two bits below it hold the side."""


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
    atom_flips_of(w)[atom] += 1
    for k in range(atoms_of(w)[atom].waker_at, atoms_of(w)[atom].waker_end):
        mark(w, pool_of(w)[k])
    for high in range(atom_sleeper_sum_of(w).shape[1]):
        words = atom_sleeper_sum_of(w)[atom, high] & awake_sum_of(w)[row, high]
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
    key = (row << SEGMENT_BITS) | segment
    slot = single_slot(since_of(w), key)
    if is_member(w, row, segment):
        if since_of(w)[slot].key != key:
            registers_of(w)[R_SINCE] += 1
        since_of(w)[slot].key = key
        since_of(w)[slot].value = at
    elif since_of(w)[slot].key == key:
        single_delete(since_of(w), slot)
        registers_of(w)[R_SINCE] -= 1
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
    if override == 0:
        registers_of(w)[R_EVALUATIONS] += 1
        holds = condition_holds(w, segment, row)
    set_awake(w, row, segment, guard_up(w, segment, row))
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
def evaluate_dirty(w: World, at: int) -> int:
    """Evaluate the touched profiles from where it stopped; DONE, or what is needed first."""
    segments = segments_of(w).shape[0]
    while registers_of(w)[R_EVALUATED] < registers_of(w)[R_DIRTY]:
        if out_of(w).shape[0] - registers_of(w)[R_OUT] < segments + 1:
            return FLUSH_CHANGES
        if since_of(w).shape[0] * 7 // 10 - registers_of(w)[R_SINCE] < segments + 1:
            return GROW_SINCE
        evaluate_row(w, dirty_of(w)[registers_of(w)[R_EVALUATED]], at)
        registers_of(w)[R_EVALUATED] += 1
    registers_of(w)[R_DIRTY] = 0
    registers_of(w)[R_TOUCHES] = 0
    registers_of(w)[R_EVALUATED] = 0
    return DONE


@inlined
def room(w: World) -> int:
    """DONE if one more step, or one more due entry, surely fits; else what must grow."""
    registers = registers_of(w)
    if entries_of(w).shape[0] - registers[R_ENTRIES] < bounds_of(w)[B_ENTRIES_MAX]:
        return GROW_ENTRIES
    if heap_of(w).shape[0] - registers[R_HEAP] < bounds_of(w)[B_PUSHES_MAX]:
        return GROW_HEAP
    if counts_of(w).shape[0] * 7 // 10 - registers[R_COUNTS] < bounds_of(w)[B_COUNTS_MAX]:
        return GROW_COUNTS
    if touches_of(w).shape[0] - registers[R_TOUCHES] < bounds_of(w)[B_TOUCHES_MAX]:
        return GROW_TOUCHES
    return DONE


@inlined
def collect_due(w: World) -> int:
    """Apply all that is due at the moment; DONE, or what must grow first."""
    moment = registers_of(w)[R_MOMENT]
    while registers_of(w)[R_CURSORS] > 0 and cursor_heap_of(w)[0].due == moment:
        fits = room(w)
        if fits != DONE:
            return fits
        cursor = cursor_heap_of(w)[0].cursor
        entry = cursor_next_of(w)[cursor]
        cursor_next_of(w)[cursor] = entries_of(w)[entry].next
        cursor_top_moved(w, cursor_due(w, cursor))
        cursor_passes(w, cursor, entry)
    while registers_of(w)[R_HEAP] > 0 and heap_of(w)[0].due == moment:
        fits = room(w)
        if fits != DONE:
            return fits
        kind = heap_of(w)[0].kind
        a = heap_of(w)[0].a
        b = heap_of(w)[0].b
        heap_pop(w)
        if kind == DUE_LEAVE:
            cursor_passes(w, a, b)
        elif kind == DUE_ATOM:
            if flags_of(w)[a] & ALIVE:
                touch(w, a, b)
        elif kind == DUE_OVERRIDE:
            if flags_of(w)[a] & ALIVE:
                override_expired(w, a, b)
        else:
            for row in range(registers_of(w)[R_ROWS]):
                if flags_of(w)[row] & ALIVE:
                    if touches_of(w).shape[0] - registers_of(w)[R_TOUCHES] < bounds_of(w)[B_TOUCHES_MAX]:
                        heap_push(w, moment, kind, a, row)
                        return GROW_TOUCHES
                    if row >= b:
                        touch(w, row, a)
    return DONE


@inlined
def override_expired(w: World, row: int, segment: int) -> None:
    """Take an override back unless a later one has replaced it; its due moment is its value."""
    key = (row << SEGMENT_BITS) | segment
    slot = single_slot(overrides_of(w), key)
    if overrides_of(w)[slot].key == key and overrides_of(w)[slot].value >> 2 == registers_of(w)[R_MOMENT]:
        single_delete(overrides_of(w), slot)
        registers_of(w)[R_OVERRIDES] -= 1
        touch(w, row, -1 - segment)


@inlined
def create(w: World, row: int) -> None:
    """A profile begins: no event counted, in no segment, to be looked at after this step."""
    columns_of(w)[row, :] = column_initial_of(w)
    flags_of(w)[row] = ALIVE
    if row >= registers_of(w)[R_ROWS]:
        registers_of(w)[R_ROWS] = row + 1
    touch_row(w, row)
    for k in range(bounds_of(w)[B_CREATION_AT], bounds_of(w)[B_CREATION_END]):
        segment = pool_of(w)[k]
        touch(w, row, -1 - segment)
        # Nobody is in it yet, which is away from its default: what refers to it must look.
        if segments_of(w)[segment].atom >= 0:
            touch(w, row, segments_of(w)[segment].atom)


@inlined
def apply_event(w: World, i: int) -> None:
    """Show an event to the streams its code leads to."""
    row = ops_of(w)[i].row
    code = ops_of(w)[i].a
    base = ops_of(w)[i].b
    event_count_of(w)[code] += 1
    registers_of(w)[R_LIVE_EVENTS] += 1
    for link in range(codes_of(w)[code].link_at, codes_of(w)[code].link_end):
        test = links_of(w)[link].test
        if test >= 0 and not (slots_of(w)[base + test // 63] >> (test % 63)) & 1:
            continue
        slot = links_of(w)[link].slot
        value = slots_of(w)[base + slot] if slot >= 0 else 0
        stream_event(w, links_of(w)[link].stream, row, ops_of(w)[i].time, ops_of(w)[i].value, value)


@inlined
def apply_override(w: World, row: int, segment: int, side: int, until: int) -> None:
    """Set or lift an override; expiries go to the heap."""
    key = (row << SEGMENT_BITS) | segment
    slot = single_slot(overrides_of(w), key)
    known = overrides_of(w)[slot].key == key
    if side == 0:
        if known:
            single_delete(overrides_of(w), slot)
            registers_of(w)[R_OVERRIDES] -= 1
    else:
        if not known:
            registers_of(w)[R_OVERRIDES] += 1
        overrides_of(w)[slot].key = key
        overrides_of(w)[slot].value = (until << 2) | side
        flags_of(w)[row] |= OVERRIDDEN
        if until < FOREVER:
            heap_push(w, until, DUE_OVERRIDE, row, segment)
    touch(w, row, -1 - segment)


@inlined
def apply(w: World, step: int) -> int:
    """Carry out the operations of a step from where it stopped; DONE, or what must grow first."""
    registers = registers_of(w)
    if registers[R_OPERATION] < steps_of(w)[step].op_at:
        registers[R_OPERATION] = steps_of(w)[step].op_at
    while registers[R_OPERATION] < steps_of(w)[step].op_end:
        i = registers[R_OPERATION]
        need = room(w)
        if need == DONE and bounds_of(w)[B_COUNTS_MAX] > 0:
            need = room_for_counts(w, ops_of(w)[i].op, ops_of(w)[i].row, ops_of(w)[i].a)
        if need != DONE:
            return need
        apply_one(w, i)
        registers[R_OPERATION] = i + 1
    return DONE


@inlined
def room_for_counts(w: World, op: int, row: int, other: int) -> int:
    """DONE if an operation that counts values anew from chains has room for them."""
    if op not in (OP_MERGE, OP_EVENT) or (op == OP_EVENT and not bounds_of(w)[B_RECOUNTS_VALUES]):
        return DONE
    size = 0
    for feature in range(features_of(w).shape[0]):
        if features_of(w)[feature].kind in (DISTINCT, DAYS):
            size += chain_length(w, features_of(w)[feature].stream, row)
            if op == OP_MERGE:
                size += chain_length(w, features_of(w)[feature].stream, other)
    if counts_of(w).shape[0] * 9 // 10 - registers_of(w)[R_COUNTS] < size:
        return GROW_COUNTS
    return DONE


@inlined
def apply_one(w: World, i: int) -> None:
    """Carry out one operation."""
    op = ops_of(w)[i].op
    row = ops_of(w)[i].row
    if op == OP_EVENT:
        apply_event(w, i)
    elif op == OP_CREATE:
        create(w, row)
    elif op == OP_SET:
        given(w, ops_of(w)[i].a, row, ops_of(w)[i].value)
    elif op == OP_MERGE:
        merged(w, row, ops_of(w)[i].a)
    elif op == OP_FORGET:
        forgotten(w, row)
    elif op == OP_OVERRIDE:
        apply_override(w, row, ops_of(w)[i].a, ops_of(w)[i].b, ops_of(w)[i].time)
    else:
        touch(w, row, -1 - ops_of(w)[i].a)


@inlined
def enter(w: World, phase: int) -> None:
    """Go to a phase."""
    registers_of(w)[R_PHASE] = phase


@inlined
def begin_moment(w: World, moment: int) -> None:
    """Time goes on to a due moment."""
    registers_of(w)[R_MOMENT] = moment
    registers_of(w)[R_NOW] = max(moment, registers_of(w)[R_NOW])
    registers_of(w)[R_CAUSE] = BY_TIME
    registers_of(w)[R_SEQ] = -1
    enter(w, PHASE_COLLECT)


@inlined
def begin_step(w: World, step: int) -> None:
    """Everything due is done; the step itself is next."""
    registers_of(w)[R_NOW] = max(steps_of(w)[step].time, registers_of(w)[R_NOW])
    registers_of(w)[R_MOMENT] = registers_of(w)[R_NOW]
    registers_of(w)[R_CAUSE] = steps_of(w)[step].cause
    registers_of(w)[R_SEQ] = steps_of(w)[step].seq
    enter(w, PHASE_APPLY)


@compiled
def run(w: World, until: int) -> int:
    """Work off the batch, then what is due up to ``until``; DONE or why it came back."""
    registers = registers_of(w)
    steps = steps_of(w).shape[0]
    while True:
        phase = registers[R_PHASE]
        step = registers[R_STEP]
        if phase == PHASE_DUE:
            limit = steps_of(w)[step].time if step < steps else until
            due = next_due(w)
            if due <= limit and due < FAR:
                begin_moment(w, due)
            elif step >= steps:
                if until < FAR:
                    registers[R_NOW] = max(until, registers[R_NOW])
                return DONE
            elif steps_of(w)[step].joint:
                begin_moment(w, steps_of(w)[step].time)
            else:
                begin_step(w, step)
        elif phase == PHASE_COLLECT:
            need = collect_due(w)
            if need != DONE:
                return need
            if step < steps and steps_of(w)[step].joint and steps_of(w)[step].time == registers[R_MOMENT]:
                need = apply(w, step)
                if need != DONE:
                    return need
                registers[R_STEP] = step + 1
            else:
                sort_dirty(w)
                enter(w, PHASE_EVALUATE_DUE)
        elif phase == PHASE_APPLY:
            need = apply(w, step)
            if need != DONE:
                return need
            registers[R_STEP] = step + 1
            sort_dirty(w)
            enter(w, PHASE_EVALUATE_STEP)
        else:
            need = evaluate_dirty(w, registers[R_MOMENT])
            if need != DONE:
                return need
            enter(w, PHASE_DUE)


@compiled
def settle_everyone(w: World, segments: np.ndarray, at: int, start: int) -> int:  # type: ignore[type-arg]
    """Evaluate some segments for all profiles from row ``start``; the row it stopped before."""
    count = segments_of(w).shape[0]
    for row in range(start, registers_of(w)[R_ROWS]):
        if out_of(w).shape[0] - registers_of(w)[R_OUT] < count + 1:
            return row
        if since_of(w).shape[0] * 7 // 10 - registers_of(w)[R_SINCE] < count + 1:
            return row
        if flags_of(w)[row] & ALIVE:
            for k in range(segments.shape[0]):
                mark(w, segments[k])
            evaluate_row(w, row, at)
    return registers_of(w)[R_ROWS]


@compiled
def holders(w: World, segment: int) -> np.ndarray:  # type: ignore[type-arg]
    """Whether a segment's condition holds, for each row; nothing is changed."""
    rows = registers_of(w)[R_ROWS]
    found = np.zeros(rows, np.uint8)
    for row in range(rows):
        if flags_of(w)[row] & ALIVE:
            found[row] = condition_holds(w, segment, row)
    return found

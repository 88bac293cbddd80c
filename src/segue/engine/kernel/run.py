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
    atom_holds,
    condition_holds,
    guard_up,
    touch,
    touch_row,
)
from segue.engine.kernel.features import cursor_passes, forgotten, given, merged, stream_event
from segue.engine.kernel.heap import cursor_due, cursor_top_moved, heap_pop, heap_push, next_due
from segue.engine.kernel.layout import (
    ALIVE,
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
    Batch,
    Program,
    State,
)
from segue.engine.kernel.table import single_delete, single_slot

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
def mark(s: State, segment: int) -> None:
    """Have a segment looked at for the profile at hand."""
    s.dirty_segments[segment >> 6] |= ONE << np.uint64(segment & 63)
    s.dirty_sum[segment >> 12] |= ONE << np.uint64((segment >> 6) & 63)


@inlined
def mark_dependents(p: Program, s: State, atom: int, row: int) -> None:
    """Mark the segments an atom may flip: its wakers, and its sleepers that are awake."""
    s.atom_flips[atom] += 1
    for k in range(p.atoms[atom].waker_at, p.atoms[atom].waker_end):
        mark(s, p.pool[k])
    for high in range(p.atom_sleeper_sum.shape[1]):
        words = p.atom_sleeper_sum[atom, high] & s.awake_sum[row, high]
        while words != 0:
            word = (high << 6) + lowest_bit(words)
            words &= words - ONE
            found = p.atom_sleeper[atom, word] & s.awake[row, word]
            if found != 0:
                s.dirty_segments[word] |= found
                s.dirty_sum[high] |= ONE << np.uint64(word & 63)


@inlined
def set_awake(s: State, row: int, segment: int, up: bool) -> None:
    """Note whether a segment sleeps for a profile."""
    word = segment >> 6
    bit = ONE << np.uint64(segment & 63)
    if up:
        s.awake[row, word] |= bit
        s.awake_sum[row, word >> 6] |= ONE << np.uint64(word & 63)
    else:
        s.awake[row, word] &= ~bit
        if s.awake[row, word] == 0:
            s.awake_sum[row, word >> 6] &= ~(ONE << np.uint64(word & 63))


@inlined
def is_member(s: State, row: int, segment: int) -> bool:
    """Whether the profile is in the segment."""
    return (s.members[row, segment >> 6] >> np.uint64(segment & 63)) & ONE != 0


@inlined
def override_of(s: State, row: int, segment: int) -> int:
    """0 none, 1 in, 2 out."""
    if not s.flags[row] & OVERRIDDEN:
        return 0
    key = (row << SEGMENT_BITS) | segment
    slot = single_slot(s.overrides, key)
    return s.overrides[slot].value & 3 if s.overrides[slot].key == key else 0


@inlined
def flip(p: Program, s: State, row: int, segment: int, at: int, count: int) -> int:
    """Turn a membership over and mark what refers to it; the new number of flips."""
    s.members[row, segment >> 6] ^= ONE << np.uint64(segment & 63)
    key = (row << SEGMENT_BITS) | segment
    slot = single_slot(s.since, key)
    if is_member(s, row, segment):
        if s.since[slot].key != key:
            s.registers[R_SINCE] += 1
        s.since[slot].key = key
        s.since[slot].value = at
    elif s.since[slot].key == key:
        single_delete(s.since, slot)
        s.registers[R_SINCE] -= 1
    place = count
    rank = p.segments[segment].rank
    while place > 0 and p.segments[s.flips[place - 1]].rank > rank:
        s.flips[place] = s.flips[place - 1]
        place -= 1
    s.flips[place] = segment
    if p.segments[segment].atom >= 0:
        mark_dependents(p, s, p.segments[segment].atom, row)
    return count + 1


@inlined
def group_winner(p: Program, s: State, row: int, group: int) -> int:
    """Whom the exclusive group's seat goes to: an override in, else the largest priority that holds."""
    winner = -1
    for k in range(p.groups[group].member_at, p.groups[group].member_end):
        segment = p.pool[k]
        override = override_of(s, row, segment)
        if override == 1:
            return segment
        if winner < 0 and override == 0:
            s.registers[R_EVALUATIONS] += 1
            if condition_holds(p, s, segment, row):
                winner = segment
    return winner


@inlined
def settle_group(p: Program, s: State, row: int, group: int, at: int, count: int) -> int:
    """Evaluate an exclusive group as one; the new number of flips."""
    winner = group_winner(p, s, row, group)
    for k in range(p.groups[group].member_at, p.groups[group].member_end):
        segment = p.pool[k]
        s.dirty_segments[segment >> 6] &= ~(ONE << np.uint64(segment & 63))
        set_awake(s, row, segment, guard_up(p, s, segment, row))
        if is_member(s, row, segment) != (segment == winner):
            count = flip(p, s, row, segment, at, count)
    return count


@inlined
def settle_segment(p: Program, s: State, row: int, segment: int, at: int, count: int) -> int:
    """Evaluate a segment outside of groups; the new number of flips."""
    override = override_of(s, row, segment)
    holds = override == 1
    if override == 0:
        s.registers[R_EVALUATIONS] += 1
        holds = condition_holds(p, s, segment, row)
    set_awake(s, row, segment, guard_up(p, s, segment, row))
    if holds != is_member(s, row, segment):
        return flip(p, s, row, segment, at, count)
    return count


@inlined
def settle_marked(p: Program, s: State, row: int, at: int) -> int:
    """Evaluate the marked segments in the order of their references; the number of flips."""
    count = 0
    for high in range(s.dirty_sum.shape[0]):
        while s.dirty_sum[high] != 0:
            word = (high << 6) + lowest_bit(s.dirty_sum[high])
            marked = s.dirty_segments[word]
            if marked == 0:
                s.dirty_sum[high] &= ~(ONE << np.uint64(word & 63))
                continue
            segment = (word << 6) + lowest_bit(marked)
            s.dirty_segments[word] = marked & (marked - ONE)
            group = p.segments[segment].group
            if group >= 0:
                count = settle_group(p, s, row, group, at, count)
            else:
                count = settle_segment(p, s, row, segment, at, count)
    return count


@inlined
def leave_all(p: Program, s: State, row: int, at: int) -> int:
    """A profile that is no more leaves every segment; the number of flips."""
    count = 0
    for word in range(s.members.shape[1]):
        while s.members[row, word] != 0:
            segment = (word << 6) + lowest_bit(s.members[row, word])
            count = flip(p, s, row, segment, at, count)
        s.awake[row, word] = 0
    s.awake_sum[row, :] = 0
    s.dirty_segments[:] = 0
    s.dirty_sum[:] = 0
    return count


@inlined
def evaluate_row(p: Program, s: State, row: int, at: int) -> None:
    """Look at a touched profile and write down its changes."""
    place = s.touched[row]
    s.touched[row] = -1
    cause = s.registers[R_CAUSE]
    if s.flags[row] & ALIVE:
        while place >= 0:
            atom = s.touches[place].atom
            if atom >= 0:
                mark_dependents(p, s, atom, row)
            else:
                mark(s, -1 - atom)
            place = s.touches[place].next
        count = settle_marked(p, s, row, at)
    else:
        count = leave_all(p, s, row, at)
        if cause == 0:
            cause = BY_MERGE
    out = s.registers[R_OUT]
    for k in range(count):
        segment = s.flips[k]
        s.out[out].row = row
        s.out[out].segment = segment
        s.out[out].entered = is_member(s, row, segment)
        s.out[out].at = at
        s.out[out].cause = cause
        s.out[out].seq = s.registers[R_SEQ]
        out += 1
    s.registers[R_OUT] = out


@inlined
def sort_dirty(s: State) -> None:
    """Touched profiles are evaluated by order of creation."""
    size = s.registers[R_DIRTY]
    if size < 2:
        return
    if size <= 16:
        for i in range(1, size):
            row = s.dirty[i]
            k = i
            while k > 0 and s.dirty[k - 1] > row:
                s.dirty[k] = s.dirty[k - 1]
                k -= 1
            s.dirty[k] = row
        return
    s.dirty[:size] = np.sort(s.dirty[:size])


@inlined
def evaluate_dirty(p: Program, s: State, at: int) -> int:
    """Evaluate the touched profiles from where it stopped; DONE, or what is needed first."""
    segments = p.segments.shape[0]
    while s.registers[R_EVALUATED] < s.registers[R_DIRTY]:
        if s.out.shape[0] - s.registers[R_OUT] < segments + 1:
            return FLUSH_CHANGES
        if s.since.shape[0] * 7 // 10 - s.registers[R_SINCE] < segments + 1:
            return GROW_SINCE
        evaluate_row(p, s, s.dirty[s.registers[R_EVALUATED]], at)
        s.registers[R_EVALUATED] += 1
    s.registers[R_DIRTY] = 0
    s.registers[R_TOUCHES] = 0
    s.registers[R_EVALUATED] = 0
    return DONE


@inlined
def room(p: Program, s: State) -> int:
    """DONE if one more step, or one more due entry, surely fits; else what must grow."""
    registers = s.registers
    if s.entries.shape[0] - registers[R_ENTRIES] < p.entries_max:
        return GROW_ENTRIES
    if s.heap.shape[0] - registers[R_HEAP] < p.pushes_max:
        return GROW_HEAP
    if s.counts.shape[0] * 7 // 10 - registers[R_COUNTS] < p.counts_max:
        return GROW_COUNTS
    if s.touches.shape[0] - registers[R_TOUCHES] < p.touches_max:
        return GROW_TOUCHES
    return DONE


@inlined
def collect_due(p: Program, s: State) -> int:
    """Apply all that is due at the moment; DONE, or what must grow first."""
    moment = s.registers[R_MOMENT]
    while s.registers[R_CURSORS] > 0 and s.cursor_heap[0].due == moment:
        fits = room(p, s)
        if fits != DONE:
            return fits
        cursor = s.cursor_heap[0].cursor
        entry = s.cursor_next[cursor]
        s.cursor_next[cursor] = s.entries[entry].next
        cursor_top_moved(s, cursor_due(p, s, cursor))
        cursor_passes(p, s, cursor, entry)
    while s.registers[R_HEAP] > 0 and s.heap[0].due == moment:
        fits = room(p, s)
        if fits != DONE:
            return fits
        kind = s.heap[0].kind
        a = s.heap[0].a
        b = s.heap[0].b
        heap_pop(s)
        if kind == DUE_LEAVE:
            cursor_passes(p, s, a, b)
        elif kind == DUE_ATOM:
            if s.flags[a] & ALIVE:
                touch(s, a, b)
        elif kind == DUE_OVERRIDE:
            if s.flags[a] & ALIVE:
                override_expired(s, a, b)
        else:
            for row in range(s.registers[R_ROWS]):
                if s.flags[row] & ALIVE:
                    if s.touches.shape[0] - s.registers[R_TOUCHES] < p.touches_max:
                        heap_push(s, moment, kind, a, row)
                        return GROW_TOUCHES
                    if row >= b:
                        touch(s, row, a)
    return DONE


@inlined
def override_expired(s: State, row: int, segment: int) -> None:
    """Take an override back unless a later one has replaced it; its due moment is its value."""
    key = (row << SEGMENT_BITS) | segment
    slot = single_slot(s.overrides, key)
    if s.overrides[slot].key == key and s.overrides[slot].value >> 2 == s.registers[R_MOMENT]:
        single_delete(s.overrides, slot)
        s.registers[R_OVERRIDES] -= 1
        touch(s, row, -1 - segment)


@inlined
def create(p: Program, s: State, row: int) -> None:
    """A profile begins: no event counted, in no segment, to be looked at after this step."""
    s.columns[row, :] = p.column_initial
    s.flags[row] = ALIVE
    if row >= s.registers[R_ROWS]:
        s.registers[R_ROWS] = row + 1
    touch_row(s, row)
    for k in range(p.creation_at, p.creation_end):
        touch(s, row, -1 - p.pool[k])


@inlined
def apply_event(p: Program, s: State, b: Batch, i: int) -> None:
    """Show an event to the streams its code leads to."""
    row = b.ops[i].row
    code = b.ops[i].a
    base = b.ops[i].b
    s.event_count[code] += 1
    s.registers[R_LIVE_EVENTS] += 1
    for link in range(p.codes[code].link_at, p.codes[code].link_end):
        test = p.links[link].test
        if test >= 0 and not (b.slots[base + test // 63] >> (test % 63)) & 1:
            continue
        slot = p.links[link].slot
        value = b.slots[base + slot] if slot >= 0 else 0
        stream_event(p, s, p.links[link].stream, row, b.ops[i].time, b.ops[i].value, value)


@inlined
def apply_override(s: State, row: int, segment: int, side: int, until: int) -> None:
    """Set or lift an override; expiries go to the heap."""
    key = (row << SEGMENT_BITS) | segment
    slot = single_slot(s.overrides, key)
    known = s.overrides[slot].key == key
    if side == 0:
        if known:
            single_delete(s.overrides, slot)
            s.registers[R_OVERRIDES] -= 1
    else:
        if not known:
            s.registers[R_OVERRIDES] += 1
        s.overrides[slot].key = key
        s.overrides[slot].value = (until << 2) | side
        s.flags[row] |= OVERRIDDEN
        if until < FOREVER:
            heap_push(s, until, DUE_OVERRIDE, row, segment)
    touch(s, row, -1 - segment)


@inlined
def apply(p: Program, s: State, b: Batch, step: int) -> int:
    """Carry out the operations of a step from where it stopped; DONE, or what must grow first."""
    registers = s.registers
    if registers[R_OPERATION] < b.steps[step].op_at:
        registers[R_OPERATION] = b.steps[step].op_at
    while registers[R_OPERATION] < b.steps[step].op_end:
        i = registers[R_OPERATION]
        need = room(p, s)
        if need == DONE and p.counts_max > 0:
            need = room_for_counts(p, s, b.ops[i].op, b.ops[i].row, b.ops[i].a)
        if need != DONE:
            return need
        apply_one(p, s, b, i)
        registers[R_OPERATION] = i + 1
    return DONE


@inlined
def room_for_counts(p: Program, s: State, op: int, row: int, other: int) -> int:
    """DONE if an operation that counts values anew from chains has room for them."""
    if op not in (OP_MERGE, OP_EVENT) or (op == OP_EVENT and not p.recounts_values):
        return DONE
    size = 0
    for feature in range(p.features.shape[0]):
        if p.features[feature].kind in (DISTINCT, DAYS):
            size += chain_length(p, s, p.features[feature].stream, row)
            if op == OP_MERGE:
                size += chain_length(p, s, p.features[feature].stream, other)
    if s.counts.shape[0] * 9 // 10 - s.registers[R_COUNTS] < size:
        return GROW_COUNTS
    return DONE


@inlined
def apply_one(p: Program, s: State, b: Batch, i: int) -> None:
    """Carry out one operation."""
    op = b.ops[i].op
    row = b.ops[i].row
    if op == OP_EVENT:
        apply_event(p, s, b, i)
    elif op == OP_CREATE:
        create(p, s, row)
    elif op == OP_SET:
        given(p, s, b.ops[i].a, row, b.ops[i].value)
    elif op == OP_MERGE:
        merged(p, s, row, b.ops[i].a)
    elif op == OP_FORGET:
        forgotten(p, s, row)
    elif op == OP_OVERRIDE:
        apply_override(s, row, b.ops[i].a, b.ops[i].b, b.ops[i].time)
    else:
        touch(s, row, -1 - b.ops[i].a)


@inlined
def enter(s: State, phase: int) -> None:
    """Go to a phase."""
    s.registers[R_PHASE] = phase


@inlined
def begin_moment(s: State, moment: int) -> None:
    """Time goes on to a due moment."""
    s.registers[R_MOMENT] = moment
    s.registers[R_NOW] = max(moment, s.registers[R_NOW])
    s.registers[R_CAUSE] = BY_TIME
    s.registers[R_SEQ] = -1
    enter(s, PHASE_COLLECT)


@inlined
def begin_step(s: State, b: Batch, step: int) -> None:
    """Everything due is done; the step itself is next."""
    s.registers[R_NOW] = max(b.steps[step].time, s.registers[R_NOW])
    s.registers[R_MOMENT] = s.registers[R_NOW]
    s.registers[R_CAUSE] = b.steps[step].cause
    s.registers[R_SEQ] = b.steps[step].seq
    enter(s, PHASE_APPLY)


@compiled
def run(p: Program, s: State, b: Batch, until: int) -> int:
    """Work off the batch, then what is due up to ``until``; DONE or why it came back."""
    registers = s.registers
    steps = b.steps.shape[0]
    while True:
        phase = registers[R_PHASE]
        step = registers[R_STEP]
        if phase == PHASE_DUE:
            limit = b.steps[step].time if step < steps else until
            due = next_due(s)
            if due <= limit and due < FAR:
                begin_moment(s, due)
            elif step >= steps:
                if until < FAR:
                    registers[R_NOW] = max(until, registers[R_NOW])
                return DONE
            elif b.steps[step].joint:
                begin_moment(s, b.steps[step].time)
            else:
                begin_step(s, b, step)
        elif phase == PHASE_COLLECT:
            need = collect_due(p, s)
            if need != DONE:
                return need
            if step < steps and b.steps[step].joint and b.steps[step].time == registers[R_MOMENT]:
                need = apply(p, s, b, step)
                if need != DONE:
                    return need
                registers[R_STEP] = step + 1
            else:
                sort_dirty(s)
                enter(s, PHASE_EVALUATE_DUE)
        elif phase == PHASE_APPLY:
            need = apply(p, s, b, step)
            if need != DONE:
                return need
            registers[R_STEP] = step + 1
            sort_dirty(s)
            enter(s, PHASE_EVALUATE_STEP)
        else:
            need = evaluate_dirty(p, s, registers[R_MOMENT])
            if need != DONE:
                return need
            enter(s, PHASE_DUE)


@compiled
def settle_everyone(p: Program, s: State, segments: np.ndarray, at: int, start: int) -> int:  # type: ignore[type-arg]
    """Evaluate some segments for all profiles from row ``start``; the row it stopped before."""
    count = p.segments.shape[0]
    for row in range(start, s.registers[R_ROWS]):
        if s.out.shape[0] - s.registers[R_OUT] < count + 1:
            return row
        if s.since.shape[0] * 7 // 10 - s.registers[R_SINCE] < count + 1:
            return row
        if s.flags[row] & ALIVE:
            for k in range(segments.shape[0]):
                mark(s, segments[k])
            evaluate_row(p, s, row, at)
    return s.registers[R_ROWS]


@compiled
def atoms_of_everyone(p: Program, s: State, atom: int) -> np.ndarray:  # type: ignore[type-arg]
    """Whether an atom holds, for each row."""
    rows = s.registers[R_ROWS]
    found = np.zeros(rows, np.uint8)
    for row in range(rows):
        if s.flags[row] & ALIVE:
            found[row] = atom_holds(p, s, atom, row)
    return found

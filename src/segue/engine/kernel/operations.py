"""What one operation of a step does: events, values from outside, merges, overrides.

Room for the most that an operation can need is made before it begins, so that none stops half-way.
"""

from __future__ import annotations

from segue.engine.kernel.chains import chain_length
from segue.engine.kernel.compiled import inlined
from segue.engine.kernel.conditions import row_soon, touch, touch_row
from segue.engine.kernel.features import forgotten, given, merged, stream_event
from segue.engine.kernel.heap import heap_push
from segue.engine.kernel.layout import (
    ALIVE,
    B_COUNTS_MAX,
    B_CREATION_AT,
    B_CREATION_END,
    B_ENTRIES_MAX,
    B_PUSHES_MAX,
    B_RECOUNTS_VALUES,
    B_TOUCHES_MAX,
    DAYS,
    DISTINCT,
    DONE,
    DUE_OVERRIDE,
    FOREVER,
    GROW_COUNTS,
    GROW_ENTRIES,
    GROW_HEAP,
    GROW_TOUCHES,
    OP_CREATE,
    OP_EVENT,
    OP_FORGET,
    OP_MERGE,
    OP_OVERRIDE,
    OP_SET,
    OVERRIDDEN,
    R_COUNTS,
    R_ENTRIES,
    R_HEAP,
    R_MOMENT,
    R_OPERATION,
    R_OVERRIDES,
    R_ROWS,
    R_TOUCHES,
    SEGMENT_BITS,
)
from segue.engine.kernel.table import single_delete, single_slot
from segue.engine.kernel.world import (
    World,
    bounds_of,
    codes_of,
    column_initial_of,
    columns_of,
    counts_of,
    entries_of,
    features_of,
    flags_of,
    heap_of,
    links_of,
    ops_of,
    overrides_of,
    pool_of,
    registers_of,
    segments_of,
    slots_of,
    steps_of,
    touches_of,
)

AHEAD = 6
"""Operations between asking for a profile's memory and needing it."""


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
    """A profile begins: no event counted, in no segment, to be looked at after this step.

    Rows before it that no event has begun are profiles of nobody: whoever was forgotten left no event.
    """
    for place in range(min(row, registers_of(w)[R_ROWS]), row + 1):
        columns_of(w)[place, :] = column_initial_of(w)
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
        if i + AHEAD < ops_of(w).shape[0]:
            row_soon(w, ops_of(w)[i + AHEAD].row)
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

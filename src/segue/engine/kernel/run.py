"""The loop: due moments and steps in the order the contract gives them.

Before a step is looked at, everything due at or before its time is worked off, moment by
moment; then the step alone. After each moment the touched profiles are evaluated by order of
creation. The loop keeps its place in registers, so that it can come back for more room, or to
have the changes taken away, and go on where it was.
"""

from __future__ import annotations

import numpy as np

from segue.engine.kernel.compiled import compiled, inlined
from segue.engine.kernel.conditions import condition_holds, row_soon, touch
from segue.engine.kernel.features import cursor_passes
from segue.engine.kernel.heap import cursor_due, cursor_top_moved, heap_pop, heap_push, next_due
from segue.engine.kernel.layout import (
    ALIVE,
    B_TOUCHES_MAX,
    BY_TIME,
    DONE,
    DUE_ATOM,
    DUE_LEAVE,
    DUE_OVERRIDE,
    FAR,
    GROW_TOUCHES,
    PHASE_APPLY,
    PHASE_COLLECT,
    PHASE_DUE,
    PHASE_EVALUATE_DUE,
    PHASE_EVALUATE_STEP,
    R_CAUSE,
    R_CURSORS,
    R_HEAP,
    R_MOMENT,
    R_NOW,
    R_PHASE,
    R_ROWS,
    R_SEQ,
    R_STEP,
    R_TOUCHES,
    Bytes,
    Ints,
)
from segue.engine.kernel.operations import apply, override_expired, room
from segue.engine.kernel.settle import evaluate_dirty, sort_dirty
from segue.engine.kernel.world import (
    World,
    bounds_of,
    cursor_heap_of,
    cursor_next_of,
    entries_of,
    flags_of,
    heap_of,
    inside,
    registers_of,
    steps_of,
    touches_of,
)


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
        following = entries_of(w)[entry].next
        cursor_next_of(w)[cursor] = following
        if following >= 0 and entries_of(w)[following].row >= 0:
            row_soon(w, entries_of(w)[following].row)
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
def run(world: Ints, until: int) -> int:
    """Work off the batch, then what is due up to ``until``; DONE or why it came back."""
    w = inside(world)
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
def holders(world: Ints, segment: int) -> Bytes:
    """Whether a segment's condition holds, for each row; nothing is changed."""
    w = inside(world)
    rows = registers_of(w)[R_ROWS]
    found = np.zeros(rows, np.uint8)
    for row in range(rows):
        if flags_of(w)[row] & ALIVE:
            found[row] = condition_holds(w, segment, row)
    return found

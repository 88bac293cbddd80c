"""Two heaps of due moments: one entry a cursor, and one for all that no cursor passes.

Cursors are few (one for each stream and distance) and move all the time, so they have a small
heap that stays in the first-level cache. Late entries, moments in traits, and expiries of
overrides are many and rest, so they have a large one.
"""

from __future__ import annotations

from segue.engine.kernel.compiled import inlined
from segue.engine.kernel.layout import FAR, R_CURSORS, R_HEAP, Program, State


@inlined
def next_due(s: State) -> int:
    """The earliest due moment, FAR if there is none."""
    due = FAR
    if s.registers[R_CURSORS] > 0:
        due = s.cursor_heap[0].due
    if s.registers[R_HEAP] > 0 and s.heap[0].due < due:
        due = s.heap[0].due
    return due


@inlined
def cursor_push(s: State, cursor: int, due: int) -> None:
    """Put a cursor that waits for nothing at its due moment."""
    child = s.registers[R_CURSORS]
    s.registers[R_CURSORS] = child + 1
    while child > 0:
        parent = (child - 1) >> 1
        if s.cursor_heap[parent].due <= due:
            break
        s.cursor_heap[child].due = s.cursor_heap[parent].due
        s.cursor_heap[child].cursor = s.cursor_heap[parent].cursor
        child = parent
    s.cursor_heap[child].due = due
    s.cursor_heap[child].cursor = cursor


@inlined
def cursor_top_moved(s: State, due: int) -> None:
    """The cursor on top now waits for ``due``; FAR takes it off."""
    cursor = s.cursor_heap[0].cursor
    size = s.registers[R_CURSORS]
    if due == FAR:
        size -= 1
        s.registers[R_CURSORS] = size
        if size == 0:
            return
        due = s.cursor_heap[size].due
        cursor = s.cursor_heap[size].cursor
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            break
        if child + 1 < size and s.cursor_heap[child + 1].due < s.cursor_heap[child].due:
            child += 1
        if s.cursor_heap[child].due >= due:
            break
        s.cursor_heap[parent].due = s.cursor_heap[child].due
        s.cursor_heap[parent].cursor = s.cursor_heap[child].cursor
        parent = child
    s.cursor_heap[parent].due = due
    s.cursor_heap[parent].cursor = cursor


@inlined
def heap_push(s: State, due: int, kind: int, a: int, b: int) -> None:
    """Remember something due; room was made before the step."""
    child = s.registers[R_HEAP]
    s.registers[R_HEAP] = child + 1
    while child > 0:
        parent = (child - 1) >> 1
        if s.heap[parent].due <= due:
            break
        s.heap[child] = s.heap[parent]
        child = parent
    s.heap[child].due = due
    s.heap[child].kind = kind
    s.heap[child].a = a
    s.heap[child].b = b


@inlined
def heap_pop(s: State) -> None:
    """Take the earliest off."""
    size = s.registers[R_HEAP] - 1
    s.registers[R_HEAP] = size
    due = s.heap[size].due
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            break
        if child + 1 < size and s.heap[child + 1].due < s.heap[child].due:
            child += 1
        if s.heap[child].due >= due:
            break
        s.heap[parent] = s.heap[child]
        parent = child
    s.heap[parent] = s.heap[size]


@inlined
def cursor_due(p: Program, s: State, cursor: int) -> int:
    """When the cursor passes the entry it waits for, FAR without one."""
    entry = s.cursor_next[cursor]
    if entry < 0:
        return FAR
    return s.entries[entry].timestamp + p.cursors[cursor].distance

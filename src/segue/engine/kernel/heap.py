"""Two heaps of due moments: one entry a cursor, and one for all that no cursor passes.

Cursors are few (one for each stream and distance) and move all the time, so they have a small
heap that stays in the first-level cache. Late entries, moments in traits, and expiries of
overrides are many and rest, so they have a large one.
"""

from __future__ import annotations

from segue.engine.kernel.compiled import inlined
from segue.engine.kernel.layout import FAR, R_CURSORS, R_HEAP
from segue.engine.kernel.world import (
    World,
    cursor_heap_of,
    cursor_next_of,
    cursors_of,
    entries_of,
    heap_of,
    registers_of,
)


@inlined
def next_due(w: World) -> int:
    """The earliest due moment, FAR if there is none."""
    due = FAR
    if registers_of(w)[R_CURSORS] > 0:
        due = cursor_heap_of(w)[0].due
    if registers_of(w)[R_HEAP] > 0 and heap_of(w)[0].due < due:
        due = heap_of(w)[0].due
    return due


@inlined
def cursor_push(w: World, cursor: int, due: int) -> None:
    """Put a cursor that waits for nothing at its due moment."""
    child = registers_of(w)[R_CURSORS]
    registers_of(w)[R_CURSORS] = child + 1
    while child > 0:
        parent = (child - 1) >> 1
        if cursor_heap_of(w)[parent].due <= due:
            break
        cursor_heap_of(w)[child].due = cursor_heap_of(w)[parent].due
        cursor_heap_of(w)[child].cursor = cursor_heap_of(w)[parent].cursor
        child = parent
    cursor_heap_of(w)[child].due = due
    cursor_heap_of(w)[child].cursor = cursor


@inlined
def cursor_top_moved(w: World, due: int) -> None:
    """The cursor on top now waits for ``due``; FAR takes it off."""
    cursor = cursor_heap_of(w)[0].cursor
    size = registers_of(w)[R_CURSORS]
    if due == FAR:
        size -= 1
        registers_of(w)[R_CURSORS] = size
        if size == 0:
            return
        due = cursor_heap_of(w)[size].due
        cursor = cursor_heap_of(w)[size].cursor
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            break
        if child + 1 < size and cursor_heap_of(w)[child + 1].due < cursor_heap_of(w)[child].due:
            child += 1
        if cursor_heap_of(w)[child].due >= due:
            break
        cursor_heap_of(w)[parent].due = cursor_heap_of(w)[child].due
        cursor_heap_of(w)[parent].cursor = cursor_heap_of(w)[child].cursor
        parent = child
    cursor_heap_of(w)[parent].due = due
    cursor_heap_of(w)[parent].cursor = cursor


@inlined
def heap_push(w: World, due: int, kind: int, a: int, b: int) -> None:
    """Remember something due; room was made before the step."""
    child = registers_of(w)[R_HEAP]
    registers_of(w)[R_HEAP] = child + 1
    while child > 0:
        parent = (child - 1) >> 1
        if heap_of(w)[parent].due <= due:
            break
        heap_of(w)[child] = heap_of(w)[parent]
        child = parent
    heap_of(w)[child].due = due
    heap_of(w)[child].kind = kind
    heap_of(w)[child].a = a
    heap_of(w)[child].b = b


@inlined
def heap_pop(w: World) -> None:
    """Take the earliest off."""
    size = registers_of(w)[R_HEAP] - 1
    registers_of(w)[R_HEAP] = size
    due = heap_of(w)[size].due
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            break
        if child + 1 < size and heap_of(w)[child + 1].due < heap_of(w)[child].due:
            child += 1
        if heap_of(w)[child].due >= due:
            break
        heap_of(w)[parent] = heap_of(w)[child]
        parent = child
    heap_of(w)[parent] = heap_of(w)[size]


@inlined
def cursor_due(w: World, cursor: int) -> int:
    """When the cursor passes the entry it waits for, FAR without one."""
    entry = cursor_next_of(w)[cursor]
    if entry < 0:
        return FAR
    return entries_of(w)[entry].timestamp + cursors_of(w)[cursor].distance

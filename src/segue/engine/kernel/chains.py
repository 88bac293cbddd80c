"""Entries: what a stream keeps of an event.

Each profile's entries of one stream are a chain from the newest back, in order. Across
profiles, the entries of a stream that came in time order are linked oldest to newest for the
cursors; late ones stand outside that list and wait in the heap.

        cursor 7d            cursor 1h        newest
           v                    v               v
    ──o────o──o─────o──o──o─────o──o──o──o──────o        time →
"""

from __future__ import annotations

from segue.engine.kernel.compiled import inlined
from segue.engine.kernel.heap import cursor_push, heap_push
from segue.engine.kernel.layout import DUE_LEAVE, R_ENTRIES, R_NOW
from segue.engine.kernel.world import (
    World,
    columns_of,
    cursor_next_of,
    cursors_of,
    entries_of,
    pool_of,
    registers_of,
    stream_states_of,
    streams_of,
)


@inlined
def chain_head(w: World, stream: int, row: int) -> int:
    """The profile's newest entry of the stream, -1 without one."""
    return columns_of(w)[row, streams_of(w)[stream].column]


@inlined
def chain_length(w: World, stream: int, row: int) -> int:
    """How many entries of the stream the profile has."""
    length = 0
    entry = chain_head(w, stream, row)
    while entry >= 0:
        length += 1
        entry = entries_of(w)[entry].earlier
    return length


@inlined
def comes_after(w: World, entry: int, timestamp: int, seq: int) -> bool:
    """Whether the entry stands after (timestamp, seq) in order."""
    at = entries_of(w)[entry].timestamp
    return at > timestamp or (at == timestamp and entries_of(w)[entry].seq > seq)


@inlined
def chain_insert(w: World, stream: int, row: int, entry: int) -> bool:
    """Link an entry into its profile's chain; whether it became the newest."""
    timestamp = entries_of(w)[entry].timestamp
    seq = entries_of(w)[entry].seq
    head = chain_head(w, stream, row)
    if head < 0 or not comes_after(w, head, timestamp, seq):
        entries_of(w)[entry].earlier = head
        columns_of(w)[row, streams_of(w)[stream].column] = entry
        return True
    later = head
    earlier = entries_of(w)[head].earlier
    while earlier >= 0 and comes_after(w, earlier, timestamp, seq):
        later = earlier
        earlier = entries_of(w)[earlier].earlier
    entries_of(w)[entry].earlier = earlier
    entries_of(w)[later].earlier = entry
    return False


@inlined
def entry_add(w: World, stream: int, row: int, timestamp: int, seq: int, value: int) -> int:
    """Store an entry, and let the stream's cursors or the heap wait for it; its number."""
    entry = registers_of(w)[R_ENTRIES]
    registers_of(w)[R_ENTRIES] = entry + 1
    entries_of(w)[entry].timestamp = timestamp
    entries_of(w)[entry].seq = seq
    entries_of(w)[entry].value = value
    entries_of(w)[entry].row = row
    entries_of(w)[entry].next = -1
    entry_awaited(w, stream, entry)
    return entry


@inlined
def entry_awaited(w: World, stream: int, entry: int) -> None:
    """Put an entry at the end of its stream's list, or in the heap if it is late."""
    now = registers_of(w)[R_NOW]
    timestamp = entries_of(w)[entry].timestamp
    first = streams_of(w)[stream].cursor_at
    last = streams_of(w)[stream].cursor_end
    if timestamp < stream_states_of(w)[stream].newest or timestamp + streams_of(w)[stream].nearest <= now:
        entries_of(w)[entry].stream = -1 - stream
        for k in range(first, last):
            cursor = pool_of(w)[k]
            due = timestamp + cursors_of(w)[cursor].distance
            if due > now:
                heap_push(w, due, DUE_LEAVE, cursor, entry)
        return
    entries_of(w)[entry].stream = stream
    stream_states_of(w)[stream].newest = timestamp
    end = stream_states_of(w)[stream].end
    if end >= 0:
        entries_of(w)[end].next = entry
    stream_states_of(w)[stream].end = entry
    for k in range(first, last):
        cursor = pool_of(w)[k]
        if cursor_next_of(w)[cursor] < 0:
            cursor_next_of(w)[cursor] = entry
            cursor_push(w, cursor, timestamp + cursors_of(w)[cursor].distance)


@inlined
def chains_joined(w: World, stream: int, absorbed: int, survivor: int) -> None:
    """Give one profile's entries of a stream to another, in order."""
    column = streams_of(w)[stream].column
    a = columns_of(w)[absorbed, column]
    b = columns_of(w)[survivor, column]
    entry = a
    while entry >= 0:
        entries_of(w)[entry].row = survivor
        entry = entries_of(w)[entry].earlier
    joined = -1
    end = -1
    while a >= 0 or b >= 0:
        if b < 0 or (a >= 0 and comes_after(w, a, entries_of(w)[b].timestamp, entries_of(w)[b].seq)):
            taken = a
            a = entries_of(w)[a].earlier
        else:
            taken = b
            b = entries_of(w)[b].earlier
        if end < 0:
            joined = taken
        else:
            entries_of(w)[end].earlier = taken
        end = taken
    columns_of(w)[absorbed, column] = -1
    columns_of(w)[survivor, column] = joined

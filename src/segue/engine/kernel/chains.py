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
from segue.engine.kernel.layout import DUE_LEAVE, R_ENTRIES, R_NOW, Program, State


@inlined
def chain_head(p: Program, s: State, stream: int, row: int) -> int:
    """The profile's newest entry of the stream, -1 without one."""
    return s.columns[row, p.streams[stream].column]


@inlined
def chain_length(p: Program, s: State, stream: int, row: int) -> int:
    """How many entries of the stream the profile has."""
    length = 0
    entry = chain_head(p, s, stream, row)
    while entry >= 0:
        length += 1
        entry = s.entries[entry].earlier
    return length


@inlined
def comes_after(s: State, entry: int, timestamp: int, seq: int) -> bool:
    """Whether the entry stands after (timestamp, seq) in order."""
    at = s.entries[entry].timestamp
    return at > timestamp or (at == timestamp and s.entries[entry].seq > seq)


@inlined
def chain_insert(p: Program, s: State, stream: int, row: int, entry: int) -> bool:
    """Link an entry into its profile's chain; whether it became the newest."""
    timestamp = s.entries[entry].timestamp
    seq = s.entries[entry].seq
    head = chain_head(p, s, stream, row)
    if head < 0 or not comes_after(s, head, timestamp, seq):
        s.entries[entry].earlier = head
        s.columns[row, p.streams[stream].column] = entry
        return True
    later = head
    earlier = s.entries[head].earlier
    while earlier >= 0 and comes_after(s, earlier, timestamp, seq):
        later = earlier
        earlier = s.entries[earlier].earlier
    s.entries[entry].earlier = earlier
    s.entries[later].earlier = entry
    return False


@inlined
def entry_add(p: Program, s: State, stream: int, row: int, timestamp: int, seq: int, value: int) -> int:
    """Store an entry, and let the stream's cursors or the heap wait for it; its number."""
    entry = s.registers[R_ENTRIES]
    s.registers[R_ENTRIES] = entry + 1
    s.entries[entry].timestamp = timestamp
    s.entries[entry].seq = seq
    s.entries[entry].value = value
    s.entries[entry].row = row
    s.entries[entry].next = -1
    entry_awaited(p, s, stream, entry)
    return entry


@inlined
def entry_awaited(p: Program, s: State, stream: int, entry: int) -> None:
    """Put an entry at the end of its stream's list, or in the heap if it is late."""
    now = s.registers[R_NOW]
    timestamp = s.entries[entry].timestamp
    first = p.streams[stream].cursor_at
    last = p.streams[stream].cursor_end
    if timestamp < s.streams[stream].newest or timestamp + p.streams[stream].nearest <= now:
        s.entries[entry].stream = -1 - stream
        for k in range(first, last):
            cursor = p.pool[k]
            due = timestamp + p.cursors[cursor].distance
            if due > now:
                heap_push(s, due, DUE_LEAVE, cursor, entry)
        return
    s.entries[entry].stream = stream
    s.streams[stream].newest = timestamp
    end = s.streams[stream].end
    if end >= 0:
        s.entries[end].next = entry
    s.streams[stream].end = entry
    for k in range(first, last):
        cursor = p.pool[k]
        if s.cursor_next[cursor] < 0:
            s.cursor_next[cursor] = entry
            cursor_push(s, cursor, timestamp + p.cursors[cursor].distance)


@inlined
def chains_joined(p: Program, s: State, stream: int, absorbed: int, survivor: int) -> None:
    """Give one profile's entries of a stream to another, in order."""
    column = p.streams[stream].column
    a = s.columns[absorbed, column]
    b = s.columns[survivor, column]
    entry = a
    while entry >= 0:
        s.entries[entry].row = survivor
        entry = s.entries[entry].earlier
    joined = -1
    end = -1
    while a >= 0 or b >= 0:
        if b < 0 or (a >= 0 and comes_after(s, a, s.entries[b].timestamp, s.entries[b].seq)):
            taken = a
            a = s.entries[a].earlier
        else:
            taken = b
            b = s.entries[b].earlier
        if end < 0:
            joined = taken
        else:
            s.entries[end].earlier = taken
        end = taken
    s.columns[absorbed, column] = -1
    s.columns[survivor, column] = joined

"""Which entries a feature's window holds, and the recount along a profile's own chain.

``recount`` is the meaning of every feature in the kernel; adding and taking back are its
short cuts for entries that come in order.
"""

from __future__ import annotations

from segue.engine.kernel.chains import chain_head
from segue.engine.kernel.compiled import inlined
from segue.engine.kernel.layout import (
    ANCHORED,
    DAYS,
    DISTINCT,
    FIXED,
    LAST,
    LATEST,
    MISSING,
    R_NOW,
    SEQUENCE,
    SESSION,
    SESSIONS,
    TRAILING,
    Program,
    State,
)
from segue.engine.kernel.values import counted_value, empty, take, uncount


@inlined
def in_window(window: int, start: int, end: int, timestamp: int, now: int) -> bool:
    """Whether a window of the simple kinds holds a moment that has come."""
    if window == TRAILING:
        return timestamp > now - start
    if window == FIXED:
        return start <= timestamp < end
    return True


@inlined
def holds_entry(p: Program, feature: int, timestamp: int, now: int) -> bool:
    """The same for a feature's own window."""
    return in_window(
        p.features[feature].window, p.features[feature].start, p.features[feature].end, timestamp, now
    )


@inlined
def anchor_entry(p: Program, s: State, feature: int, row: int) -> int:
    """The entry that an ANCHORED window starts after, -1 without one."""
    now = s.registers[R_NOW]
    window = p.features[feature].anchor_window
    start = p.features[feature].anchor_start
    end = p.features[feature].anchor_end
    entry = chain_head(p, s, p.features[feature].anchor, row)
    found = -1
    while entry >= 0:
        if in_window(window, start, end, s.entries[entry].timestamp, now):
            found = entry
            if not p.features[feature].anchor_first:
                return found
        elif window == TRAILING:
            return found
        entry = s.entries[entry].earlier
    return found


@inlined
def session_open(p: Program, s: State, row: int) -> bool:
    """Whether now is within the gap of the profile's last event."""
    head = chain_head(p, s, p.session_stream, row)
    return head >= 0 and s.registers[R_NOW] - s.entries[head].timestamp <= p.session_gap


@inlined
def starts_session(p: Program, s: State, entry: int) -> bool:
    """Whether an entry of the session stream is the first of its run."""
    earlier = s.entries[entry].earlier
    return earlier < 0 or s.entries[entry].timestamp - s.entries[earlier].timestamp > p.session_gap


@inlined
def find_session(p: Program, s: State, row: int) -> None:
    """Note where the profile's last session starts."""
    entry = chain_head(p, s, p.session_stream, row)
    if entry < 0:
        return
    while not starts_session(p, s, entry):
        entry = s.entries[entry].earlier
    s.columns[row, p.session_column] = s.entries[entry].timestamp
    s.columns[row, p.session_column + 1] = s.entries[entry].seq


@inlined
def completes(p: Program, s: State, feature: int, entry: int) -> bool:
    """Whether the earlier steps of a sequence stand before its last step's entry, in time.

    Going back, the latest entry for each step leaves the most room for those before it, so the
    first step found is the latest possible one.
    """
    row = s.entries[entry].row
    timestamp = s.entries[entry].timestamp
    seq = s.entries[entry].seq
    oldest = timestamp - p.features[feature].within
    for k in range(p.features[feature].step_end - 1, p.features[feature].step_at - 1, -1):
        found = chain_head(p, s, p.pool[k], row)
        while found >= 0 and (
            s.entries[found].timestamp > timestamp
            or (s.entries[found].timestamp == timestamp and s.entries[found].seq >= seq)
        ):
            found = s.entries[found].earlier
        if found < 0 or s.entries[found].timestamp < oldest:
            return False
        timestamp = s.entries[found].timestamp
        seq = s.entries[found].seq
    return True


@inlined
def uncount_all(p: Program, s: State, feature: int, row: int) -> None:
    """Remove all that DISTINCT and DAYS have counted for a profile."""
    kind = p.features[feature].kind
    entry = chain_head(p, s, p.features[feature].stream, row)
    while entry >= 0:
        value = counted_value(p, kind, s.entries[entry].timestamp, s.entries[entry].value)
        if value != MISSING:
            uncount(s, feature, row, value)
        entry = s.entries[entry].earlier


@inlined
def recount(p: Program, s: State, feature: int, row: int) -> None:
    """Work the accumulator out anew from the profile's entries."""
    kind = p.features[feature].kind
    if kind in (DISTINCT, DAYS):
        uncount_all(p, s, feature, row)
    empty(p, s, feature, row)
    now = s.registers[R_NOW]
    window = p.features[feature].window
    after = MISSING
    after_seq = MISSING
    if window == ANCHORED:
        anchor = anchor_entry(p, s, feature, row)
        if anchor < 0:
            return
        after = s.entries[anchor].timestamp
        after_seq = s.entries[anchor].seq + 1
    elif window == SESSION:
        if not session_open(p, s, row):
            return
        after = s.columns[row, p.session_column]
        after_seq = s.columns[row, p.session_column + 1]
    entry = chain_head(p, s, p.features[feature].stream, row)
    while entry >= 0:
        timestamp = s.entries[entry].timestamp
        if timestamp < after or (timestamp == after and s.entries[entry].seq < after_seq):
            return
        if holds_entry(p, feature, timestamp, now):
            if counts_entry(p, s, feature, entry):
                take(p, s, feature, row, timestamp, s.entries[entry].seq, s.entries[entry].value)
                if kind in (LAST, LATEST):
                    return
        elif window == TRAILING:
            return
        entry = s.entries[entry].earlier


@inlined
def counts_entry(p: Program, s: State, feature: int, entry: int) -> bool:
    """Whether an entry of the stream counts at all for SESSIONS and SEQUENCE."""
    kind = p.features[feature].kind
    if kind == SESSIONS:
        return starts_session(p, s, entry)
    if kind == SEQUENCE:
        return completes(p, s, feature, entry)
    return True

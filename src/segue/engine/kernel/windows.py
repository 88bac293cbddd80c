"""Which entries a feature's window holds, and the recount along a profile's own chain.

``recount`` is the meaning of every feature in the kernel; adding and taking back are its
short cuts for entries that come in order.
"""

from __future__ import annotations

from segue.engine.kernel.chains import chain_head
from segue.engine.kernel.compiled import inlined
from segue.engine.kernel.layout import (
    ANCHORED,
    B_SESSION_COLUMN,
    B_SESSION_GAP,
    B_SESSION_STREAM,
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
)
from segue.engine.kernel.values import counted_value, empty, take, uncount
from segue.engine.kernel.world import (
    World,
    bounds_of,
    columns_of,
    entries_of,
    features_of,
    pool_of,
    registers_of,
)


@inlined
def in_window(window: int, start: int, end: int, timestamp: int, now: int) -> bool:
    """Whether a window of the simple kinds holds a moment that has come."""
    if window == TRAILING:
        return timestamp > now - start
    if window == FIXED:
        return start <= timestamp < end
    return True


@inlined
def holds_entry(w: World, feature: int, timestamp: int, now: int) -> bool:
    """The same for a feature's own window."""
    return in_window(
        features_of(w)[feature].window,
        features_of(w)[feature].start,
        features_of(w)[feature].end,
        timestamp,
        now,
    )


@inlined
def anchor_entry(w: World, feature: int, row: int) -> int:
    """The entry that an ANCHORED window starts after, -1 without one."""
    now = registers_of(w)[R_NOW]
    window = features_of(w)[feature].anchor_window
    start = features_of(w)[feature].anchor_start
    end = features_of(w)[feature].anchor_end
    entry = chain_head(w, features_of(w)[feature].anchor, row)
    found = -1
    while entry >= 0:
        if in_window(window, start, end, entries_of(w)[entry].timestamp, now):
            found = entry
            if not features_of(w)[feature].anchor_first:
                return found
        elif window == TRAILING:
            return found
        entry = entries_of(w)[entry].earlier
    return found


@inlined
def session_open(w: World, row: int) -> bool:
    """Whether now is within the gap of the profile's last event."""
    head = chain_head(w, bounds_of(w)[B_SESSION_STREAM], row)
    return head >= 0 and registers_of(w)[R_NOW] - entries_of(w)[head].timestamp <= bounds_of(w)[B_SESSION_GAP]


@inlined
def starts_session(w: World, entry: int) -> bool:
    """Whether an entry of the session stream is the first of its run."""
    earlier = entries_of(w)[entry].earlier
    return (
        earlier < 0
        or entries_of(w)[entry].timestamp - entries_of(w)[earlier].timestamp > bounds_of(w)[B_SESSION_GAP]
    )


@inlined
def find_session(w: World, row: int) -> None:
    """Note where the profile's last session starts."""
    entry = chain_head(w, bounds_of(w)[B_SESSION_STREAM], row)
    if entry < 0:
        return
    while not starts_session(w, entry):
        entry = entries_of(w)[entry].earlier
    columns_of(w)[row, bounds_of(w)[B_SESSION_COLUMN]] = entries_of(w)[entry].timestamp
    columns_of(w)[row, bounds_of(w)[B_SESSION_COLUMN] + 1] = entries_of(w)[entry].seq


@inlined
def completes(w: World, feature: int, entry: int) -> bool:
    """Whether the earlier steps of a sequence stand before its last step's entry, in time.

    Going back, the latest entry for each step leaves the most room for those before it, so the
    first step found is the latest possible one.
    """
    row = entries_of(w)[entry].row
    timestamp = entries_of(w)[entry].timestamp
    seq = entries_of(w)[entry].seq
    oldest = timestamp - features_of(w)[feature].within
    for k in range(features_of(w)[feature].step_end - 1, features_of(w)[feature].step_at - 1, -1):
        found = chain_head(w, pool_of(w)[k], row)
        while found >= 0 and (
            entries_of(w)[found].timestamp > timestamp
            or (entries_of(w)[found].timestamp == timestamp and entries_of(w)[found].seq >= seq)
        ):
            found = entries_of(w)[found].earlier
        if found < 0 or entries_of(w)[found].timestamp < oldest:
            return False
        timestamp = entries_of(w)[found].timestamp
        seq = entries_of(w)[found].seq
    return True


@inlined
def uncount_all(w: World, feature: int, row: int) -> None:
    """Remove all that DISTINCT and DAYS have counted for a profile."""
    kind = features_of(w)[feature].kind
    entry = chain_head(w, features_of(w)[feature].stream, row)
    while entry >= 0:
        value = counted_value(w, kind, entries_of(w)[entry].timestamp, entries_of(w)[entry].value)
        if value != MISSING:
            uncount(w, feature, row, value)
        entry = entries_of(w)[entry].earlier


@inlined
def recount(w: World, feature: int, row: int) -> None:
    """Work the accumulator out anew from the profile's entries."""
    kind = features_of(w)[feature].kind
    if kind in (DISTINCT, DAYS):
        uncount_all(w, feature, row)
    empty(w, feature, row)
    now = registers_of(w)[R_NOW]
    window = features_of(w)[feature].window
    after = MISSING
    after_seq = MISSING
    if window == ANCHORED:
        anchor = anchor_entry(w, feature, row)
        if anchor < 0:
            return
        after = entries_of(w)[anchor].timestamp
        after_seq = entries_of(w)[anchor].seq + 1
    elif window == SESSION:
        if not session_open(w, row):
            return
        after = columns_of(w)[row, bounds_of(w)[B_SESSION_COLUMN]]
        after_seq = columns_of(w)[row, bounds_of(w)[B_SESSION_COLUMN] + 1]
    entry = chain_head(w, features_of(w)[feature].stream, row)
    while entry >= 0:
        timestamp = entries_of(w)[entry].timestamp
        if timestamp < after or (timestamp == after and entries_of(w)[entry].seq < after_seq):
            return
        if holds_entry(w, feature, timestamp, now):
            if counts_entry(w, feature, entry):
                take(w, feature, row, timestamp, entries_of(w)[entry].seq, entries_of(w)[entry].value)
                if kind in (LAST, LATEST):
                    return
        elif window == TRAILING:
            return
        entry = entries_of(w)[entry].earlier


@inlined
def counts_entry(w: World, feature: int, entry: int) -> bool:
    """Whether an entry of the stream counts at all for SESSIONS and SEQUENCE."""
    kind = features_of(w)[feature].kind
    if kind == SESSIONS:
        return starts_session(w, entry)
    if kind == SEQUENCE:
        return completes(w, feature, entry)
    return True

"""What an event does to features, what passing one takes back, and how two profiles become one."""

from __future__ import annotations

from segue.engine.kernel.chains import chain_head, chain_insert, chains_joined, comes_after, entry_add
from segue.engine.kernel.compiled import inlined
from segue.engine.kernel.conditions import touch, touch_row, value_changed
from segue.engine.kernel.layout import (
    ALIVE,
    ANCHORED,
    B_SESSION_COLUMN,
    B_SESSION_GAP,
    B_SESSION_STREAM,
    DAYS,
    DISTINCT,
    GIVEN,
    MISSING,
    R_NOW,
    SEQUENCE,
    SESSION,
    SESSIONS,
)
from segue.engine.kernel.values import (
    compared,
    counted_less,
    counted_more,
    counted_value,
    empty,
    give_back,
    joined,
    take,
)
from segue.engine.kernel.windows import (
    anchor_entry,
    completes,
    counts_entry,
    find_session,
    holds_entry,
    recount,
    session_open,
    starts_session,
    uncount_all,
)
from segue.engine.kernel.world import (
    World,
    atoms_of,
    bounds_of,
    column_initial_of,
    columns_of,
    cursors_of,
    entries_of,
    features_of,
    flags_of,
    pool_of,
    registers_of,
    streams_of,
)


@inlined
def stream_event(w: World, stream: int, row: int, timestamp: int, seq: int, value: int) -> None:
    """One event reaches one stream."""
    entry = -1
    newest = True
    if streams_of(w)[stream].kept:
        entry = entry_add(w, stream, row, timestamp, seq, value)
        newest = chain_insert(w, stream, row, entry)
        if stream == bounds_of(w)[B_SESSION_STREAM]:
            session_event(w, row, entry, newest)
    for k in range(streams_of(w)[stream].feature_at, streams_of(w)[stream].feature_end):
        feature = pool_of(w)[k]
        old = compared(w, feature, row)
        if feature_event(w, feature, row, entry, newest, timestamp, seq, value):
            value_changed(w, feature, row, old)
    for k in range(streams_of(w)[stream].other_at, streams_of(w)[stream].other_end):
        feature = pool_of(w)[k]
        old = compared(w, feature, row)
        if other_event(w, feature, row, entry, newest):
            value_changed(w, feature, row, old)


@inlined
def session_event(w: World, row: int, entry: int, newest: bool) -> None:
    """Keep the start of the profile's last session up to date."""
    if not newest:
        find_session(w, row)
    elif starts_session(w, entry):
        columns_of(w)[row, bounds_of(w)[B_SESSION_COLUMN]] = entries_of(w)[entry].timestamp
        columns_of(w)[row, bounds_of(w)[B_SESSION_COLUMN] + 1] = entries_of(w)[entry].seq


@inlined
def session_goes_on(w: World, entry: int) -> bool:
    """Whether the session was open now even before its newest entry came."""
    earlier = entries_of(w)[entry].earlier
    return registers_of(w)[R_NOW] - entries_of(w)[earlier].timestamp <= bounds_of(w)[B_SESSION_GAP]


@inlined
def feature_event(
    w: World, feature: int, row: int, entry: int, newest: bool, timestamp: int, seq: int, value: int
) -> bool:
    """The event reaches a feature of the stream; whether the feature may have changed."""
    window = features_of(w)[feature].window
    kind = features_of(w)[feature].kind
    if window == ANCHORED:
        anchor = anchor_entry(w, feature, row)
        if anchor < 0 or not comes_after(
            w, entry, entries_of(w)[anchor].timestamp, entries_of(w)[anchor].seq
        ):
            return False
    elif window == SESSION:
        return session_feature_event(w, feature, row, entry, newest, timestamp, seq, value)
    elif not holds_entry(w, feature, timestamp, registers_of(w)[R_NOW]):
        if kind != SESSIONS:
            return False
        # An event before the window can still join two sessions that start in it.
        recount(w, feature, row)
        return True
    if kind == SESSIONS:
        if not newest:
            recount(w, feature, row)
            return True
        if not starts_session(w, entry):
            return False
    elif kind == SEQUENCE and not completes(w, feature, entry):
        return False
    take(w, feature, row, timestamp, seq, value)
    return True


@inlined
def session_feature_event(
    w: World, feature: int, row: int, entry: int, newest: bool, timestamp: int, seq: int, value: int
) -> bool:
    """The same for a feature over the last session."""
    if not session_open(w, row):
        return False
    if features_of(w)[feature].stream == bounds_of(w)[B_SESSION_STREAM]:
        if newest and starts_session(w, entry):
            if features_of(w)[feature].kind in (DISTINCT, DAYS):
                uncount_all(w, feature, row)
            empty(w, feature, row)
        elif not newest or not session_goes_on(w, entry):
            recount(w, feature, row)
            return True
    else:
        start = columns_of(w)[row, bounds_of(w)[B_SESSION_COLUMN]]
        start_seq = columns_of(w)[row, bounds_of(w)[B_SESSION_COLUMN] + 1]
        if timestamp < start or (timestamp == start and seq < start_seq):
            return False
    take(w, feature, row, timestamp, seq, value)
    return True


@inlined
def other_event(w: World, feature: int, row: int, entry: int, newest: bool) -> bool:
    """The event reaches a stream that only bounds the feature's window or leads up to it."""
    if features_of(w)[feature].kind == SEQUENCE:
        head = chain_head(w, features_of(w)[feature].stream, row)
        if head < 0 or not comes_after(w, head, entries_of(w)[entry].timestamp, entries_of(w)[entry].seq):
            return False
    elif features_of(w)[feature].window == SESSION:
        if not session_open(w, row):
            return False
        if newest and not starts_session(w, entry) and session_goes_on(w, entry):
            return False
    elif newest and features_of(w)[feature].anchor_first and anchor_entry(w, feature, row) != entry:
        return False
    recount(w, feature, row)
    return True


@inlined
def feature_left(w: World, feature: int, entry: int) -> None:
    """An entry leaves a trailing window."""
    row = entries_of(w)[entry].row
    if not counts_entry(w, feature, entry):
        return
    old = compared(w, feature, row)
    timestamp = entries_of(w)[entry].timestamp
    if not give_back(w, feature, row, timestamp, entries_of(w)[entry].seq, entries_of(w)[entry].value):
        recount(w, feature, row)
    value_changed(w, feature, row, old)


@inlined
def cursor_passes(w: World, cursor: int, entry: int) -> None:
    """All that happens when a cursor passes an entry."""
    row = entries_of(w)[entry].row
    if row < 0:
        return
    for k in range(cursors_of(w)[cursor].leave_at, cursors_of(w)[cursor].leave_end):
        feature_left(w, pool_of(w)[k], entry)
    for k in range(cursors_of(w)[cursor].recompute_at, cursors_of(w)[cursor].recompute_end):
        feature = pool_of(w)[k]
        if features_of(w)[feature].window == SESSION and session_open(w, row):
            continue
        old = compared(w, feature, row)
        recount(w, feature, row)
        value_changed(w, feature, row, old)
    for k in range(cursors_of(w)[cursor].atom_at, cursors_of(w)[cursor].atom_end):
        atom = pool_of(w)[k]
        if compared(w, atoms_of(w)[atom].feature, row) == entries_of(w)[entry].timestamp:
            touch(w, row, atom)


@inlined
def given(w: World, feature: int, row: int, value: int) -> None:
    """Set a column from outside."""
    column = features_of(w)[feature].column
    old = columns_of(w)[row, column]
    if old != value:
        columns_of(w)[row, column] = value
        value_changed(w, feature, row, old)


@inlined
def counted_moved(w: World, feature: int, absorbed: int, survivor: int) -> None:
    """Give what DISTINCT and DAYS counted for one profile to another."""
    kind = features_of(w)[feature].kind
    now = registers_of(w)[R_NOW]
    entry = chain_head(w, features_of(w)[feature].stream, absorbed)
    while entry >= 0:
        timestamp = entries_of(w)[entry].timestamp
        value = counted_value(w, kind, timestamp, entries_of(w)[entry].value)
        if value != MISSING and holds_entry(w, feature, timestamp, now):
            counted_less(w, feature, absorbed, value)
            if counted_more(w, feature, survivor, value):
                columns_of(w)[survivor, features_of(w)[feature].column] += 1
        entry = entries_of(w)[entry].earlier


@inlined
def hangs_on_others(w: World, feature: int) -> bool:
    """Whether a feature cannot be joined from two accumulators alone."""
    return features_of(w)[feature].window in (ANCHORED, SESSION) or features_of(w)[feature].kind in (
        SEQUENCE,
        SESSIONS,
    )


@inlined
def merged(w: World, absorbed: int, survivor: int) -> None:
    """One profile's events become another's; what is given from outside follows as operations."""
    features = features_of(w).shape[0]
    for feature in range(features):
        kind = features_of(w)[feature].kind
        if kind == GIVEN:
            continue
        if hangs_on_others(w, feature):
            if kind in (DISTINCT, DAYS):
                uncount_all(w, feature, absorbed)
                uncount_all(w, feature, survivor)
            continue
        old = compared(w, feature, survivor)
        if kind in (DISTINCT, DAYS):
            counted_moved(w, feature, absorbed, survivor)
        else:
            joined(w, feature, absorbed, survivor)
        value_changed(w, feature, survivor, old)
    for stream in range(streams_of(w).shape[0]):
        if streams_of(w)[stream].kept:
            chains_joined(w, stream, absorbed, survivor)
    if bounds_of(w)[B_SESSION_STREAM] >= 0:
        find_session(w, survivor)
    for feature in range(features):
        if features_of(w)[feature].kind != GIVEN and hangs_on_others(w, feature):
            old = compared(w, feature, survivor)
            recount(w, feature, survivor)
            value_changed(w, feature, survivor, old)
    vanished(w, absorbed)


@inlined
def vanished(w: World, row: int) -> None:
    """A profile is no more; it leaves its segments at the end of the moment."""
    columns_of(w)[row, :] = column_initial_of(w)
    flags_of(w)[row] &= ~ALIVE
    touch_row(w, row)


@inlined
def forgotten(w: World, row: int) -> None:
    """Erase a profile's entries and counted values."""
    for feature in range(features_of(w).shape[0]):
        if features_of(w)[feature].kind in (DISTINCT, DAYS):
            uncount_all(w, feature, row)
    for stream in range(streams_of(w).shape[0]):
        if streams_of(w)[stream].kept:
            entry = chain_head(w, stream, row)
            while entry >= 0:
                entries_of(w)[entry].row = -1
                entries_of(w)[entry].value = 0
                entry = entries_of(w)[entry].earlier
    vanished(w, row)

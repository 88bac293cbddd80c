"""What an event does to features, what passing one takes back, and how two profiles become one."""

from __future__ import annotations

from segue.engine.kernel.chains import chain_head, chain_insert, chains_joined, comes_after, entry_add
from segue.engine.kernel.compiled import inlined
from segue.engine.kernel.conditions import touch, touch_row, value_changed
from segue.engine.kernel.layout import (
    ALIVE,
    ANCHORED,
    DAYS,
    DISTINCT,
    GIVEN,
    MISSING,
    R_NOW,
    SEQUENCE,
    SESSION,
    SESSIONS,
    Program,
    State,
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


@inlined
def stream_event(p: Program, s: State, stream: int, row: int, timestamp: int, seq: int, value: int) -> None:
    """One event reaches one stream."""
    entry = -1
    newest = True
    if p.streams[stream].kept:
        entry = entry_add(p, s, stream, row, timestamp, seq, value)
        newest = chain_insert(p, s, stream, row, entry)
        if stream == p.session_stream:
            session_event(p, s, row, entry, newest)
    for k in range(p.streams[stream].feature_at, p.streams[stream].feature_end):
        feature = p.pool[k]
        old = compared(p, s, feature, row)
        if feature_event(p, s, feature, row, entry, newest, timestamp, seq, value):
            value_changed(p, s, feature, row, old)
    for k in range(p.streams[stream].other_at, p.streams[stream].other_end):
        feature = p.pool[k]
        old = compared(p, s, feature, row)
        if other_event(p, s, feature, stream, row, entry, newest):
            value_changed(p, s, feature, row, old)


@inlined
def session_event(p: Program, s: State, row: int, entry: int, newest: bool) -> None:
    """Keep the start of the profile's last session up to date."""
    if not newest:
        find_session(p, s, row)
    elif starts_session(p, s, entry):
        s.columns[row, p.session_column] = s.entries[entry].timestamp
        s.columns[row, p.session_column + 1] = s.entries[entry].seq


@inlined
def session_goes_on(p: Program, s: State, entry: int) -> bool:
    """Whether the session was open now even before its newest entry came."""
    earlier = s.entries[entry].earlier
    return s.registers[R_NOW] - s.entries[earlier].timestamp <= p.session_gap


@inlined
def feature_event(
    p: Program, s: State, feature: int, row: int, entry: int, newest: bool, timestamp: int, seq: int, value: int
) -> bool:
    """The event reaches a feature of the stream; whether the feature may have changed."""
    window = p.features[feature].window
    kind = p.features[feature].kind
    if window == ANCHORED:
        anchor = anchor_entry(p, s, feature, row)
        if anchor < 0 or not comes_after(s, entry, s.entries[anchor].timestamp, s.entries[anchor].seq):
            return False
    elif window == SESSION:
        return session_feature_event(p, s, feature, row, entry, newest, timestamp, seq, value)
    elif not holds_entry(p, feature, timestamp, s.registers[R_NOW]):
        if kind != SESSIONS:
            return False
        # An event before the window can still join two sessions that start in it.
        recount(p, s, feature, row)
        return True
    if kind == SESSIONS:
        if not newest:
            recount(p, s, feature, row)
            return True
        if not starts_session(p, s, entry):
            return False
    elif kind == SEQUENCE and not completes(p, s, feature, entry):
        return False
    take(p, s, feature, row, timestamp, seq, value)
    return True


@inlined
def session_feature_event(
    p: Program, s: State, feature: int, row: int, entry: int, newest: bool, timestamp: int, seq: int, value: int
) -> bool:
    """The same for a feature over the last session."""
    if not session_open(p, s, row):
        return False
    if p.features[feature].stream == p.session_stream:
        if newest and starts_session(p, s, entry):
            if p.features[feature].kind in (DISTINCT, DAYS):
                uncount_all(p, s, feature, row)
            empty(p, s, feature, row)
        elif not newest or not session_goes_on(p, s, entry):
            recount(p, s, feature, row)
            return True
    else:
        start = s.columns[row, p.session_column]
        start_seq = s.columns[row, p.session_column + 1]
        if timestamp < start or (timestamp == start and seq < start_seq):
            return False
    take(p, s, feature, row, timestamp, seq, value)
    return True


@inlined
def other_event(p: Program, s: State, feature: int, stream: int, row: int, entry: int, newest: bool) -> bool:
    """The event reaches a stream that only bounds the feature's window or leads up to it."""
    if p.features[feature].kind == SEQUENCE:
        head = chain_head(p, s, p.features[feature].stream, row)
        if head < 0 or not comes_after(s, head, s.entries[entry].timestamp, s.entries[entry].seq):
            return False
    elif p.features[feature].window == SESSION:
        if not session_open(p, s, row):
            return False
        if newest and not starts_session(p, s, entry) and session_goes_on(p, s, entry):
            return False
    elif newest and p.features[feature].anchor_first and anchor_entry(p, s, feature, row) != entry:
        return False
    recount(p, s, feature, row)
    return True


@inlined
def feature_left(p: Program, s: State, feature: int, entry: int) -> None:
    """An entry leaves a trailing window."""
    row = s.entries[entry].row
    if not counts_entry(p, s, feature, entry):
        return
    old = compared(p, s, feature, row)
    timestamp = s.entries[entry].timestamp
    if not give_back(p, s, feature, row, timestamp, s.entries[entry].seq, s.entries[entry].value):
        recount(p, s, feature, row)
    value_changed(p, s, feature, row, old)


@inlined
def cursor_passes(p: Program, s: State, cursor: int, entry: int) -> None:
    """All that happens when a cursor passes an entry."""
    row = s.entries[entry].row
    if row < 0:
        return
    for k in range(p.cursors[cursor].leave_at, p.cursors[cursor].leave_end):
        feature_left(p, s, p.pool[k], entry)
    for k in range(p.cursors[cursor].recompute_at, p.cursors[cursor].recompute_end):
        feature = p.pool[k]
        if p.features[feature].window == SESSION and session_open(p, s, row):
            continue
        old = compared(p, s, feature, row)
        recount(p, s, feature, row)
        value_changed(p, s, feature, row, old)
    for k in range(p.cursors[cursor].atom_at, p.cursors[cursor].atom_end):
        atom = p.pool[k]
        if compared(p, s, p.atoms[atom].feature, row) == s.entries[entry].timestamp:
            touch(s, row, atom)


@inlined
def given(p: Program, s: State, feature: int, row: int, value: int) -> None:
    """Set a column from outside."""
    column = p.features[feature].column
    old = s.columns[row, column]
    if old != value:
        s.columns[row, column] = value
        value_changed(p, s, feature, row, old)


@inlined
def counted_moved(p: Program, s: State, feature: int, absorbed: int, survivor: int) -> None:
    """Give what DISTINCT and DAYS counted for one profile to another."""
    kind = p.features[feature].kind
    now = s.registers[R_NOW]
    entry = chain_head(p, s, p.features[feature].stream, absorbed)
    while entry >= 0:
        timestamp = s.entries[entry].timestamp
        value = counted_value(p, kind, timestamp, s.entries[entry].value)
        if value != MISSING and holds_entry(p, feature, timestamp, now):
            counted_less(s, feature, absorbed, value)
            if counted_more(s, feature, survivor, value):
                s.columns[survivor, p.features[feature].column] += 1
        entry = s.entries[entry].earlier


@inlined
def hangs_on_others(p: Program, feature: int) -> bool:
    """Whether a feature cannot be joined from two accumulators alone."""
    return p.features[feature].window in (ANCHORED, SESSION) or p.features[feature].kind in (SEQUENCE, SESSIONS)


@inlined
def merged(p: Program, s: State, absorbed: int, survivor: int) -> None:
    """One profile's events become another's; what is given from outside follows as operations."""
    features = p.features.shape[0]
    for feature in range(features):
        kind = p.features[feature].kind
        if kind == GIVEN:
            continue
        if hangs_on_others(p, feature):
            if kind in (DISTINCT, DAYS):
                uncount_all(p, s, feature, absorbed)
                uncount_all(p, s, feature, survivor)
            continue
        old = compared(p, s, feature, survivor)
        if kind in (DISTINCT, DAYS):
            counted_moved(p, s, feature, absorbed, survivor)
        else:
            joined(p, s, feature, absorbed, survivor)
        value_changed(p, s, feature, survivor, old)
    for stream in range(p.streams.shape[0]):
        if p.streams[stream].kept:
            chains_joined(p, s, stream, absorbed, survivor)
    if p.session_stream >= 0:
        find_session(p, s, survivor)
    for feature in range(features):
        if p.features[feature].kind != GIVEN and hangs_on_others(p, feature):
            old = compared(p, s, feature, survivor)
            recount(p, s, feature, survivor)
            value_changed(p, s, feature, survivor, old)
    vanished(p, s, absorbed)


@inlined
def vanished(p: Program, s: State, row: int) -> None:
    """A profile is no more; it leaves its segments at the end of the moment."""
    s.columns[row, :] = p.column_initial
    s.flags[row] &= ~ALIVE
    touch_row(s, row)


@inlined
def forgotten(p: Program, s: State, row: int) -> None:
    """Erase a profile's entries and counted values."""
    for feature in range(p.features.shape[0]):
        if p.features[feature].kind in (DISTINCT, DAYS):
            uncount_all(p, s, feature, row)
    for stream in range(p.streams.shape[0]):
        if p.streams[stream].kept:
            entry = chain_head(p, s, stream, row)
            while entry >= 0:
                s.entries[entry].row = -1
                s.entries[entry].value = 0
                entry = s.entries[entry].earlier
    vanished(p, s, row)

"""Feature columns: what each kind keeps, how one event is added, taken back, or two profiles joined.

An accumulator is the group of columns from ``feature_column`` on:

    COUNT DISTINCT DAYS SEQUENCE SESSIONS   number
    SUM                                     low, high
    AVG                                     low, high, numbers taken
    MIN MAX LAST FIRST GIVEN                value or MISSING
    LATEST EARLIEST                         value, timestamp, log position
"""

from __future__ import annotations

import numpy as np

from segue.engine.kernel.compiled import inlined
from segue.engine.kernel.layout import (
    AVG,
    BASE,
    BASE_BITS,
    COUNT,
    DAYS,
    DISTINCT,
    EARLIEST,
    FIRST,
    LAST,
    LATEST,
    MAX,
    MIN,
    MISSING,
    R_COUNTS,
    SEQUENCE,
    SESSIONS,
    SUM,
    Program,
    State,
)
from segue.engine.kernel.table import pair_delete, pair_slot

LARGEST = 2**63 - 1


@inlined
def local_day(p: Program, timestamp: int) -> int:
    """The calendar day of a moment in the workspace's zone."""
    low = 0
    high = p.zone.shape[0]
    while high - low > 1:
        middle = (low + high) >> 1
        if p.zone[middle].at <= timestamp:
            low = middle
        else:
            high = middle
    return (timestamp + p.zone[low].offset) // 86_400_000


@inlined
def sum_add(s: State, row: int, column: int, value: int, sign: int) -> None:
    """Add or take back a number of millionths."""
    low = s.columns[row, column]
    high = s.columns[row, column + 1]
    if sign > 0:
        low += value & (BASE - 1)
        high += value >> BASE_BITS
    else:
        low -= value & (BASE - 1)
        high -= value >> BASE_BITS
    s.columns[row, column] = low & (BASE - 1)
    s.columns[row, column + 1] = high + (low >> BASE_BITS)


@inlined
def sum_saturated(s: State, row: int, column: int) -> int:
    """The total as 64 bits, held at the ends; literals never reach the ends."""
    high = s.columns[row, column + 1]
    if high > 7:
        return LARGEST
    if high < -8:
        return -LARGEST
    return (high << BASE_BITS) | s.columns[row, column]


@inlined
def sum_double(s: State, row: int, column: int) -> float:
    """The double of the total, rounded once, over 10**6."""
    low = s.columns[row, column]
    high = s.columns[row, column + 1]
    if -8 <= high <= 7:
        return float((high << BASE_BITS) | low) / 1e6
    # Beyond 64 bits the last place of the double is worth 2**11 or more: eight low bits
    # matter only by being there, and folding them into one keeps every step exact but the last.
    if low & 0xFF:
        low = (low & ~0xFF) | 0x100
    return (float(high) * float(BASE) + float(low)) / 1e6


@inlined
def compared(p: Program, s: State, feature: int, row: int) -> int:
    """The feature's value as one integer for comparisons, MISSING without one."""
    column = p.features[feature].column
    kind = p.features[feature].kind
    if kind == SUM:
        return sum_saturated(s, row, column)
    return s.columns[row, column]


@inlined
def counted_more(s: State, feature: int, row: int, value: int) -> bool:
    """Count a value once more; whether it is new."""
    home = (feature << 32) | row
    slot = pair_slot(s.counts, home, value)
    if s.counts[slot].home == home:
        s.counts[slot].number += 1
        return False
    s.counts[slot].home = home
    s.counts[slot].value = value
    s.counts[slot].number = 1
    s.registers[R_COUNTS] += 1
    return True


@inlined
def counted_less(s: State, feature: int, row: int, value: int) -> bool:
    """Count a value once less; whether none is left."""
    home = (feature << 32) | row
    slot = pair_slot(s.counts, home, value)
    if s.counts[slot].home != home:
        return False
    s.counts[slot].number -= 1
    if s.counts[slot].number > 0:
        return False
    pair_delete(s.counts, slot)
    s.registers[R_COUNTS] -= 1
    return True


@inlined
def uncount(s: State, feature: int, row: int, value: int) -> None:
    """Forget a value however often it was counted."""
    home = (feature << 32) | row
    slot = pair_slot(s.counts, home, value)
    if s.counts[slot].home == home:
        pair_delete(s.counts, slot)
        s.registers[R_COUNTS] -= 1


@inlined
def counted_value(p: Program, kind: int, timestamp: int, value: int) -> int:
    """What DISTINCT and DAYS count of an entry."""
    return local_day(p, timestamp) if kind == DAYS else value


@inlined
def empty(p: Program, s: State, feature: int, row: int) -> None:
    """Set the accumulator to that of no event."""
    column = p.features[feature].column
    kind = p.features[feature].kind
    width = 1
    if kind == SUM:
        width = 2
    elif kind in (AVG, LATEST, EARLIEST):
        width = 3
    for k in range(width):
        s.columns[row, column + k] = p.column_initial[column + k]


@inlined
def take(p: Program, s: State, feature: int, row: int, timestamp: int, seq: int, value: int) -> None:
    """Add one event of the window; events may come in any order."""
    column = p.features[feature].column
    kind = p.features[feature].kind
    cells = s.columns
    if kind in (COUNT, SEQUENCE, SESSIONS):
        cells[row, column] += 1
    elif kind in (SUM, AVG):
        if value != MISSING:
            sum_add(s, row, column, value, 1)
            if kind == AVG:
                cells[row, column + 2] += 1
    elif kind in (DISTINCT, DAYS):
        counted = counted_value(p, kind, timestamp, value)
        if counted != MISSING and counted_more(s, feature, row, counted):
            cells[row, column] += 1
    elif kind == MIN:
        if value != MISSING and (cells[row, column] == MISSING or value < cells[row, column]):
            cells[row, column] = value
    elif kind == MAX:
        if value != MISSING and (cells[row, column] == MISSING or value > cells[row, column]):
            cells[row, column] = value
    elif kind == LAST:
        if cells[row, column] == MISSING or timestamp > cells[row, column]:
            cells[row, column] = timestamp
    elif kind == FIRST:
        if cells[row, column] == MISSING or timestamp < cells[row, column]:
            cells[row, column] = timestamp
    elif kind in (LATEST, EARLIEST):
        at = cells[row, column + 1]
        later = timestamp > at or (timestamp == at and seq > cells[row, column + 2])
        if at == MISSING or later == (kind == LATEST):
            cells[row, column] = value
            cells[row, column + 1] = timestamp
            cells[row, column + 2] = seq


@inlined
def give_back(p: Program, s: State, feature: int, row: int, timestamp: int, seq: int, value: int) -> bool:
    """Take one event's contribution back; False if only a look at the chain can tell."""
    column = p.features[feature].column
    kind = p.features[feature].kind
    cells = s.columns
    if kind in (COUNT, SEQUENCE, SESSIONS):
        cells[row, column] -= 1
        return True
    if kind in (SUM, AVG):
        if value != MISSING:
            sum_add(s, row, column, value, -1)
            if kind == AVG:
                cells[row, column + 2] -= 1
        return True
    if kind in (DISTINCT, DAYS):
        counted = counted_value(p, kind, timestamp, value)
        if counted != MISSING and counted_less(s, feature, row, counted):
            cells[row, column] -= 1
        return True
    if kind in (MIN, MAX):
        return cells[row, column] != value or value == MISSING
    if kind in (LAST, FIRST):
        return cells[row, column] != timestamp
    return cells[row, column + 1] != timestamp or cells[row, column + 2] != seq


@inlined
def joined(p: Program, s: State, feature: int, absorbed: int, survivor: int) -> None:
    """Add one profile's accumulator to another's; counted values are moved by the caller."""
    column = p.features[feature].column
    kind = p.features[feature].kind
    cells = s.columns
    if kind == COUNT:
        cells[survivor, column] += cells[absorbed, column]
    elif kind in (SUM, AVG):
        low = cells[survivor, column] + cells[absorbed, column]
        cells[survivor, column] = low & (BASE - 1)
        cells[survivor, column + 1] += cells[absorbed, column + 1] + (low >> BASE_BITS)
        if kind == AVG:
            cells[survivor, column + 2] += cells[absorbed, column + 2]
    elif kind in (MIN, MAX, LAST, FIRST):
        theirs = cells[absorbed, column]
        ours = cells[survivor, column]
        larger = kind in (MAX, LAST)
        if theirs != MISSING and (ours == MISSING or (theirs > ours) == larger):
            cells[survivor, column] = theirs
    elif kind in (LATEST, EARLIEST) and cells[absorbed, column + 1] != MISSING:
        take(
            p, s, feature, survivor,
            cells[absorbed, column + 1], cells[absorbed, column + 2], cells[absorbed, column],
        )  # fmt: skip


@inlined
def as_double(p: Program, s: State, feature: int, row: int) -> float:
    """The value for arithmetic; NaN stands for missing."""
    column = p.features[feature].column
    kind = p.features[feature].kind
    if kind == SUM:
        return sum_double(s, row, column)
    if kind == AVG:
        taken = s.columns[row, column + 2]
        return sum_double(s, row, column) / float(taken) if taken > 0 else np.nan
    value = s.columns[row, column]
    if value == MISSING:
        return np.nan
    if kind in (MIN, MAX, LATEST, EARLIEST) or kind > SESSIONS:
        return float(value) / 1e6
    return float(value)

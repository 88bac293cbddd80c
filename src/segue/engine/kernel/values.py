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
)
from segue.engine.kernel.table import pair_delete, pair_slot
from segue.engine.kernel.world import (
    World,
    column_initial_of,
    columns_of,
    counts_of,
    features_of,
    registers_of,
    zone_of,
)

LARGEST = 2**63 - 1


@inlined
def local_day(w: World, timestamp: int) -> int:
    """The calendar day of a moment in the workspace's zone."""
    low = 0
    high = zone_of(w).shape[0]
    while high - low > 1:
        middle = (low + high) >> 1
        if zone_of(w)[middle].at <= timestamp:
            low = middle
        else:
            high = middle
    return (timestamp + zone_of(w)[low].offset) // 86_400_000


@inlined
def sum_add(w: World, row: int, column: int, value: int, sign: int) -> None:
    """Add or take back a number of millionths."""
    low = columns_of(w)[row, column]
    high = columns_of(w)[row, column + 1]
    if sign > 0:
        low += value & (BASE - 1)
        high += value >> BASE_BITS
    else:
        low -= value & (BASE - 1)
        high -= value >> BASE_BITS
    columns_of(w)[row, column] = low & (BASE - 1)
    columns_of(w)[row, column + 1] = high + (low >> BASE_BITS)


@inlined
def sum_saturated(w: World, row: int, column: int) -> int:
    """The total as 64 bits, held at the ends; literals never reach the ends."""
    high = columns_of(w)[row, column + 1]
    if high > 7:
        return LARGEST
    if high < -8:
        return -LARGEST
    return (high << BASE_BITS) | columns_of(w)[row, column]


@inlined
def sum_double(w: World, row: int, column: int) -> float:
    """The double of the total, rounded once, over 10**6."""
    low = columns_of(w)[row, column]
    high = columns_of(w)[row, column + 1]
    if -8 <= high <= 7:
        return float((high << BASE_BITS) | low) / 1e6
    # Beyond 64 bits the last place of the double is worth 2**11 or more: eight low bits
    # matter only by being there, and folding them into one keeps every step exact but the last.
    if low & 0xFF:
        low = (low & ~0xFF) | 0x100
    return (float(high) * float(BASE) + float(low)) / 1e6


@inlined
def compared(w: World, feature: int, row: int) -> int:
    """The feature's value as one integer for comparisons, MISSING without one."""
    column = features_of(w)[feature].column
    kind = features_of(w)[feature].kind
    if kind == SUM:
        return sum_saturated(w, row, column)
    return columns_of(w)[row, column]


@inlined
def counted_more(w: World, feature: int, row: int, value: int) -> bool:
    """Count a value once more; whether it is new."""
    home = (feature << 32) | row
    slot = pair_slot(counts_of(w), home, value)
    if counts_of(w)[slot].home == home:
        counts_of(w)[slot].number += 1
        return False
    counts_of(w)[slot].home = home
    counts_of(w)[slot].value = value
    counts_of(w)[slot].number = 1
    registers_of(w)[R_COUNTS] += 1
    return True


@inlined
def counted_less(w: World, feature: int, row: int, value: int) -> bool:
    """Count a value once less; whether none is left."""
    home = (feature << 32) | row
    slot = pair_slot(counts_of(w), home, value)
    if counts_of(w)[slot].home != home:
        return False
    counts_of(w)[slot].number -= 1
    if counts_of(w)[slot].number > 0:
        return False
    pair_delete(counts_of(w), slot)
    registers_of(w)[R_COUNTS] -= 1
    return True


@inlined
def uncount(w: World, feature: int, row: int, value: int) -> None:
    """Forget a value however often it was counted."""
    home = (feature << 32) | row
    slot = pair_slot(counts_of(w), home, value)
    if counts_of(w)[slot].home == home:
        pair_delete(counts_of(w), slot)
        registers_of(w)[R_COUNTS] -= 1


@inlined
def counted_value(w: World, kind: int, timestamp: int, value: int) -> int:
    """What DISTINCT and DAYS count of an entry."""
    return local_day(w, timestamp) if kind == DAYS else value


@inlined
def empty(w: World, feature: int, row: int) -> None:
    """Set the accumulator to that of no event."""
    column = features_of(w)[feature].column
    kind = features_of(w)[feature].kind
    width = 1
    if kind == SUM:
        width = 2
    elif kind in (AVG, LATEST, EARLIEST):
        width = 3
    for k in range(width):
        columns_of(w)[row, column + k] = column_initial_of(w)[column + k]


@inlined
def take(w: World, feature: int, row: int, timestamp: int, seq: int, value: int) -> None:
    """Add one event of the window; events may come in any order."""
    column = features_of(w)[feature].column
    kind = features_of(w)[feature].kind
    cells = columns_of(w)
    if kind in (COUNT, SEQUENCE, SESSIONS):
        cells[row, column] += 1
    elif kind in (SUM, AVG):
        if value != MISSING:
            sum_add(w, row, column, value, 1)
            if kind == AVG:
                cells[row, column + 2] += 1
    elif kind in (DISTINCT, DAYS):
        counted = counted_value(w, kind, timestamp, value)
        if counted != MISSING and counted_more(w, feature, row, counted):
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
def give_back(w: World, feature: int, row: int, timestamp: int, seq: int, value: int) -> bool:
    """Take one event's contribution back; False if only a look at the chain can tell."""
    column = features_of(w)[feature].column
    kind = features_of(w)[feature].kind
    cells = columns_of(w)
    if kind in (COUNT, SEQUENCE, SESSIONS):
        cells[row, column] -= 1
        return True
    if kind in (SUM, AVG):
        if value != MISSING:
            sum_add(w, row, column, value, -1)
            if kind == AVG:
                cells[row, column + 2] -= 1
        return True
    if kind in (DISTINCT, DAYS):
        counted = counted_value(w, kind, timestamp, value)
        if counted != MISSING and counted_less(w, feature, row, counted):
            cells[row, column] -= 1
        return True
    if kind in (MIN, MAX):
        return cells[row, column] != value or value == MISSING
    if kind in (LAST, FIRST):
        return cells[row, column] != timestamp
    return cells[row, column + 1] != timestamp or cells[row, column + 2] != seq


@inlined
def joined(w: World, feature: int, absorbed: int, survivor: int) -> None:
    """Add one profile's accumulator to another's; counted values are moved by the caller."""
    column = features_of(w)[feature].column
    kind = features_of(w)[feature].kind
    cells = columns_of(w)
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
            w, feature, survivor,
            cells[absorbed, column + 1], cells[absorbed, column + 2], cells[absorbed, column],
        )  # fmt: skip


@inlined
def as_double(w: World, feature: int, row: int) -> float:
    """The value for arithmetic; NaN stands for missing."""
    column = features_of(w)[feature].column
    kind = features_of(w)[feature].kind
    if kind == SUM:
        return sum_double(w, row, column)
    if kind == AVG:
        taken = columns_of(w)[row, column + 2]
        return sum_double(w, row, column) / float(taken) if taken > 0 else np.nan
    value = columns_of(w)[row, column]
    if value == MISSING:
        return np.nan
    if kind in (MIN, MAX, LATEST, EARLIEST) or kind > SESSIONS:
        return float(value) / 1e6
    return float(value)

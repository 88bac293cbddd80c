"""From changed values to flipped memberships.

A changed value touches the atoms whose truth may have flipped; a touched atom marks the
segments to look at again. A segment sleeps for a profile while all atoms of its guard are at
their default: then it is at its default whatever the others say, so they do not wake it.
"""

from __future__ import annotations

import numpy as np

from segue.engine.kernel.compiled import inlined
from segue.engine.kernel.heap import heap_push
from segue.engine.kernel.layout import (
    ADD,
    AVG,
    BASE,
    BASE_BITS,
    BIT,
    COUNT,
    DAYS,
    DISTINCT,
    DIVIDE,
    DOUBLE,
    DUE_ATOM,
    EARLIEST,
    ELAPSED,
    EQ,
    EXACT,
    GIVEN,
    GT,
    LATEST,
    LE,
    LT,
    MEMBER,
    MISSING,
    MULTIPLY,
    NE,
    PHASE_APPLY,
    PRESENT,
    PUSH_CONSTANT,
    PUSH_FEATURE,
    R_DIRTY,
    R_NOW,
    R_PHASE,
    R_TOUCHES,
    SAME,
    SEQUENCE,
    SESSIONS,
    SUBTRACT,
    SUM,
    WITHIN,
)
from segue.engine.kernel.values import as_double, compared, sum_saturated
from segue.engine.kernel.world import (
    World,
    atoms_of,
    awake_of,
    code_of,
    columns_of,
    constants_of,
    dirty_of,
    features_of,
    members_of,
    nodes_of,
    pool_of,
    registers_of,
    segments_of,
    since_homes_of,
    soon,
    stack,
    touched_of,
    touches_of,
)

ONE = np.uint64(1)


@inlined
def row_soon(w: World, row: int) -> None:
    """Have what is known of a profile fetched from memory while others are worked on."""
    for offset in range(0, min(columns_of(w).shape[1] * 8, 320), 64):
        soon(columns_of(w), row, offset)
    soon(members_of(w), row, 0)
    soon(awake_of(w), row, 0)
    soon(touched_of(w), row, 0)
    soon(since_homes_of(w), row, 0)


@inlined
def touch_row(w: World, row: int) -> None:
    """Have the profile looked at after this moment."""
    if touched_of(w)[row] == -1:
        touched_of(w)[row] = -2
        dirty_of(w)[registers_of(w)[R_DIRTY]] = row
        registers_of(w)[R_DIRTY] += 1


@inlined
def touch(w: World, row: int, atom: int) -> None:
    """Have an atom of a profile looked at after this moment; -1-segment names a segment."""
    touch_row(w, row)
    place = registers_of(w)[R_TOUCHES]
    registers_of(w)[R_TOUCHES] = place + 1
    touches_of(w)[place].atom = atom
    touches_of(w)[place].next = touched_of(w)[row]
    touched_of(w)[row] = place


@inlined
def edges_crossed(w: World, feature: int, row: int, old: int, new: int) -> None:
    """Touch the WITHIN atoms that have an edge in (smaller, larger]."""
    smaller = min(old, new)
    larger = max(old, new)
    low = features_of(w)[feature].edge_at
    atoms = features_of(w)[feature].edge_end - low
    end = features_of(w)[feature].edge_end
    high = end
    while low < high:
        middle = (low + high) >> 1
        if pool_of(w)[middle] <= smaller:
            low = middle + 1
        else:
            high = middle
    while low < end and pool_of(w)[low] <= larger:
        touch(w, row, pool_of(w)[low + atoms])
        low += 1


@inlined
def elapsed_holds(w: World, atom: int, value: int) -> bool:
    """Whether an ELAPSED atom is true of a value now."""
    negated = atoms_of(w)[atom].negated != 0
    if value == MISSING:
        return negated
    length = registers_of(w)[R_NOW] - value
    return (atoms_of(w)[atom].low <= length <= atoms_of(w)[atom].high) != negated


@inlined
def elapsed_turned(w: World, atom: int, old: int, new: int) -> bool:
    """Whether an ELAPSED atom may be other than it was when it was last looked at.

    When a step is applied, all that time alone turned was looked at before, so the old value tells.
    While what is due is collected it does not: it may have turned at this very moment.
    """
    if registers_of(w)[R_PHASE] != PHASE_APPLY:
        return True
    return elapsed_holds(w, atom, old) != elapsed_holds(w, atom, new)


@inlined
def value_changed(w: World, feature: int, row: int, old: int) -> None:
    """Touch what may have flipped now that a feature's value is no longer ``old``."""
    new = compared(w, feature, row)
    kind = features_of(w)[feature].kind
    if old != new:
        if old == MISSING or new == MISSING:
            for k in range(features_of(w)[feature].missing_at, features_of(w)[feature].missing_end):
                touch(w, row, pool_of(w)[k])
        else:
            edges_crossed(w, feature, row, old, new)
        if new != MISSING and (kind == GIVEN or kind in (LATEST, EARLIEST)):
            now = registers_of(w)[R_NOW]
            atoms = features_of(w)[feature].due_end - features_of(w)[feature].due_at
            for k in range(features_of(w)[feature].due_at, features_of(w)[feature].due_end):
                due = new + pool_of(w)[k]
                if due > now:
                    heap_push(w, due, DUE_ATOM, row, pool_of(w)[k + atoms])
    for k in range(features_of(w)[feature].atom_at, features_of(w)[feature].atom_end):
        atom = pool_of(w)[k]
        if atoms_of(w)[atom].kind == BIT:
            if ((old ^ new) >> atoms_of(w)[atom].low) & 1:
                touch(w, row, atom)
        elif atoms_of(w)[atom].kind == ELAPSED:
            if old != new and elapsed_turned(w, atom, old, new):
                touch(w, row, atom)
        elif old != new or kind == AVG or atoms_of(w)[atom].kind in (EXACT, DOUBLE):
            touch(w, row, atom)


@inlined
def ordered(op: int, less: bool, equal: bool) -> bool:
    """The outcome of a comparison from the two facts behind it."""
    if op == EQ:
        return equal
    if op == NE:
        return not equal
    if op == LT:
        return less
    if op == LE:
        return less or equal
    if op == GT:
        return not (less or equal)
    return not less


@inlined
def exact_words(w: World, feature: int, row: int) -> tuple[int, int]:
    """A present value in millionths (a time in ms) as (high, low) words."""
    kind = features_of(w)[feature].kind
    column = features_of(w)[feature].column
    if kind == SUM:
        return columns_of(w)[row, column + 1], columns_of(w)[row, column]
    value = columns_of(w)[row, column]
    if kind in (COUNT, DISTINCT, DAYS, SEQUENCE, SESSIONS):
        value *= 1_000_000
    return value >> BASE_BITS, value & (BASE - 1)


@inlined
def exact_holds(w: World, atom: int, row: int) -> bool:
    """Compare two features of the same unit without rounding."""
    left = atoms_of(w)[atom].feature
    right = atoms_of(w)[atom].low
    op = atoms_of(w)[atom].high
    if (features_of(w)[left].kind != SUM and compared(w, left, row) == MISSING) or (
        features_of(w)[right].kind != SUM and compared(w, right, row) == MISSING
    ):
        return op == NE
    high, low = exact_words(w, left, row)
    other_high, other_low = exact_words(w, right, row)
    less = high < other_high or (high == other_high and low < other_low)
    return ordered(op, less, high == other_high and low == other_low)


@inlined
def computed(w: World, row: int, start: int, end: int) -> float:
    """Run arithmetic on doubles; NaN stands for missing."""
    values = stack()
    top = -1
    for k in range(start, end):
        code = code_of(w)[k, 0]
        if code == PUSH_FEATURE:
            top += 1
            values[top] = as_double(w, code_of(w)[k, 1], row)
        elif code == PUSH_CONSTANT:
            top += 1
            values[top] = constants_of(w)[code_of(w)[k, 1]]
        else:
            right = values[top]
            top -= 1
            left = values[top]
            if code == ADD:
                values[top] = left + right
            elif code == SUBTRACT:
                values[top] = left - right
            elif code == MULTIPLY:
                values[top] = left * right
            elif code == DIVIDE:
                values[top] = np.nan if right == 0.0 else left / right
    return values[0]


@inlined
def double_holds(w: World, atom: int, row: int) -> bool:
    """Compare two expressions as doubles."""
    op = atoms_of(w)[atom].high
    left = computed(w, row, atoms_of(w)[atom].code_at, atoms_of(w)[atom].middle)
    right = computed(w, row, atoms_of(w)[atom].middle, atoms_of(w)[atom].code_end)
    if np.isnan(left) or np.isnan(right):
        return op == NE
    return ordered(op, left < right, left == right)


@inlined
def within_holds(w: World, atom: int, row: int) -> bool:
    """Whether a WITHIN atom, by far the most frequent kind, is true of a profile now."""
    feature = atoms_of(w)[atom].feature
    negated = atoms_of(w)[atom].negated != 0
    column = features_of(w)[feature].column
    if features_of(w)[feature].kind == SUM:
        value = sum_saturated(w, row, column)
    else:
        value = columns_of(w)[row, column]
        if value == MISSING:
            return negated
    return (atoms_of(w)[atom].low <= value <= atoms_of(w)[atom].high) != negated


@inlined
def atom_holds(w: World, atom: int, row: int) -> bool:
    """Whether an atom is true of a profile now."""
    kind = atoms_of(w)[atom].kind
    if kind == WITHIN:
        return within_holds(w, atom, row)
    if kind == MEMBER:
        segment = atoms_of(w)[atom].feature
        return (members_of(w)[row, segment >> 6] >> np.uint64(segment & 63)) & ONE != 0
    if kind == EXACT:
        return exact_holds(w, atom, row)
    if kind == DOUBLE:
        return double_holds(w, atom, row)
    negated = atoms_of(w)[atom].negated != 0
    value = compared(w, atoms_of(w)[atom].feature, row)
    if kind == BIT:
        return (((value >> atoms_of(w)[atom].low) & 1) != 0) != negated
    if kind == SAME:
        other = compared(w, atoms_of(w)[atom].low, row)
        return (value != MISSING and value == other) != negated
    if kind == PRESENT:
        feature = atoms_of(w)[atom].feature
        if features_of(w)[feature].kind == AVG:
            value = columns_of(w)[row, features_of(w)[feature].column + 2] - 1
            return (value >= 0) != negated
        return (value != MISSING) != negated
    return elapsed_holds(w, atom, value)


@inlined
def condition_holds(w: World, segment: int, row: int) -> bool:
    """Follow the condition's decisions to true or false."""
    node = segments_of(w)[segment].root
    while node >= 0:
        node = (
            nodes_of(w)[node].if_true
            if atom_holds(w, nodes_of(w)[node].atom, row)
            else nodes_of(w)[node].if_false
        )
    return node == -1


@inlined
def guard_up(w: World, segment: int, row: int) -> bool:
    """Whether any atom of the segment's guard is away from its default."""
    if segments_of(w)[segment].always:
        return True
    for k in range(segments_of(w)[segment].guard_at, segments_of(w)[segment].guard_end):
        atom = pool_of(w)[k]
        if atom_holds(w, atom, row) != (atoms_of(w)[atom].default != 0):
            return True
    return False

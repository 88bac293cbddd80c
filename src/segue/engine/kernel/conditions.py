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
    PRESENT,
    PUSH_CONSTANT,
    PUSH_FEATURE,
    R_DIRTY,
    R_NOW,
    R_TOUCHES,
    SAME,
    SEQUENCE,
    SESSIONS,
    SUBTRACT,
    SUM,
    Program,
    State,
)
from segue.engine.kernel.values import as_double, compared

ONE = np.uint64(1)
DEPTH_MAX = 64


@inlined
def touch_row(s: State, row: int) -> None:
    """Have the profile looked at after this moment."""
    if s.touched[row] == -1:
        s.touched[row] = -2
        s.dirty[s.registers[R_DIRTY]] = row
        s.registers[R_DIRTY] += 1


@inlined
def touch(s: State, row: int, atom: int) -> None:
    """Have an atom of a profile looked at after this moment; -1-segment names a segment."""
    touch_row(s, row)
    place = s.registers[R_TOUCHES]
    s.registers[R_TOUCHES] = place + 1
    s.touches[place].atom = atom
    s.touches[place].next = s.touched[row]
    s.touched[row] = place


@inlined
def edges_crossed(p: Program, s: State, feature: int, row: int, old: int, new: int) -> None:
    """Touch the WITHIN atoms that have an edge in (smaller, larger]."""
    smaller = min(old, new)
    larger = max(old, new)
    low = p.features[feature].edge_at
    atoms = p.features[feature].edge_end - low
    end = p.features[feature].edge_end
    high = end
    while low < high:
        middle = (low + high) >> 1
        if p.pool[middle] <= smaller:
            low = middle + 1
        else:
            high = middle
    while low < end and p.pool[low] <= larger:
        touch(s, row, p.pool[low + atoms])
        low += 1


@inlined
def value_changed(p: Program, s: State, feature: int, row: int, old: int) -> None:
    """Touch what may have flipped now that a feature's value is no longer ``old``."""
    new = compared(p, s, feature, row)
    kind = p.features[feature].kind
    if old != new:
        if old == MISSING or new == MISSING:
            for k in range(p.features[feature].missing_at, p.features[feature].missing_end):
                touch(s, row, p.pool[k])
        else:
            edges_crossed(p, s, feature, row, old, new)
        if new != MISSING and (kind == GIVEN or kind in (LATEST, EARLIEST)):
            now = s.registers[R_NOW]
            atoms = p.features[feature].due_end - p.features[feature].due_at
            for k in range(p.features[feature].due_at, p.features[feature].due_end):
                due = new + p.pool[k]
                if due > now:
                    heap_push(s, due, DUE_ATOM, row, p.pool[k + atoms])
    for k in range(p.features[feature].atom_at, p.features[feature].atom_end):
        atom = p.pool[k]
        if p.atoms[atom].kind == BIT:
            if ((old ^ new) >> p.atoms[atom].low) & 1:
                touch(s, row, atom)
        elif old != new or kind == AVG or p.atoms[atom].kind in (EXACT, DOUBLE):
            touch(s, row, atom)


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
def exact_words(p: Program, s: State, feature: int, row: int) -> tuple[int, int]:
    """A present value in millionths (a time in ms) as (high, low) words."""
    kind = p.features[feature].kind
    column = p.features[feature].column
    if kind == SUM:
        return s.columns[row, column + 1], s.columns[row, column]
    value = s.columns[row, column]
    if kind in (COUNT, DISTINCT, DAYS, SEQUENCE, SESSIONS):
        value *= 1_000_000
    return value >> BASE_BITS, value & (BASE - 1)


@inlined
def exact_holds(p: Program, s: State, atom: int, row: int) -> bool:
    """Compare two features of the same unit without rounding."""
    left = p.atoms[atom].feature
    right = p.atoms[atom].low
    op = p.atoms[atom].high
    if (p.features[left].kind != SUM and compared(p, s, left, row) == MISSING) or (
        p.features[right].kind != SUM and compared(p, s, right, row) == MISSING
    ):
        return op == NE
    high, low = exact_words(p, s, left, row)
    other_high, other_low = exact_words(p, s, right, row)
    less = high < other_high or (high == other_high and low < other_low)
    return ordered(op, less, high == other_high and low == other_low)


@inlined
def computed(p: Program, s: State, row: int, start: int, end: int) -> float:
    """Run arithmetic on doubles; NaN stands for missing."""
    stack = np.empty(DEPTH_MAX, np.float64)
    top = -1
    for k in range(start, end):
        code = p.code[k, 0]
        if code == PUSH_FEATURE:
            top += 1
            stack[top] = as_double(p, s, p.code[k, 1], row)
        elif code == PUSH_CONSTANT:
            top += 1
            stack[top] = p.constants[p.code[k, 1]]
        else:
            right = stack[top]
            top -= 1
            left = stack[top]
            if code == ADD:
                stack[top] = left + right
            elif code == SUBTRACT:
                stack[top] = left - right
            elif code == MULTIPLY:
                stack[top] = left * right
            elif code == DIVIDE:
                stack[top] = np.nan if right == 0.0 else left / right
            if np.isinf(stack[top]):
                stack[top] = np.nan
    return stack[0]


@inlined
def double_holds(p: Program, s: State, atom: int, row: int) -> bool:
    """Compare two expressions as doubles."""
    op = p.atoms[atom].high
    left = computed(p, s, row, p.atoms[atom].code_at, p.atoms[atom].middle)
    right = computed(p, s, row, p.atoms[atom].middle, p.atoms[atom].code_end)
    if np.isnan(left) or np.isnan(right):
        return op == NE
    return ordered(op, left < right, left == right)


@inlined
def atom_holds(p: Program, s: State, atom: int, row: int) -> bool:
    """Whether an atom is true of a profile now."""
    kind = p.atoms[atom].kind
    if kind == MEMBER:
        segment = p.atoms[atom].feature
        return (s.members[row, segment >> 6] >> np.uint64(segment & 63)) & ONE != 0
    if kind == EXACT:
        return exact_holds(p, s, atom, row)
    if kind == DOUBLE:
        return double_holds(p, s, atom, row)
    negated = p.atoms[atom].negated != 0
    value = compared(p, s, p.atoms[atom].feature, row)
    if kind == BIT:
        return (((value >> p.atoms[atom].low) & 1) != 0) != negated
    if kind == SAME:
        other = compared(p, s, p.atoms[atom].low, row)
        return (value != MISSING and value == other) != negated
    if kind == PRESENT:
        feature = p.atoms[atom].feature
        if p.features[feature].kind == AVG:
            value = s.columns[row, p.features[feature].column + 2] - 1
            return (value >= 0) != negated
        return (value != MISSING) != negated
    if value == MISSING and p.features[p.atoms[atom].feature].kind != SUM:
        return negated
    if kind == ELAPSED:
        value = s.registers[R_NOW] - value
    return (p.atoms[atom].low <= value <= p.atoms[atom].high) != negated


@inlined
def condition_holds(p: Program, s: State, segment: int, row: int) -> bool:
    """Follow the condition's decisions to true or false."""
    node = p.segments[segment].root
    while node >= 0:
        node = p.nodes[node].if_true if atom_holds(p, s, p.nodes[node].atom, row) else p.nodes[node].if_false
    return node == -1


@inlined
def guard_up(p: Program, s: State, segment: int, row: int) -> bool:
    """Whether any atom of the segment's guard is away from its default."""
    if p.segments[segment].always:
        return True
    for k in range(p.segments[segment].guard_at, p.segments[segment].guard_end):
        atom = p.pool[k]
        if atom_holds(p, s, atom, row) != (p.atoms[atom].default != 0):
            return True
    return False

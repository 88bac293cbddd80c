"""What the kernel's integers mean, and the records of arrays it works on.

``Program`` is what the definitions say (never written by the kernel), ``State`` is what the
events made of it, ``Batch`` is what to do next. Lists of varying length lie in the program's
``pool``: the list ``x`` of a record is ``pool[x_at:x_end]``. Records keep the number of arrays
small: each array is seven words in every call, and with a hundred of them compiling took minutes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Records = Any
"""A structured array; its records' fields are read as attributes by compiled code."""
Ints = npt.NDArray[np.int64]
Ints32 = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]
Doubles = npt.NDArray[np.float64]
AnyArray = npt.NDArray[Any]

MISSING = -(2**63)
"""The column value of what is missing."""
FAR = 2**62
"""Later than every moment."""
FOREVER = FAR >> 3
"""The end of an override without one; two bits below it hold the side."""
SINCE_UNIT = 4
"""Places in the smallest block of moments of entry."""
SEGMENT_BITS = 20
"""A membership's key is ``row << SEGMENT_BITS | segment``."""

# Feature kinds: what a group of columns keeps.
COUNT, SUM, AVG, MIN, MAX, DISTINCT, DAYS = range(7)
LAST, FIRST, LATEST, EARLIEST, SEQUENCE, SESSIONS, GIVEN = range(7, 14)
"""GIVEN columns are set from outside: traits, lists."""

# Windows.
ALL, TRAILING, FIXED, ANCHORED, SESSION = range(5)

# Atoms: the leaves of conditions.
WITHIN, BIT, ELAPSED, EXACT, DOUBLE, SAME, MEMBER, PRESENT, CONSTANT = range(9)

# Comparison codes of EXACT and DOUBLE atoms.
EQ, NE, LT, LE, GT, GE = range(6)

# Instructions of DOUBLE expressions: (code, argument).
PUSH_FEATURE, PUSH_CONSTANT, ADD, SUBTRACT, MULTIPLY, DIVIDE = range(6)

# Operations of a step.
OP_CREATE, OP_EVENT, OP_SET, OP_MERGE, OP_FORGET, OP_OVERRIDE, OP_TOUCH_SEGMENT = range(7)

# What is due: kinds of the late heap.
DUE_LEAVE, DUE_ATOM, DUE_OVERRIDE, DUE_EVERYONE = range(4)

# Causes, as stored with changes (domain.change.Cause in this order).
BY_EVENT, BY_TIME, BY_DEFINITION, BY_MERGE, BY_OVERRIDE, BY_LIST, BY_SCORE, BY_FORGET = range(8)

# Places in the program's ``bounds``: its scalars.
(
    B_CREATION_AT,
    B_CREATION_END,
    B_SESSION_STREAM,
    B_SESSION_GAP,
    B_SESSION_COLUMN,
    B_ENTRIES_MAX,
    B_PUSHES_MAX,
    B_COUNTS_MAX,
    B_TOUCHES_MAX,
    B_RECOUNTS_VALUES,
) = range(10)

# Why the kernel came back.
DONE, GROW_ENTRIES, GROW_HEAP, GROW_COUNTS, GROW_SINCE, GROW_TOUCHES, FLUSH_CHANGES = range(7)

# Registers: the kernel's own scalars, so that it can stop and go on anywhere.
(
    R_STEP,  # next step of the batch
    R_PHASE,
    R_MOMENT,  # the moment being worked off
    R_NOW,  # engine time
    R_DIRTY,  # rows touched at this moment
    R_EVALUATED,  # of those, how many are evaluated
    R_TOUCHES,
    R_OUT,  # changes in the output
    R_ENTRIES,
    R_HEAP,
    R_CURSORS,  # entries of the cursor heap
    R_COUNTS,
    R_SINCE,
    R_OVERRIDES,
    R_CAUSE,
    R_SEQ,  # log position of what is being evaluated
    R_EVALUATIONS,  # statistics: segments looked at
    R_ROWS,
    R_OPERATION,  # next operation of the step
    R_SIZE,
) = range(20)

PHASE_DUE, PHASE_COLLECT, PHASE_EVALUATE_DUE, PHASE_APPLY, PHASE_EVALUATE_STEP = range(5)

ALIVE, OVERRIDDEN = 1, 2
"""Row flags."""

NODE_TRUE, NODE_FALSE = -1, -2

BASE_BITS = 60
BASE = 1 << BASE_BITS
"""A sum is ``high * BASE + low`` with ``0 <= low < BASE``: 123 bits, one spelling for each total."""


def _record(**fields: str) -> np.dtype[Any]:
    return np.dtype(list(fields.items()), align=True)


# ---- what definitions say --------------------------------------------------------------------

CODE = _record(link_at="i4", link_end="i4")
LINK = _record(stream="i4", test="i4", slot="i4")
"""An event code's way to a stream; ``test`` a ``where`` answer or -1, ``slot`` a value or -1."""

STREAM = _record(
    horizon="i8",  # ms an entry can still matter; FAR: for ever
    nearest="i8",  # the shortest cursor distance, FAR without one
    column="i4",  # of the chain's newest entry, -1 when entries are not kept
    feature_at="i4", feature_end="i4",  # features of this stream
    other_at="i4", other_end="i4",  # features it bounds or leads up to
    cursor_at="i4", cursor_end="i4",
    kept="u1",
)  # fmt: skip
CURSOR = _record(
    distance="i8",
    stream="i4",
    leave_at="i4", leave_end="i4",  # features an entry leaves when this cursor passes it
    atom_at="i4", atom_end="i4",  # ELAPSED atoms that may flip then
    recompute_at="i4", recompute_end="i4",  # features whose window hangs on an entry of this stream
)  # fmt: skip
FEATURE = _record(
    start="i8",  # TRAILING: length; FIXED: start
    end="i8",
    anchor_start="i8",
    anchor_end="i8",
    within="i8",
    stream="i4",  # -1 for GIVEN
    anchor="i4",  # stream of the anchor
    column="i4",
    step_at="i4", step_end="i4",  # streams of a sequence's steps but the last, in order
    edge_at="i4", edge_end="i4",  # sorted values at which WITHIN atoms flip; as many atoms follow
    atom_at="i4", atom_end="i4",  # atoms to look at whenever the value changes
    missing_at="i4", missing_end="i4",  # atoms to look at when the value comes or goes
    due_at="i4", due_end="i4",  # offsets from the value at which ELAPSED atoms flip; as many atoms follow
    kind="u1",
    window="u1",
    anchor_first="u1",
    anchor_window="u1",
)  # fmt: skip
ATOM = _record(
    low="i8",
    high="i8",
    feature="i4",  # MEMBER: segment
    code_at="i4", code_end="i4",  # DOUBLE: left code up to ``middle``, then the right one
    middle="i4",
    waker_at="i4", waker_end="i4",  # segments evaluated whenever the atom is touched
    kind="u1",
    negated="u1",
    default="u1",
)  # fmt: skip
SEGMENT = _record(
    root="i4",
    rank="i4",  # by name
    atom="i4",  # the MEMBER atom that refers to it, -1
    group="i4",  # -1
    guard_at="i4", guard_end="i4",  # atoms; while all are at their default so is the segment
    always="u1",  # no default holds
    single="u1",  # its condition is one atom or the flip of one
    sleeps="u1",  # some atom wakes it only while its guard is up
    default="u1",  # outside of groups: its truth while its guard is down
)  # fmt: skip
GROUP = _record(member_at="i4", member_end="i4")
"""Segments of an exclusive group, by falling priority."""
NODE = _record(atom="i4", if_true="i4", if_false="i4")
ZONE = _record(at="i8", offset="i8")


class Program(NamedTuple):
    """The compiled definitions. Segments are numbered in the order of their references."""

    codes: Records
    links: Records
    streams: Records
    cursors: Records
    features: Records
    atoms: Records
    segments: Records
    groups: Records
    nodes: Records
    zone: Records
    pool: Ints
    column_initial: Ints  # [columns]
    atom_sleeper: Words  # [atoms, words] segments evaluated only where they are awake
    atom_sleeper_sum: Words  # [atoms, sums]
    code: Ints32  # [instructions, 2]
    constants: Doubles
    bounds: Ints  # scalars, by their ``B_`` places


# ---- what events made of it ------------------------------------------------------------------

TOUCH = _record(atom="i4", next="i4")
"""An atom (or -1-segment) to look at for a row, and the row's next one."""
ENTRY = _record(
    timestamp="i8",
    seq="i8",
    value="i8",
    row="i4",
    earlier="i4",  # the profile's previous entry of the stream, in order
    next="i4",  # the stream's next entry, in time
    stream="i4",  # its stream; -1-stream when late
)
STREAM_STATE = _record(newest="i8", end="i4")
CURSOR_DUE = _record(due="i8", cursor="i4")
DUE = _record(due="i8", kind="i4", a="i4", b="i4")
COUNTED = _record(home="i8", value="i8", number="i8")
HOME = _record(home="i4", count="i4")
"""Where a profile's moments of entry lie, in units of SINCE_UNIT places, and how many there are."""
KEYED = _record(key="i8", value="i8")
CHANGE = _record(at="i8", seq="i8", row="i4", segment="i4", entered="u1", cause="u1")


class State(NamedTuple):
    """What changes. Row-major, so that an event touches few cache lines."""

    registers: Ints
    columns: Ints  # [rows, columns]
    members: Words  # [rows, words]
    awake: Words
    awake_sum: Words
    flags: Bytes  # [rows]
    touched: Ints32  # [rows] head of the row's touches, -1
    dirty: Ints32  # rows touched at this moment
    touches: Records
    entries: Records
    stream_states: Records
    cursor_next: Ints32
    cursor_heap: Records
    heap: Records
    counts: Records
    since_at: Ints
    since_segment: Ints32
    since_homes: Records  # [rows]
    since_free: Ints  # [sizes] first free block, in units; 0 none
    overrides: Records
    dirty_segments: Words
    dirty_sum: Words
    flips: Ints32
    out: Records


# ---- what to do next -------------------------------------------------------------------------

STEP = _record(
    time="i8",  # engine time of the step
    seq="i8",
    op_at="i4", op_end="i4",
    cause="u1",
    joint="u1",  # belongs to the due moment at its time, with whatever else is due then
)  # fmt: skip
OPERATION = _record(
    time="i8",  # EVENT: timestamp; OVERRIDE: until
    value="i8",  # SET: value; EVENT: its log position
    row="i4",
    a="i4",  # EVENT: code; SET: feature; MERGE: surviving row; OVERRIDE: segment
    b="i4",  # EVENT: first slot; OVERRIDE: 0 none, 1 in, 2 out
    op="u1",
)


class Batch(NamedTuple):
    """Steps in order, each with a stretch of the operations."""

    steps: Records
    ops: Records
    slots: Ints

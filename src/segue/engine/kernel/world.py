"""The kernel's arrays behind one argument.

A compiled function takes every array it is given as seven words by value, and what it calls takes
them again; with all tables of a program that cost more than the work itself (150 µs an event, and
minutes to compile). So the kernel hands on one small array of addresses and lengths, and each
function reaches for the tables it reads: ``features_of(w)[feature].kind``.

The arrays themselves stay alive and in place in :class:`Program`, :class:`State` and :class:`Batch`
for as long as a ``World`` made of them is in use; whoever replaces one makes a new world.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, from_dtype, types
from numba.core import cgutils
from numba.np import arrayobj

from segue.engine.kernel import layout as k
from segue.engine.kernel.layout import Batch, Doubles, Ints, Program, State

World = int
"""Inside the kernel: where the array of addresses and lengths lies."""


_intrinsic: Any = extending.intrinsic
_function: Any = cgutils.get_or_insert_function
_alloca: Any = cgutils.alloca_once
_make_array: Any = arrayobj.make_array
_populate_array: Any = arrayobj.populate_array


def _inside(_context: Any, world: Any) -> Any:

    def built(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = _make_array(signature.args[0])(context, builder, arguments[0])
        return builder.ptrtoint(array.data, cgutils.intp_t)

    return types.int64(world), built


inside: Callable[[Ints], World] = _intrinsic(_inside)
"""The world as the kernel's functions hand it on."""


def _constant(builder: Any, world: Any, place: int) -> Any:
    """One word of the world. It never changes during a call, and LLVM may know: it need not load it again."""
    address = builder.add(world, ir.Constant(cgutils.intp_t, 8 * place))
    word = builder.load(builder.inttoptr(address, cgutils.intp_t.as_pointer()))
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


def _soon(_context: Any, array: Any, _place: Any, _offset: Any) -> Any:
    def built(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = _make_array(signature.args[0])(context, builder, arguments[0])
        start = builder.mul(arguments[1], builder.extract_value(found.strides, 0))
        address = builder.ptrtoint(found.data, cgutils.intp_t)
        pointer = builder.inttoptr(builder.add(builder.add(address, start), arguments[2]), cgutils.voidptr_t)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, *[ir.IntType(32)] * 3])
        prefetch = _function(builder.module, kind, "llvm.prefetch.p0")
        to_write, keep, data = (ir.Constant(ir.IntType(32), number) for number in (1, 3, 1))
        builder.call(prefetch, [pointer, to_write, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), built


soon: Callable[[Any, int, int], None] = _intrinsic(_soon)
"""``soon(array, place, offset)``: have memory fetched, ``offset`` bytes into a record or a row."""


DEPTH_MAX = 64
"""How deep arithmetic may nest."""


def _stack(_context: Any) -> Any:
    array_type = types.Array(types.float64, 1, "C")

    def built(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        array = _make_array(array_type)(context, builder)
        size, item = (ir.Constant(cgutils.intp_t, number) for number in (DEPTH_MAX, 8))
        memory = _alloca(builder, ir.DoubleType(), size=size)
        _populate_array(array, memory, [size], [item], item, None)
        return array._getvalue()

    return array_type(), built


stack: Callable[[], Doubles] = _intrinsic(_stack)
"""[DEPTH_MAX] doubles that live as long as the call, without memory being asked for."""


_PROGRAM = (
    "codes", "links", "streams", "cursors", "features", "atoms", "segments", "groups", "nodes", "zone",
    "pool", "column_initial", "atom_sleeper", "atom_sleeper_sum", "code", "constants", "bounds",
)  # fmt: skip
_STATE = (
    "registers", "columns", "members", "awake", "awake_sum", "flags", "touched", "dirty", "touches",
    "entries", "stream_states", "cursor_next", "cursor_heap", "heap", "counts",
    "since_at", "since_segment", "since_homes",
    "since_free", "overrides",
    "dirty_segments", "dirty_sum", "flips", "out",
)  # fmt: skip
_BATCH = ("steps", "ops", "slots")
_PLACES = {name: 3 * place for place, name in enumerate((*_PROGRAM, *_STATE, *_BATCH))}


def _reach(name: str, dtype: Any, dimensions: int) -> Callable[[World], Any]:
    """A function of the world that gives an array; built in one piece, as inlined Python takes ten times
    as long to compile.
    """
    at = _PLACES[name]
    array_type = types.Array(from_dtype(np.dtype(dtype)), dimensions, "C")
    size = np.dtype(dtype).itemsize

    def reach(_context: Any, world: Any) -> Any:
        def built(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            array = _make_array(array_type)(context, builder)
            item = ir.Constant(cgutils.intp_t, size)
            shape = [_constant(builder, arguments[0], at + 1 + place) for place in range(dimensions)]
            strides = [item] if dimensions == 1 else [builder.mul(shape[1], item), item]
            data = builder.inttoptr(_constant(builder, arguments[0], at), array.data.type)
            _populate_array(array, data, shape, strides, item, None)
            return array._getvalue()

        return array_type(world), built

    reach.__name__ = reach.__qualname__ = f"{name}_of"
    found: Callable[[World], Any] = _intrinsic(reach)
    return found


def _flat(name: str, dtype: Any) -> Callable[[World], Any]:
    """One-dimensional."""
    return _reach(name, dtype, 1)


def _table(name: str, dtype: Any) -> Callable[[World], Any]:
    """Two-dimensional."""
    return _reach(name, dtype, 2)


codes_of = _flat("codes", k.CODE)
links_of = _flat("links", k.LINK)
streams_of = _flat("streams", k.STREAM)
cursors_of = _flat("cursors", k.CURSOR)
features_of = _flat("features", k.FEATURE)
atoms_of = _flat("atoms", k.ATOM)
segments_of = _flat("segments", k.SEGMENT)
groups_of = _flat("groups", k.GROUP)
nodes_of = _flat("nodes", k.NODE)
zone_of = _flat("zone", k.ZONE)
pool_of = _flat("pool", np.int64)
column_initial_of = _flat("column_initial", np.int64)
atom_sleeper_of = _table("atom_sleeper", np.uint64)
atom_sleeper_sum_of = _table("atom_sleeper_sum", np.uint64)
code_of = _table("code", np.int32)
constants_of = _flat("constants", np.float64)
bounds_of = _flat("bounds", np.int64)
registers_of = _flat("registers", np.int64)
columns_of = _table("columns", np.int64)
members_of = _table("members", np.uint64)
awake_of = _table("awake", np.uint64)
awake_sum_of = _table("awake_sum", np.uint64)
flags_of = _flat("flags", np.uint8)
touched_of = _flat("touched", np.int32)
dirty_of = _flat("dirty", np.int32)
touches_of = _flat("touches", k.TOUCH)
entries_of = _flat("entries", k.ENTRY)
stream_states_of = _flat("stream_states", k.STREAM_STATE)
cursor_next_of = _flat("cursor_next", np.int32)
cursor_heap_of = _flat("cursor_heap", k.CURSOR_DUE)
heap_of = _flat("heap", k.DUE)
counts_of = _flat("counts", k.COUNTED)
since_at_of = _flat("since_at", np.int64)
since_segment_of = _flat("since_segment", np.int32)
since_homes_of = _flat("since_homes", k.HOME)
since_free_of = _flat("since_free", np.int64)
overrides_of = _flat("overrides", k.KEYED)
dirty_segments_of = _flat("dirty_segments", np.uint64)
dirty_sum_of = _flat("dirty_sum", np.uint64)
flips_of = _flat("flips", np.int32)
out_of = _flat("out", k.CHANGE)
steps_of = _flat("steps", k.STEP)
ops_of = _flat("ops", k.OPERATION)
slots_of = _flat("slots", np.int64)


def world_of(program: Program, state: State, batch: Batch) -> Ints:
    """[3 * arrays]: address, rows and columns of each array. Arrays must be contiguous."""
    found = np.zeros(3 * len(_PLACES), np.int64)
    _place(found, program)
    _place(found, state)
    _place(found, batch)
    return found


def place_batch(world: Ints, batch: Batch) -> None:
    """Put another batch into a world."""
    _place(world, batch)


def _place(world: Ints, part: Program | State | Batch) -> None:
    for name in part._fields:
        array = getattr(part, name)
        assert array.flags.c_contiguous, name
        place = _PLACES[name]
        world[place] = array.ctypes.data
        world[place + 1] = array.shape[0]
        world[place + 2] = array.shape[1] if array.ndim == 2 else 1

"""What Numba has no words for: bytes and words at an address, and counting zeros."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic
from numba.np import arrayobj

_intrinsic: Any = intrinsic
_INT64 = ir.IntType(64)


@_intrinsic
def address_of(_typing: Any, array: Any) -> Any:
    """Where an array's bytes lie. The functions of the lane hand on this number, not the array: numba would
    count references at each call, which takes longer than the call's work. The array must be held meanwhile.
    """

    def build(context: int, builder: Any, signature: Any, args: Any) -> Any:
        held = arrayobj.make_array(signature.args[0])(context, builder, args[0])
        return builder.ptrtoint(held.data, _INT64)

    return types.int64(array), build


def _place(builder: Any, args: Any, bits: int) -> Any:
    return builder.inttoptr(builder.add(args[0], args[1]), ir.IntType(bits).as_pointer())


@_intrinsic
def word_at(_typing: Any, text: Any, at: Any) -> Any:
    """The eight bytes from a place on, as they lie in memory (the machine's order is little-endian)."""

    def build(_context: int, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.load(_place(builder, args, 64), align=1)

    return types.uint64(types.int64, types.int64), build


@_intrinsic
def byte_at(_typing: Any, text: Any, at: Any) -> Any:
    """One byte as an int64."""

    def build(_context: int, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.zext(builder.load(_place(builder, args, 8)), _INT64)

    return types.int64(types.int64, types.int64), build


@_intrinsic
def put_int32(_typing: Any, numbers: Any, at: Any, value: Any) -> Any:
    """Write one number of an array of 32-bit numbers; ``at`` counts numbers."""

    def build(_context: int, builder: Any, _signature: Any, args: Any) -> Any:
        offset = builder.shl(args[1], ir.Constant(_INT64, 2))
        builder.store(builder.trunc(args[2], ir.IntType(32)), _place(builder, (args[0], offset), 32))
        return args[2]

    return types.int64(types.int64, types.int64, types.int64), build


@_intrinsic
def put_int64(_typing: Any, numbers: Any, at: Any, value: Any) -> Any:
    """Write one number of an array of 64-bit numbers; ``at`` counts numbers."""

    def build(_context: int, builder: Any, _signature: Any, args: Any) -> Any:
        offset = builder.shl(args[1], ir.Constant(_INT64, 3))
        builder.store(args[2], _place(builder, (args[0], offset), 64))
        return args[2]

    return types.int64(types.int64, types.int64, types.int64), build


@_intrinsic
def copy_bytes(_typing: Any, target: Any, source: Any, size: Any) -> Any:
    """Copy bytes from one address to another; the two do not overlap."""

    def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        bytes_at = ir.IntType(8).as_pointer()
        to, of = builder.inttoptr(args[0], bytes_at), builder.inttoptr(args[1], bytes_at)
        cgutils.raw_memcpy(builder, to, of, args[2], 1)
        return args[2]

    return types.int64(types.int64, types.int64, types.int64), build


@_intrinsic
def zeros_below(_typing: Any, word: Any) -> Any:
    """How many bits are zero below the lowest one that is not."""

    def build(_context: int, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), build

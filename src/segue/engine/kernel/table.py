"""Open-addressing tables of integers: counted values and overrides.

Linear probing with backward-shift deletion, so there are no tombstones to clean up.
Capacities are powers of two, and the caller keeps them at most 70 % full.
"""

from __future__ import annotations

import numpy as np

from segue.engine.kernel.compiled import compiled, inlined
from segue.engine.kernel.layout import COUNTED, KEYED, Records

FREE = -1


@inlined
def mixed(a: int, b: int) -> int:
    """A well-spread hash of two integers."""
    x = np.uint64(a) * np.uint64(0x9E3779B97F4A7C15)
    x ^= np.uint64(b) + np.uint64(0x7F4A7C159E3779B9) + (x << np.uint64(6)) + (x >> np.uint64(2))
    x ^= x >> np.uint64(32)
    x *= np.uint64(0xD6E8FEB86659FD93)
    x ^= x >> np.uint64(29)
    return np.int64(x & np.uint64(0x7FFFFFFFFFFFFFFF))  # type: ignore[return-value]


@inlined
def pair_slot(table: Records, home: int, value: int) -> int:
    """Where the pair is, or the free place it would take."""
    mask = table.shape[0] - 1
    slot = mixed(home, value) & mask
    while table[slot].home != FREE and not (table[slot].home == home and table[slot].value == value):
        slot = (slot + 1) & mask
    return slot


@inlined
def pair_delete(table: Records, slot: int) -> None:
    """Free a place and move up what was pushed past it."""
    mask = table.shape[0] - 1
    hole = slot
    probe = (slot + 1) & mask
    while table[probe].home != FREE:
        wanted = mixed(table[probe].home, table[probe].value) & mask
        if ((probe - wanted) & mask) >= ((probe - hole) & mask):
            table[hole] = table[probe]
            hole = probe
        probe = (probe + 1) & mask
    table[hole].home = FREE


@inlined
def single_slot(table: Records, key: int) -> int:
    """Where the key is, or the free place it would take."""
    mask = table.shape[0] - 1
    slot = mixed(key, 0) & mask
    while table[slot].key != FREE and table[slot].key != key:
        slot = (slot + 1) & mask
    return slot


@inlined
def single_delete(table: Records, slot: int) -> None:
    """Free a place and move up what was pushed past it."""
    mask = table.shape[0] - 1
    hole = slot
    probe = (slot + 1) & mask
    while table[probe].key != FREE:
        wanted = mixed(table[probe].key, 0) & mask
        if ((probe - wanted) & mask) >= ((probe - hole) & mask):
            table[hole] = table[probe]
            hole = probe
        probe = (probe + 1) & mask
    table[hole].key = FREE


@compiled
def pairs_moved(old: Records, new: Records) -> None:
    """Fill a larger, free table from a smaller one."""
    for i in range(old.shape[0]):
        if old[i].home != FREE:
            new[pair_slot(new, old[i].home, old[i].value)] = old[i]


@compiled
def singles_moved(old: Records, new: Records) -> None:
    """Fill a larger, free table from a smaller one."""
    for i in range(old.shape[0]):
        if old[i].key != FREE:
            new[single_slot(new, old[i].key)] = old[i]


def free_pairs(capacity: int) -> Records:
    """An empty table of counted pairs."""
    table = np.zeros(capacity, COUNTED)
    table["home"] = FREE
    return table


def free_singles(capacity: int) -> Records:
    """An empty table of single keys."""
    table = np.zeros(capacity, KEYED)
    table["key"] = FREE
    return table

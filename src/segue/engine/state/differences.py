"""Who is in what under one program and was not under another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segue.engine.kernel import layout as k
from segue.engine.kernel.splice import bits_spliced
from segue.engine.state.machine import Machine


@dataclass(frozen=True)
class Differences:
    """Memberships that one of two machines has alone, as columns of one length.

    ``segments`` are places in ``names``, which rise; ``entered`` is 1 where the second one has it.
    """

    names: tuple[str, ...]
    rows: k.Ints32
    segments: k.Ints32
    entered: k.Bytes


def differences(before: Machine, after: Machine) -> Differences:
    """What ``after`` has and ``before`` has not, and the other way round; segments are the same by name."""
    names = tuple(sorted({*before.compiled.names, *after.compiled.names}))
    words = -(-len(names) // 64)
    rows = max(before.rows, after.rows)
    one, other = (_by_name(machine, names, rows, words) for machine in (before, after))
    differing = one ^ other
    found_rows, found_words = np.nonzero(differing)
    bits = np.unpackbits(
        differing[found_rows, found_words].view(np.uint8).reshape(-1, 8), axis=1, bitorder="little"
    )
    places, offsets = np.nonzero(bits)
    at_rows, at_words = found_rows[places], found_words[places]
    entered = other[at_rows, at_words] >> offsets.astype(np.uint64) & np.uint64(1)
    return Differences(
        names, at_rows.astype(np.int32), (64 * at_words + offsets).astype(np.int32), entered.astype(np.uint8)
    )


def _by_name(machine: Machine, names: tuple[str, ...], rows: int, words: int) -> k.Words:
    """Members as bits over ``names``."""
    place = {name: number for number, name in enumerate(names)}
    places = np.array([*(place[name] for name in machine.compiled.names), -1], np.int32)
    found = np.zeros((rows, words), np.uint64)
    nothing = np.zeros(words, np.uint64)
    bits_spliced(machine.state.members[: machine.rows], places, nothing, found)
    return found

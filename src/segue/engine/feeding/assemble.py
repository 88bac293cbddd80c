"""Plain events, creations and the feed's own steps put together as one batch, in log order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segue.engine.kernel import layout as k

Arrays = dict[str, Any]
"""Events of one code side by side: seq, row, timestamp, now, code, and slots [events, width]."""


def assembled(begun: k.Ints, rows: k.Ints32, now: k.Ints, plain: Sequence[Arrays], slow: k.Batch) -> k.Batch:
    """One batch. ``begun``, ``rows`` and ``now`` say which profiles begin with which plain events.

    ``slow`` holds the steps that the feed made itself, in the order of their log positions.
    """
    counts = [len(arrays["seq"]) for arrays in plain]
    total = len(begun) + sum(counts)
    ops = np.zeros(total, k.OPERATION)
    seqs, times = np.empty(total, np.int64), np.empty(total, np.int64)
    ops["op"][: len(begun)], ops["row"][: len(begun)] = k.OP_CREATE, rows
    seqs[: len(begun)], times[: len(begun)] = begun, now
    slots: list[k.Ints] = []
    at, base = len(begun), 0
    for arrays, count in zip(plain, counts, strict=True):
        part = slice(at, at + count)
        width = arrays["slots"].shape[1]
        ops["op"][part], ops["row"][part] = k.OP_EVENT, arrays["row"]
        ops["a"][part], ops["b"][part] = arrays["code"], base + width * np.arange(count)
        ops["time"][part], ops["value"][part] = arrays["timestamp"], arrays["seq"]
        seqs[part], times[part] = arrays["seq"], arrays["now"]
        slots.append(arrays["slots"].ravel())
        at, base = at + count, base + width * count
    sizes = slow.steps["op_end"] - slow.steps["op_at"]
    theirs = slow.ops.copy()
    theirs["b"][theirs["op"] == k.OP_EVENT] += base
    all_ops = np.concatenate((ops, theirs))
    all_seqs = np.concatenate((seqs, np.repeat(slow.steps["seq"], sizes)))
    all_times = np.concatenate((times, np.repeat(slow.steps["time"], sizes)))
    order = np.argsort(all_seqs, kind="stable")
    return k.Batch(
        _steps(all_seqs[order], all_times[order]),
        np.ascontiguousarray(all_ops[order]),
        np.concatenate((*slots, slow.slots)) if slots or len(slow.slots) else np.zeros(0, np.int64),
    )


def _steps(seqs: k.Ints, times: k.Ints) -> k.Records:
    """One step for the operations of each log position."""
    starts = (
        np.flatnonzero(np.concatenate(([True], seqs[1:] != seqs[:-1])))
        if len(seqs)
        else np.zeros(0, np.int64)
    )
    steps = np.zeros(len(starts), k.STEP)
    steps["op_at"] = starts
    if len(starts):
        steps["op_end"] = np.concatenate((starts[1:], [len(seqs)]))
        steps["time"], steps["seq"] = times[starts], seqs[starts]
    return steps

"""Cosine neighbours: items go together when the same people turn to them. For more items than EASE takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from segue.experiences.recommend.models.links import Floats, Ints, Links, Longs, joined

NEIGHBOURS = 50
SHRINKING = 3.0
"""So many people more, who turned to one of the two alone: what few people did says little."""
_ITEMS_AT_ONCE = 1_000


def fit_neighbours(matrix: Any, neighbours: int = NEIGHBOURS) -> Links:
    """The model of a sparse users × items matrix (scipy, CSR), with the nearest items of each."""
    size = matrix.shape[1]
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel())
    scale = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    unit = (matrix @ sparse.diags(scale)).tocsc().astype(np.float32)
    once = unit.copy()
    once.data[:] = 1
    parts = []
    for start in range(0, size, _ITEMS_AT_ONCE):
        columns = slice(start, min(start + _ITEMS_AT_ONCE, size))
        alike = (unit[:, columns].T @ unit).tocsr()
        together = (once[:, columns].T @ once).tocsr()
        alike = alike.multiply(_trusted(together)).tocsr()
        parts.append(_nearest(alike, start, neighbours))
    return joined(parts)


def _trusted(together: Any) -> Any:
    found = together.copy()
    found.data = found.data / (found.data + SHRINKING)
    return found


def _nearest(alike: Any, first: int, neighbours: int) -> tuple[Ints, Floats, Longs]:
    targets, weights, counts = [], [], []
    for row in range(alike.shape[0]):
        span = slice(alike.indptr[row], alike.indptr[row + 1])
        found, values = alike.indices[span], alike.data[span]
        other = (found != first + row) & (values > 0)
        found, values = found[other], values[other]
        if len(found) > neighbours:
            best = np.argpartition(values, len(values) - neighbours)[len(values) - neighbours :]
            found, values = found[best], values[best]
        order = np.argsort(found)
        targets.append(found[order].astype(np.int32))
        weights.append(values[order].astype(np.float32))
        counts.append(len(found))
    return np.concatenate(targets), np.concatenate(weights), np.array(counts, np.int64)

"""EASE: a linear model of which items go together, in closed form (Steck 2019, "Embarrassingly Shallow
Autoencoders for Sparse Data", arXiv 1905.03375). Best of the simple ones on every set we measured.

With G = XᵀX + λI of users × items X, and P its inverse, item i speaks for item j with -P[i,j] / P[j,j].
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import spotrf, spotri

from segue.experiences.recommend.models.links import LINKS_KEPT, Links, joined, strongest_of

_ROWS_AT_ONCE = 256
_BYTES_A_LINK = 4
_SHARE = 1.4
"""Of the square of items in single precision: what training holds at its peak, measured."""


def bytes_needed(items: int) -> int:
    """What training takes at its peak."""
    return int(items * items * _BYTES_A_LINK * _SHARE)


def fit_ease(matrix: Any, regularization: float, kept: int = LINKS_KEPT) -> Links:
    """The model of a sparse users × items matrix (scipy, CSR), with the ``kept`` strongest links each."""
    size = matrix.shape[1]
    if not size:
        return joined([])
    inverse = _inverted(_gram(matrix, regularization))
    diagonal = inverse.diagonal().copy()
    parts = []
    for start in range(0, size, _ROWS_AT_ONCE):
        rows = inverse[start : start + _ROWS_AT_ONCE] / -diagonal
        rows[np.arange(len(rows)), np.arange(start, start + len(rows))] = 0
        parts.append(strongest_of(rows, kept))
    return joined(parts)


def _gram(matrix: Any, regularization: float) -> npt.NDArray[np.float32]:
    """X'X + λI, by blocks of rows: a sparse product that is full takes thrice the room of a plain one."""
    size = matrix.shape[1]
    turned = matrix.T.tocsr()
    found = np.empty((size, size), np.float32)
    for start in range(0, size, _ROWS_AT_ONCE):
        found[start : start + _ROWS_AT_ONCE] = (turned[start : start + _ROWS_AT_ONCE] @ matrix).toarray()
    found[np.diag_indices_from(found)] += np.float32(regularization)
    return found


def _inverted(gram: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The inverse of a positive definite matrix, in its place: a second one of that size would not fit."""
    factor, fault = spotrf(gram.T, lower=1, clean=0, overwrite_a=1)
    if fault == 0:
        factor, fault = spotri(factor, lower=1, overwrite_c=1)
    if fault:
        raise ArithmeticError("the items are too much alike to tell apart: raise the regularization")
    # LAPACK counts the other way round: what it calls the lower half is our upper one.
    inverse: npt.NDArray[np.float32] = factor.T
    for start in range(0, len(inverse), _ROWS_AT_ONCE):
        end = min(start + _ROWS_AT_ONCE, len(inverse))
        inverse[end:, start:end] = inverse[start:end, end:].T
        block = inverse[start:end, start:end]
        block[:] = np.triu(block) + np.triu(block, 1).T
    return inverse

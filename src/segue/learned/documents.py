"""Reads the JSON documents of models: what is not as it was written is refused, never bent into shape."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from segue.domain.errors import SegueError, refusal
from segue.domain.event import Json


def broken(what: str) -> SegueError:
    """E865: a document that describes no model."""
    hint = "roll back to a version that loads, or train the model again"
    return refusal("E865", f"the model's document is damaged: {what}", hint)


def doubles(document: Mapping[str, Json], key: str, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """An array of finite numbers of this shape; -1 in the shape is any length."""
    try:
        found = np.array(document.get(key), np.float64)
    except (TypeError, ValueError) as fault:
        raise broken(f"{key} holds no numbers") from fault
    fits = found.ndim == len(shape) and all(
        wanted in (-1, length) for wanted, length in zip(shape, found.shape, strict=True)
    )
    if not fits or not np.isfinite(found).all():
        raise broken(f"{key} is not {' by '.join(map(str, shape))} finite numbers")
    return found


def double(document: Mapping[str, Json], key: str) -> float:
    """A finite number."""
    found = document.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise broken(f"{key} is no finite number")
    return float(found)


def texts(document: Mapping[str, Json], key: str) -> tuple[str, ...]:
    """Different texts."""
    found = document.get(key)
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise broken(f"{key} is no list of texts")
    if len(set(found)) < len(found):
        raise broken(f"{key} names something twice")
    return tuple(found)


def part(document: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    """A document within."""
    found = document.get(key)
    if not isinstance(found, dict):
        raise broken(f"{key} is no object")
    return found

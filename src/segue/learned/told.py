"""Drivers that a model which is served elsewhere tells of its scores: taken only when they add up to them.

::

    {"scores": [0.12, null], "base": -1.1, "contributions": [[-0.9, 0.01], null], "link": "logit"}

``base`` and a row's contributions, one for each feature, sum to the score before its ``link``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeGuard

import numpy as np

from segue.domain.event import Json
from segue.learned.model import Doubles, Drivers

LINKS = ("identity", "logit", "log")
OFF_MAX = 1e-6
"""By how much they may miss the score, or this part of it where it is larger than 1."""
HINT = (
    'beside "scores" it is to answer "base", a number, and "contributions", for each row a list of a number '
    'for each feature, null where the score is; they sum to the score before its "link": identity, logit, log'
)


class UntoldError(Exception):
    """No drivers that can be taken; the message says why."""


def nothing(features: Sequence[str], count: int) -> Drivers:
    """Of some profiles nothing is known."""
    return Drivers(
        math.nan, np.full((count, len(features)), np.nan), "identity", np.full(len(features), np.nan)
    )


def read(answer: Json, scores: Doubles, features: int) -> Drivers:
    """The drivers in an answer; NaN where there is no score. :class:`UntoldError` when there are none."""
    if not isinstance(answer, dict) or "contributions" not in answer:
        raise UntoldError("it tells none")
    base, link = answer.get("base"), answer.get("link", "identity")
    if not is_number(base):
        raise UntoldError('its "base" is no number')
    if link not in LINKS:
        raise UntoldError('its "link" is none of identity, logit and log')
    parts = _parts(answer["contributions"], len(scores), features)
    told = np.isfinite(parts).all(axis=1)
    if (told != np.isfinite(scores)).any():
        raise UntoldError("it tells them of others than those who have a score")
    found = Drivers(base, parts, link, _typical(answer.get("typical"), features))
    off = np.abs(_linked(found.base + parts[told].sum(axis=1), link) - scores[told])
    if not (off <= OFF_MAX * np.maximum(np.abs(scores[told]), 1)).all():
        raise UntoldError("they do not add up to its scores")
    return found


def together(found: Sequence[Drivers]) -> Drivers:
    """Those of several answers; :class:`UntoldError` when these count from different bases."""
    first = found[0]
    if any((each.base, each.link) != (first.base, first.link) for each in found):
        raise UntoldError("its answers count from different bases")
    parts = np.concatenate([each.contributions for each in found])
    return Drivers(first.base, parts, first.link, first.typical)


def _parts(told: Json, count: int, features: int) -> Doubles:
    found = np.full((count, features), np.nan)
    if not isinstance(told, list) or len(told) != count:
        raise UntoldError("it does not tell one list of them for each row")
    for place, row in enumerate(told):
        if row is None:
            continue
        if not isinstance(row, list) or len(row) != features or not all(map(is_number, row)):
            raise UntoldError("a row of them is not a number for each feature")
        found[place] = row
    return found


def _typical(told: Json, features: int) -> Doubles:
    if told is None:
        return np.full(features, np.nan)
    if not isinstance(told, list) or len(told) != features:
        raise UntoldError('its "typical" is not a number for each feature')
    if not all(each is None or is_number(each) for each in told):
        raise UntoldError('its "typical" is not a number for each feature')
    return np.array([math.nan if each is None else each for each in told], np.float64)


def is_number(said: Json) -> TypeGuard[float]:
    """Whether JSON says a number that is finite as a double, too."""
    try:
        return isinstance(said, int | float) and not isinstance(said, bool) and math.isfinite(said)
    except OverflowError:
        return False


def _linked(raw: Doubles, link: str) -> Doubles:
    with np.errstate(over="ignore"):
        if link == "logit":
            return np.asarray(1 / (1 + np.exp(-raw)))
        return np.asarray(np.exp(raw)) if link == "log" else raw

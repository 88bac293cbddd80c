"""Names for groups, told by what sets them apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from segue.domain.limits import NAME_CHARACTERS_MAX
from segue.learned.spec import FeatureSpec

Doubles = npt.NDArray[np.float64]

_WORDS = {"": ("low", "high"), "days": ("short", "long"), "truth": ("without", "with")}
"""For less and for more than usual, by the unit of the feature."""
_APART = 0.4
"""Spreads from the mean of all; nearer is nothing to be named by."""
_PARTS = 2
USUAL = "usual"


def suggested(features: Sequence[FeatureSpec], centroids: Doubles, taken: Sequence[str] = ()) -> list[str]:
    """A different name for each row of ``centroids``, (groups, features) in spreads from the mean of all.

    None is among those ``taken``. The features in which a group stands out most come first.
    """
    names = list(taken)
    for centroid in centroids:
        names.append(next(name for name in _candidates(features, centroid) if name not in names))
    return names[len(taken) :]


def _candidates(features: Sequence[FeatureSpec], centroid: Doubles) -> Iterator[str]:
    order = [
        place for place in np.argsort(-np.abs(centroid), kind="stable") if abs(centroid[place]) >= _APART
    ]
    words = [
        f"{_WORDS[features[place].unit][int(centroid[place] > 0)]}_{features[place].name}" for place in order
    ]
    words = [re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_") for word in words] or [USUAL]
    for count in range(min(_PARTS, len(words)), len(words) + 1):
        name = "_".join(words[:count])
        if len(name) <= NAME_CHARACTERS_MAX - 4:
            yield name
    stem = words[0][: NAME_CHARACTERS_MAX - 4].rstrip("_")
    for number in range(2, 1_000):
        yield f"{stem}_{number}"

"""Numbers of all sizes made comparable: signed logarithms, centred and of one spread.

A feature that some were learned without has a column of its own that says so. One that nobody lacked
is never guessed: a profile that lacks it has no point, only NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segue.domain.event import Json
from segue.learned.documents import broken, doubles

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scaling:
    """One number a feature: ``means`` and ``spreads`` of the signed logarithms, ``absent`` the share of
    profiles that lacked it.

    Points have a column for each feature, then one for each that somebody lacked.
    """

    means: Doubles
    spreads: Doubles
    absent: Doubles

    @classmethod
    def of(cls, values: Doubles) -> Scaling:
        """What these profiles, (profiles, features) with NaN for missing, are scaled by."""
        logs = signed_log(values)
        there = np.isfinite(logs)
        number = np.maximum(there.sum(axis=0), 1)
        means = np.where(there, logs, 0.0).sum(axis=0) / number
        squares = np.where(there, np.square(logs - means), 0.0).sum(axis=0) / number
        spreads = np.sqrt(squares)
        # What is alike for all tells nothing; rounding must not make it look as if it did.
        alike = spreads <= 1e-12 * np.maximum(1.0, np.abs(means))
        return cls(means, np.where(alike, 1.0, spreads), 1.0 - there.mean(axis=0))

    @classmethod
    def read(cls, document: Mapping[str, Json], features: int) -> Scaling:
        """What :meth:`document` wrote; E865 when it is none for so many features."""
        found = cls(*(doubles(document, key, (features,)) for key in ("means", "spreads", "absent")))
        if (found.spreads <= 0).any() or (found.absent < 0).any() or (found.absent > 1).any():
            raise broken("what it is scaled by is out of its bounds")
        return found

    def document(self) -> dict[str, Json]:
        """As JSON."""
        return {
            "means": self.means.tolist(), "spreads": self.spreads.tolist(), "absent": self.absent.tolist()
        }  # fmt: skip

    @property
    def owners(self) -> npt.NDArray[np.intp]:
        """The feature that each column of the points is made of."""
        return np.concatenate((np.arange(len(self.means)), np.flatnonzero(self.absent)))

    @property
    def typical(self) -> Doubles:
        """The mean of the signed logarithms, in the features' own units."""
        return signed_power(self.means)

    def points(self, values: Doubles) -> Doubles:
        """(profiles, columns); NaN throughout for a profile that lacks what nobody lacked."""
        logs = signed_log(values)
        there = np.isfinite(logs)
        scaled = np.where(there, (logs - self.means) / self.spreads, 0.0)
        lacked = np.flatnonzero(self.absent)
        found = np.column_stack((scaled, ~there[:, lacked] - self.absent[lacked]))
        found[(~there & (self.absent == 0)).any(axis=1)] = np.nan
        return found

    def values(self, point: Doubles) -> Doubles:
        """The features of a point in their own units; NaN where everybody at that point lacks one.

        The mean over a group counts who lacks a feature at the mean of all: that is taken back.
        """
        lacked = np.flatnonzero(self.absent)
        there = np.ones(len(self.means))
        there[lacked] = 1.0 - np.clip(point[len(self.means) :] + self.absent[lacked], 0.0, 1.0)
        with np.errstate(all="ignore"):
            own = np.where(there > 1e-9, point[: len(self.means)] / there, np.nan)
        return signed_power(own * self.spreads + self.means)

    def gathered(self, columns: Doubles) -> Doubles:
        """What the columns of points contribute, summed by feature: (profiles, features)."""
        found = columns[:, : len(self.means)].copy()
        found[:, np.flatnonzero(self.absent)] += columns[:, len(self.means) :]
        return found


def signed_log(values: Doubles) -> Doubles:
    """The logarithm of one more, with the sign of the number; what is not finite becomes NaN."""
    finite = np.where(np.isfinite(values), values, np.nan)
    return np.sign(finite) * np.log1p(np.abs(finite))


def signed_power(logs: Doubles) -> Doubles:
    """What :func:`signed_log` took away."""
    return np.sign(logs) * np.expm1(np.abs(logs))

"""Profiles at moments with their features: what models learn from, as columns."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]
Moments = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Profiles at moments: one line for each, all columns of one length.

    ``rows`` are the log's rows, ``moments`` in ms, ``values`` the features (NaN is missing), ``labels`` 0 and
    1 or amounts (NaN where there is none), ``events`` how many events the profile had by then. ``rules`` are
    what simple rules go by: the rule that was given, recency in days, frequency, money, and the days since
    the first time (NaN where missing).
    """

    features: tuple[str, ...]
    rows: Rows
    moments: Moments
    values: Doubles
    labels: Doubles
    events: Moments
    rules: Doubles

    def __len__(self) -> int:
        return len(self.rows)

    def taken(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Table:
        """Some of the lines."""
        return Table(
            self.features,
            self.rows[chosen],
            self.moments[chosen],
            self.values[chosen],
            self.labels[chosen],
            self.events[chosen],
            self.rules[chosen],
        )

    def labelled(self, labels: Doubles) -> Table:
        """The same lines with other labels."""
        return replace(self, labels=labels)

    def at(self, moment: int) -> Table:
        """The lines of one moment."""
        return self.taken(self.moments == moment)

    @property
    def cut_offs(self) -> tuple[int, ...]:
        """Its moments, rising."""
        return tuple(np.unique(self.moments).tolist())

    @property
    def users(self) -> int:
        """How many different profiles there are."""
        return len(np.unique(self.rows))

    @property
    def fingerprint(self) -> str:
        """A hash of all that stands in it, 32 hex digits; equal for equal data."""
        found = hashlib.blake2b("\0".join(self.features).encode(), digest_size=16)
        for each in (self.rows, self.moments, self.values, self.labels, self.events):
            found.update(np.ascontiguousarray(each).tobytes())
        return found.hexdigest()


def stacked(tables: Sequence[Table]) -> Table:
    """Tables of the same features below each other."""
    return Table(
        tables[0].features,
        np.concatenate([each.rows for each in tables]),
        np.concatenate([each.moments for each in tables]),
        np.concatenate([each.values for each in tables]),
        np.concatenate([each.labels for each in tables]),
        np.concatenate([each.events for each in tables]),
        np.concatenate([each.rules for each in tables]),
    )

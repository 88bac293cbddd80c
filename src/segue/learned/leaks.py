"""Signs that a feature knows what it is to foretell: warnings, for a person to judge."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from segue.learned.metrics import Doubles, auc
from segue.learned.table import Table

TOO_GOOD = 0.9
"""AUC of one feature alone that real habits hardly reach."""
_HARDLY = 0.05
_OFTEN = 0.05


def warnings(training: Table, now: Doubles) -> list[str]:
    """What is suspicious about the features; ``now`` are those of the same profiles at the end of the log."""
    return [*_too_good(training), *_written_later(training, now)]


def _too_good(training: Table) -> Iterator[str]:
    for place, name in enumerate(training.features):
        values = training.values[:, place]
        known = np.isfinite(values)
        alone = auc(training.labels[known], values[known])
        best = max(alone, 1 - alone)
        if best > TOO_GOOD:
            yield (
                f"{name} alone ranks with AUC {best:.3f}: it may be known only because the target "
                "happened; check when it is written"
            )


def _written_later(training: Table, now: Doubles) -> Iterator[str]:
    """A feature that nobody has at a cut-off and many have afterwards is written after the label starts."""
    if not len(training):
        return
    for place, name in enumerate(training.features):
        then = float(np.isfinite(training.values[:, place]).mean())
        later = float(np.isfinite(now[:, place]).mean())
        if then < _HARDLY and later > then + _OFTEN:
            yield (
                f"{name} is known of {then:.0%} at the cut-offs and of {later:.0%} of the same users now: "
                "it is written after the label starts and cannot be used to foretell it"
            )

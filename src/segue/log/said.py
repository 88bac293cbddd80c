"""What a model says of many profiles at once: rows and values side by side, as one record of the log."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from segue.domain.event import Json
from segue.domain.number import MICRO, NUMBER_MAX, micro_of, nearest_double

Ints = npt.NDArray[np.int64]
Ints32 = npt.NDArray[np.int32]

SCORE, CLUSTER = "score", "cluster"
NOTHING = -(2**63)
"""The value that takes back what was said; also that of what is no number in range."""
Model = tuple[str, str]
"""(SCORE or CLUSTER, the model's name)."""


@dataclass(frozen=True, slots=True)
class Said:
    """Values of one model for some rows, each row once.

    Of a score they are millionths, of a cluster places in ``labels``. ``version`` is the model's.
    """

    gives: str
    model: str
    rows: Ints32
    values: Ints
    labels: tuple[str, ...] = ()
    version: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def key(self) -> Model:
        """Which model it is."""
        return self.gives, self.model

    @classmethod
    def of_one(cls, key: Model, row: int, value: Json) -> Self:
        """One value as JSON, for one row; None takes back what was said."""
        labels = (value,) if key[0] == CLUSTER and isinstance(value, str) else ()
        micro = micro_of(value) if key[0] == SCORE else 0 if labels else None
        values = np.array([NOTHING if micro is None else micro], np.int64)
        return cls(*key, np.array([row], np.int32), values, labels)

    @classmethod
    def scores(cls, model: str, rows: Ints32, scores: npt.NDArray[np.float64], version: int = 0) -> Self:
        """Scores as doubles; what is no number in range is nothing."""
        return cls(SCORE, model, rows, micros_of(scores), (), version)

    def chosen(self, which: npt.NDArray[np.bool_]) -> Self:
        """The same of some rows alone."""
        return replace(self, rows=self.rows[which], values=self.values[which])

    def json(self, value: int) -> Json:
        """One of the values as JSON; None is nothing."""
        return json_of(value, None if self.gives == SCORE else self.labels)

    def to_body(self) -> Json:
        """As it is logged. Rows are written as what each lies beyond the one before."""
        return {
            "gives": self.gives,
            "model": self.model,
            "version": self.version,
            "rows": _text(np.diff(self.rows.astype(np.int32), prepend=np.int32(0))),
            "values": _text(self.values.astype(np.int64)),
            "labels": list(self.labels),
        }

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> Self:
        """What :meth:`to_body` wrote."""
        rows = np.cumsum(np.frombuffer(b64decode(body["rows"]), "<i4"), dtype=np.int32)
        values = np.frombuffer(b64decode(body["values"]), "<i8").astype(np.int64)
        return cls(body["gives"], body["model"], rows, values, tuple(body["labels"]), body["version"])


def json_of(value: int, labels: Sequence[str] | None) -> Json:
    """A value as JSON: a number without labels, else the label; None is nothing."""
    if value == NOTHING:
        return None
    if labels is not None:
        return labels[value]
    return value // MICRO if value % MICRO == 0 else nearest_double(value)


def micros_of(scores: npt.NDArray[np.float64]) -> Ints:
    """Doubles as millionths, as :func:`segue.domain.number.micro` gives them for each."""
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.rint(scores * 1e6)
        within = np.abs(scores) <= NUMBER_MAX
    return np.where(within, np.where(within, scaled, 0).astype(np.int64), NOTHING)


def _text(array: npt.NDArray[Any]) -> str:
    return b64encode(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()).decode()

"""The contract of model kinds: each is a file in ``models/`` and a line in its list.

A :class:`ModelKind` learns a :class:`Model` from a :class:`~segue.learned.table.Table`. A model is plain
numbers: it is written as a JSON document and read back from it, never unpickled, and the same document gives
the same predictions for ever.

Matrices are float64 of shape (profiles, features), columns in the order of ``Model.features``, NaN where a
feature is missing. What a model cannot say is NaN too, never a guess of nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from segue.domain.event import Json

if TYPE_CHECKING:
    from segue.learned.spec import Guards, ModelSpec
    from segue.learned.table import Table

Doubles = npt.NDArray[np.float64]
Document = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Drivers:
    """Why predictions are what they are: ``base + contributions.sum(axis=1)`` is the raw prediction.

    ``contributions`` has the shape of the matrix. The raw prediction is the prediction before its ``link``:
    "logit" (a chance), "log" (an amount), "identity". ``typical`` are the values, in the features' own units,
    at which each feature contributes nothing; NaN where there is no such value.
    """

    base: float
    contributions: Doubles
    link: str
    typical: Doubles


class Model(ABC):
    """A learned model: the numbers and nothing else; the same for ever."""

    features: tuple[str, ...]
    """The names of the features it takes, in order."""
    labels: tuple[str, ...] = ()
    """The names of the groups, for a kind that gives clusters; empty for one that gives scores."""
    explains: bool = True
    """Whether it knows why it says what it says; where not, :meth:`explain` gives NaN."""

    @abstractmethod
    def predict(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Doubles:
        """What it says of each profile: a score, or the place of its group in ``labels``; NaN is missing.

        ``rows`` are the profiles' rows in the log: a model of several parts picks the one that has not seen
        the profile by them.
        """

    @abstractmethod
    def explain(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Drivers:
        """The drivers of each prediction; they sum to the raw prediction within 1e-6."""

    @abstractmethod
    def document(self) -> dict[str, Json]:
        """All of it as JSON; a boosted model holds LightGBM's text in it."""


@dataclass(frozen=True, slots=True)
class HoldOut:
    """What is known now and was hidden from the model: profiles that are judged by.

    ``labels`` are 0 and 1, or amounts; ``predictions`` the model's, ``values`` the features, row by row.
    """

    labels: Doubles
    predictions: Doubles
    values: Doubles


@dataclass(frozen=True, slots=True)
class Learned:
    """What learning gave: the model, what the kind measured of it, and what people should know.

    ``hold_out`` is given by kinds whose examples stand beside each other in time (lookalike): predictions
    of models that did not see the profile. For kinds with a target ahead it is None; the trainer predicts the
    later cut-off itself. ``metrics`` are shown on the card by their names, ``groups`` as their kind describes
    them.
    """

    model: Model
    metrics: Mapping[str, float] = field(default_factory=dict)
    notes: Sequence[str] = ()
    hold_out: HoldOut | None = None
    groups: Sequence[Mapping[str, Json]] = ()


class ModelKind(ABC):
    """One kind of model, without state."""

    word: ClassVar[str]
    """What stands under ``kind:``."""
    gives: ClassVar[str]
    """"score" or "cluster"."""
    learns_from: ClassVar[str]
    """"target" (labels ahead), "seed" (examples now), "features" (nothing but them) or "elsewhere": it is not
    trained here at all."""
    guards: ClassVar[Guards]
    """How much it asks for unless the definition says otherwise."""
    metric: ClassVar[str] = "auc"
    """The metric of :mod:`segue.learned.metrics` by which the gate judges it; "" for none."""
    instead: ClassVar[str] = "a rule, the recency and frequency of events, or `kind: value`"
    """What to use when there is too little to learn from."""

    @abstractmethod
    def learn(self, spec: ModelSpec, table: Table, before: Model | None) -> Learned:
        """The model, from all training cut-offs below each other; later ones stand last.

        ``before`` is the one in force, so that groups may keep their names. SegueError where it cannot be
        learned; the guards were held before.
        """

    @abstractmethod
    def read(self, document: Document) -> Model:
        """The model that a document of :meth:`Model.document` describes; SegueError E865 if it is none."""

"""Scores that were computed elsewhere and are handed in, as a file or over HTTP."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segue.domain.event import Json
from segue.learned.documents import broken, texts
from segue.learned.model import Document, Doubles, Drivers, Learned, Model, ModelKind
from segue.learned.spec import Guards, ModelSpec
from segue.learned.table import Table


@dataclass(frozen=True, slots=True)
class UploadedModel(Model):
    """A source of scores: what it says of whom is in the log, not here."""

    features: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    explains: bool = False

    def predict(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Doubles:
        """Nothing: all is missing until it is handed in."""
        return np.full(len(values), np.nan)

    def explain(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Drivers:
        """Nothing: why it says so is known elsewhere alone."""
        return Drivers(float("nan"), np.full((len(values), 0), np.nan), "identity", np.zeros(0))

    def document(self) -> dict[str, Json]:
        """That there is such a source."""
        return {"form": "upload", "labels": [*self.labels]}


class Upload(ModelKind):
    """Nothing is learned; what was handed in for a moment in the past is judged by what came after."""

    word = "upload"
    gives = "score"
    learns_from = "elsewhere"
    guards = Guards(users_min=0)
    metric = "spearman"

    def learn(self, spec: ModelSpec, table: Table, before: Model | None) -> Learned:
        """The source."""
        return Learned(UploadedModel())

    def read(self, document: Document) -> Model:
        """E865 for any other document."""
        if document.get("form") != "upload":
            raise broken("it is no source of scores")
        return UploadedModel(labels=texts(document, "labels"))

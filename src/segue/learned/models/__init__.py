"""Every kind of model, listed once."""

from __future__ import annotations

from segue.learned.model import ModelKind
from segue.learned.models.clusters import Clusters
from segue.learned.models.lookalike import Lookalike
from segue.learned.models.value import Value

_ALL: tuple[ModelKind, ...] = (Clusters(), Lookalike(), Value())

KINDS: dict[str, ModelKind] = {kind.word: kind for kind in _ALL}
"""By the word that stands under ``kind:``."""

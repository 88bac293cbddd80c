"""Every kind of model, listed once."""

from __future__ import annotations

from collections.abc import Mapping

from segue.learned.model import ModelKind
from segue.learned.models.churn import Churn
from segue.learned.models.clusters import Clusters
from segue.learned.models.lookalike import Lookalike
from segue.learned.models.propensity import Propensity
from segue.learned.models.remote import Remote
from segue.learned.models.upload import Upload
from segue.learned.models.value import Value

KINDS: Mapping[str, ModelKind] = {
    kind.word: kind for kind in (Propensity(), Churn(), Clusters(), Lookalike(), Value(), Upload(), Remote())
}
"""By the word that stands under ``kind:``."""

"""The reasons behind what a model says of one profile: its features at the moment that is explained."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from segue.analysis.scores import Reasons, measured, reasons, rounded
from segue.domain.errors import SegueError
from segue.engine.engine import Engine
from segue.learned.dataset import History, program_of
from segue.learned.features import held, matrix
from segue.learned.model import Drivers, Model
from segue.learned.models import KINDS
from segue.learned.percentiles import percentile
from segue.learned.registry import Registry
from segue.learned.spec import POPULATION, ModelSpec
from segue.learned.version import Version
from segue.log.said import CLUSTER
from segue.service.core import Core
from segue.service.learning.behind import behind
from segue.service.learning.scoring import RESOLUTION, in_step

_MARGIN = "how much nearer its centre is than the next one"


@dataclass(frozen=True)
class Witnessed:
    """Asked for a model by name, tells why the version that spoke of a row says so.

    ``engine`` is the live one, or one that was shown the log as of ``as_of`` (ms).
    """

    core: Core
    engine: Engine
    row: int
    as_of: int | None = None

    def __call__(self, name: str) -> Reasons | None:
        """The reasons; None of a model that never said anything of anybody."""
        assert self.core.workspace is not None
        spec = self.core.workspace.model_specs.get(name)
        if spec is None:
            return None
        number = self.engine.feed.predictions.version((spec.gives, name))
        if number is None:
            return None
        try:
            version = Registry(self.core.log.folder).version(name, number)
            found = self._placed(self._of(spec, version), spec, version)
        except SegueError as refused:
            found = Reasons(name, number, note=refused.diagnostics[0].message)
        return found if self.as_of is not None else replace(found, behind=self._behind(name))

    def _behind(self, name: str) -> str | None:
        """That the model keeps nobody in step now; None where it does."""
        try:
            found = behind(self.core).get(name)
        except SegueError as refused:
            return f"no model is asked any more: {refused.diagnostics[0].message}"
        return None if found is None else found.text

    def _placed(self, found: Reasons, spec: ModelSpec, version: Version) -> Reasons:
        """With the place of the score among those that the version was judged on."""
        said = found.prediction
        if said is None:
            said = self.engine.feed.predictions.said((spec.gives, spec.name), self.row)
        if spec.gives == CLUSTER or said is None:
            return found
        return replace(found, percentile=percentile(version.card.get("percentiles") or (), said))

    def _of(self, spec: ModelSpec, version: Version) -> Reasons:
        said = Reasons(version.name, version.number, version.made_at)
        model = KINDS[version.kind].read(version.document) if version.kind in KINDS else None
        if model is None or not model.explains:
            note = "it comes from elsewhere, where it is not told why"
            return Reasons(version.name, version.number, version.made_at, note=note)
        with self.core.turn:
            engine = self._showing(spec)
            if not in_step(engine, spec, model):
                note = "it read features that are not defined any more"
                return Reasons(version.name, version.number, version.made_at, note=note)
            row = np.array([self.row], np.int32)
            if not held(engine, spec.watch(POPULATION), row)[0]:
                note = "the profile is not in its population, so it says nothing"
                return Reasons(version.name, version.number, version.made_at, note=note)
            values = matrix(engine, spec, row, model.features)
        drivers = model.explain(values, row.astype(np.int64))
        return self._told(said, spec, model, values[0].tolist(), drivers)

    def _showing(self, spec: ModelSpec) -> Engine:
        """An engine that knows the model's features at the moment."""
        live = self.core.engine
        if self.as_of is None:
            return live
        return History(live, live.evaluated_seq).as_of(program_of(spec), self.as_of)

    def _told(
        self, said: Reasons, spec: ModelSpec, model: Model, values: list[float], drivers: Drivers
    ) -> Reasons:
        parts = drivers.contributions[0].tolist()
        if not math.isfinite(drivers.base) or not all(map(math.isfinite, parts)):
            lacking = [name for name, value in zip(model.features, values, strict=True) if math.isnan(value)]
            note = f"it cannot speak without {', '.join(lacking)}" if lacking else "it does not tell why"
            return Reasons(said.model, said.version, said.made_at, note=note)
        by_name = {each.name: each for each in spec.features}
        features = []
        for name, value, typical in zip(model.features, values, drivers.typical.tolist(), strict=True):
            spelled = by_name[name]
            usual = None if math.isnan(typical) else measured(typical, spelled.unit)
            features.append((name, spelled.text, measured(value, spelled.unit), usual))
        found = reasons(said, features, drivers.base, parts, drivers.link)
        return self._noted(found, spec)

    def _noted(self, found: Reasons, spec: ModelSpec) -> Reasons:
        """Says what the sum is where it is no score, and when the score was written of other features."""
        before = self.engine.feed.predictions.said((spec.gives, spec.name), self.row)
        said = found.prediction
        note: str | None = None
        if spec.gives == CLUSTER:
            note = f"the numbers say {_MARGIN}"
        elif isinstance(before, int | float) and said is not None and _apart(before, said):
            note = f"it said {rounded(before)}; scored anew at this moment it would be {rounded(said)}"
        return found if note is None else found.noted(note)


def _apart(held: float, prediction: float) -> bool:
    return abs(held - prediction) > 2 * RESOLUTION * max(abs(held), 1.0)

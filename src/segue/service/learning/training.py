"""Training a model of the workspace: learned beside the live stream, judged, kept, in force if it passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.domain.errors import SegueError, refusal
from segue.domain.event import Json
from segue.language.findings import suggestion
from segue.learned.card import card_of
from segue.learned.dataset import History
from segue.learned.extras import need
from segue.learned.model import Model, ModelKind
from segue.learned.models import KINDS
from segue.learned.registry import Registry
from segue.learned.spec import ModelSpec
from segue.learned.training import Trial, tried
from segue.learned.version import CHAMPION, Version, hold
from segue.service.core import wall_ms
from segue.service.learning.rescoring import rescore

if TYPE_CHECKING:
    from segue.segments.workspace import Workspace
    from segue.service.service import Service


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a training came to: the version as it is kept, the trial behind it, why it stands as it does."""

    version: Version
    trial: Trial
    why: str

    @property
    def promoted(self) -> bool:
        """Whether it is in force now."""
        return self.version.status == CHAMPION

    def to_json(self) -> dict[str, Json]:
        """The version with its card, and why it stands as it does."""
        return {**self.version.to_json(), "why": self.why}


def train(service: Service, name: str) -> Trained:
    """Learn a version of a model, keep it, and put it in force when the gate opens for it.

    It stands aside as a candidate when it does not beat the rule beyond chance, or when the model in force
    ranks the same people better. E860 to E866 where there is nothing to keep.
    """
    spec, kind = _asked(service, name)
    need("sklearn", "scipy")
    registry = Registry(service.data)
    before = in_force(registry, spec)
    trial = tried(spec, kind, history(service), before)
    definition = service.workspace.models[name].to_json()
    learned = Version(
        name, 0, spec.kind, spec.gives, wall_ms(), trial.learned.model.document(),
        card_of(spec, kind, trial, definition),
    )  # fmt: skip
    version = registry.add(learned)
    opens, why = decided(trial)
    if opens:
        version = registry.promote(name, version.number, None, why, wall_ms())
        rescore(service, [name])
    return Trained(version, trial, why)


def decided(trial: Trial) -> tuple[bool, str]:
    """Whether a trial's model is put in force by itself, and why."""
    if trial.verdict is None:
        return True, "it foretells nothing, so that there is no rule to beat"
    if not trial.verdict.passed:
        return False, trial.verdict.sentence()
    if trial.against is not None and trial.against.difference < 0:
        return False, f"the model in force stays: {trial.against.sentence()}"
    return True, trial.verdict.sentence()


def promote(service: Service, name: str, number: int, by: str | None, why: str | None) -> Version:
    """Put a version in force by a person's decision; E867 without who and why."""
    spec_of(service, name)
    who, reason = _person(by, why)
    version = Registry(service.data).promote(name, number, who, reason, wall_ms())
    rescore(service, [name])
    return version


def rollback(service: Service, name: str, by: str | None, why: str | None) -> Version:
    """Put the version in force that was so before this one; E867 without who and why."""
    spec_of(service, name)
    who, reason = _person(by, why)
    version = Registry(service.data).rollback(name, who, reason, wall_ms())
    rescore(service, [name])
    return version


def trained_here(workspace: Workspace) -> list[str]:
    """The names of the models in use that are learned here, in order."""
    return [
        name
        for name, spec in sorted(workspace.model_specs.items())
        if workspace.models[name].live and spec.kind != "upload"
    ]


def history(service: Service) -> History:
    """The log as far as it is evaluated."""
    with service.core.turn:
        return History(service.engine, service.engine.evaluated_seq)


def spec_of(service: Service, name: str) -> ModelSpec:
    """A model of the workspace; E860 when there is none of this name."""
    specs = service.workspace.model_specs
    if name not in specs:
        hint = suggestion(name, specs, "define it in models/; `segue models` lists those there are")
        raise refusal("E860", f"there is no model {name}", hint)
    return specs[name]


def in_force(registry: Registry, spec: ModelSpec) -> Model | None:
    """The model that scores now; None where there is none, or none that can be asked."""
    try:
        version = registry.champion(spec.name)
        if version is None:
            return None
        hold(version, spec)
        return read_model(version)
    except SegueError:
        # A version that was tampered with, or that foretells something else, is no reason not to learn a new
        # one; scoring tells of it.
        return None


def read_model(version: Version) -> Model:
    """The model of a version; E865 when its document is none."""
    return KINDS[version.kind].read(version.document)


def _asked(service: Service, name: str) -> tuple[ModelSpec, ModelKind]:
    spec = spec_of(service, name)
    definition = service.workspace.models[name]
    if not definition.live:
        hint = "write `status: active` when it is to be used"
        raise refusal("E869", f"{name} is {definition.status}: it is neither trained nor scored", hint)
    if spec.kind == "upload":
        hint = f"hand scores in with `segue scores import {name} FILE`"
        raise refusal("E869", f"{name} is not learned here: its scores are handed in", hint)
    return spec, KINDS[spec.kind]


def _person(by: str | None, why: str | None) -> tuple[str, str]:
    if not by or not by.strip() or not why or not why.strip():
        hint = 'say who decides and why: --by ada@shop.example --why "the rule is out of season"'
        raise refusal("E867", "a person who puts a model in force says who they are and why", hint)
    return by.strip(), why.strip()

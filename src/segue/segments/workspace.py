"""A workspace that holds together: every name found, every condition checked, everything in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from segue.domain.errors import Diagnostic, Place, SegueError
from segue.domain.event import OWN_EVENTS
from segue.domain.planned import Planned
from segue.ingest.planned.plan import TrackingPlan
from segue.language import tree
from segue.language.scope import Scope
from segue.learned.spec import ModelSpec
from segue.segments.check import Checking
from segue.segments.definitions import (
    Definition,
    EventPlan,
    FeatureDefinition,
    ListDefinition,
    SegmentDefinition,
    fingerprint,
)
from segue.segments.destinations.checking import check_destinations
from segue.segments.destinations.definition import DestinationDefinition
from segue.segments.experiences.check import Experience, check_experiences
from segue.segments.experiences.definition import ExperienceDefinition
from segue.segments.folder import FolderContents, read_folder
from segue.segments.models.checking import checked_models, exact, gives, surroundings
from segue.segments.models.definition import ModelDefinition
from segue.segments.recommendations.check import check_recommendations
from segue.segments.recommendations.definition import RecommendationDefinition
from segue.segments.triggers.check import check_triggers
from segue.segments.triggers.definition import TriggerDefinition
from segue.settings import Settings

Kind = TypeVar("Kind", bound=Definition)


@dataclass(frozen=True, slots=True)
class Workspace:
    """All definitions by name, each checked.

    ``segments`` stand in the order of evaluation: after all they refer to, an exclusive group
    together. ``conditions`` are their checked trees with features written out; ``expressions`` are
    those of the features. ``used_features`` are the features that each definition names, by
    ``"segment NAME"`` or ``"feature NAME"``. ``unread`` are files that stand where definitions
    do and are none. ``watches`` and ``watched_values`` are the checked conditions and values that the
    engine follows for definitions other than segments and features (:mod:`segue.domain.watch`).
    """

    settings: Settings
    segments: Mapping[str, SegmentDefinition]
    features: Mapping[str, FeatureDefinition]
    lists: Mapping[str, ListDefinition]
    plan: Mapping[str, EventPlan]
    conditions: Mapping[str, tree.Condition]
    expressions: Mapping[str, tree.Operand]
    scope: Scope
    used_features: Mapping[str, frozenset[str]]
    unread: tuple[str, ...] = ()
    has_settings_file: bool = True
    watches: Mapping[str, tree.Condition] = field(default_factory=dict)
    watched_values: Mapping[str, tree.Operand] = field(default_factory=dict)
    models: Mapping[str, ModelDefinition] = field(default_factory=dict)
    model_specs: Mapping[str, ModelSpec] = field(default_factory=dict)
    experiences: Mapping[str, Experience] = field(default_factory=dict)
    triggers: Mapping[str, TriggerDefinition] = field(default_factory=dict)
    destinations: Mapping[str, DestinationDefinition] = field(default_factory=dict)
    recommendations: Mapping[str, RecommendationDefinition] = field(default_factory=dict)

    def definitions(self) -> dict[str, dict[str, Definition]]:
        """Every definition by the word of its kind (segment, feature, list, event, …), then by name."""
        return {
            "segment": dict(self.segments),
            "feature": dict(self.features),
            "list": dict(self.lists),
            "event": dict(self.plan),
            "model": dict(self.models),
            "experience": {name: each.definition for name, each in self.experiences.items()},
            "trigger": dict(self.triggers),
            "destination": dict(self.destinations),
            "recommendation": dict(self.recommendations),
        }

    def roots(self) -> Iterator[tree.Condition | tree.Operand]:
        """Every checked condition and value."""
        yield from self.conditions.values()
        yield from self.expressions.values()
        yield from self.watches.values()
        yield from self.watched_values.values()

    def tracking_plan(self) -> TrackingPlan:
        """What track events are held to."""
        mode = self.settings.events_mode
        own = {name: Planned("off", {}, True) for name in OWN_EVENTS} if self.plan else {}
        return TrackingPlan(own | {name: event.held_to(mode) for name, event in self.plan.items()}, mode)

    def fingerprints(self) -> dict[str, dict[str, str]]:
        """A hash of the content of every definition, by kind and name."""
        return {
            kind: {name: fingerprint(definition) for name, definition in named.items()}
            for kind, named in self.definitions().items()
        }

    def places(self) -> dict[str, dict[str, Place | None]]:
        """Which file holds which definition, and where in it."""
        return {
            kind: {name: each.origin.place if each.origin else None for name, each in named.items()}
            for kind, named in self.definitions().items()
        }


def load_workspace(
    folder: Path,
    replaced: Mapping[str, str | None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Workspace:
    """The workspace in a folder; SegueError with all findings of all files when there are any.

    ``replaced`` and ``environment`` as for :func:`segue.segments.folder.read_folder`.
    """
    return assemble(read_folder(folder, replaced, environment))


def assemble(contents: FolderContents) -> Workspace:
    """Holds the definitions against each other; SegueError with all findings when there are any."""
    findings: list[Diagnostic] = list(contents.findings)
    segments = _of(SegmentDefinition, contents, "segment")
    features = _of(FeatureDefinition, contents, "feature")
    lists = _of(ListDefinition, contents, "list")
    plan = _of(EventPlan, contents, "event")
    models = _of(ModelDefinition, contents, "model")
    checking = Checking(contents.settings, contents.claims, plan, findings)
    checking.scope = replace(checking.scope, models=gives(models, contents.claims["model"]))
    expressions = checking.features(features)
    conditions, order = checking.segments(segments)
    exact(checking, segments, conditions)
    ordered = {name: segments[name] for name in order}
    specs = checked_models(
        models, checking, surroundings(contents.settings, ordered, conditions, plan, expressions)
    )
    triggers = _of(TriggerDefinition, contents, "trigger")
    destinations = _of(DestinationDefinition, contents, "destination")
    check_destinations(destinations, contents.settings.private_targets, findings)
    check_triggers(checking, triggers, contents.claims.get("destination", {}).keys())
    experiences = check_experiences(checking, _of(ExperienceDefinition, contents, "experience"), segments)
    recommendations = _of(RecommendationDefinition, contents, "recommendation")
    check_recommendations(checking, recommendations)
    if findings:
        # What stands behind two aliases is read twice and would be told twice.
        raise SegueError(*dict.fromkeys(findings))
    return Workspace(
        settings=contents.settings,
        segments={name: segments[name] for name in order},
        features={name: features[name] for name in expressions},
        lists=lists,
        plan=plan,
        conditions={name: conditions[name] for name in order},
        expressions=expressions,
        scope=checking.scope,
        used_features=checking.used_features,
        unread=tuple(sorted(contents.unread)),
        has_settings_file=contents.has_settings_file,
        watches=checking.watches,
        watched_values=checking.watched_values,
        models=models,
        model_specs=specs,
        experiences=experiences,
        triggers=triggers,
        destinations=destinations,
        recommendations=recommendations,
    )


def _of(kind: type[Kind], contents: FolderContents, key: str) -> dict[str, Kind]:
    return {name: each for name, each in contents.definitions[key].items() if isinstance(each, kind)}

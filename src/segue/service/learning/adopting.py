"""A group that a model found becomes a segment that people own: its rule, in the workspace's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.language.findings import shorten, suggestion
from segue.learned.models.clusters import Clusters
from segue.learned.registry import Registry
from segue.learned.version import Version
from segue.service.learning.training import spec_of

if TYPE_CHECKING:
    from segue.service.service import Service


@dataclass(frozen=True, slots=True)
class Adopted:
    """The segment, the file it stands in, and how well its rule says the group it was made of."""

    segment: str
    file: Path
    when: str
    precision: float
    recall: float

    def to_json(self) -> dict[str, Json]:
        """As one object."""
        return {
            "segment": self.segment,
            "file": str(self.file),
            "when": self.when,
            "precision": self.precision,
            "recall": self.recall,
        }


def adopt(service: Service, name: str, cluster: str, segment: str | None) -> Adopted:
    """Write a group's rule into the workspace's files as a segment, and apply it.

    E860 without such a model, E876 when it found no such group, E877 when the segment's name is taken.
    """
    group = described(service, name, cluster)
    rule, called = group["rule"], segment or cluster
    if called in service.workspace.segments:
        hint = f"give it another name: segue adopt {name} {cluster} --as {called}_2"
        raise refusal("E877", f"there is a segment {called} already", hint)
    model = service.workspace.models[name]
    said = (
        f"The group {cluster} of the model {name}, said as a rule: of those it holds for "
        f"{rule['precision']:.0%} are in the group, of the group it holds for {rule['recall']:.0%}."
    )
    definition = {
        "segment": called,
        "title": f"{called.replace('_', ' ').capitalize()} ({name})",
        "owner": model.owner,
        "description": said,
        "when": rule["when"],
    }
    file = service.put_segment(definition)
    return Adopted(called, file, rule["when"], rule["precision"], rule["recall"])


def described(service: Service, name: str, cluster: str) -> Mapping[str, Json]:
    """What the version in force says of one of its groups that has a rule."""
    spec_of(service, name)
    version = _version(service, name)
    labels: list[str] = list(version.document["labels"])
    if cluster not in labels:
        hint = suggestion(cluster, labels, f"its groups are {', '.join(labels)}")
        raise refusal("E876", f"the model {name} has no group {shorten(cluster)}", hint)
    group: Mapping[str, Json] = version.document["groups"][labels.index(cluster)]
    if group["rule"] is None:
        hint = f'use the group itself, in a strategic segment: cluster("{name}") == "{cluster}"'
        raise refusal("E876", f"no rule on its features tells the group {cluster} from the others", hint)
    return group


def _version(service: Service, name: str) -> Version:
    """The version in force of a model that finds groups here."""
    version = Registry(service.data).champion(name)
    if service.workspace.model_specs[name].kind != Clusters.word:
        hint = "only a model of kind clusters describes its groups"
        raise refusal("E876", f"the model {name} has no groups that could be adopted", hint)
    if version is None:
        raise refusal("E876", f"no version of {name} is in force", f"train it: segue train {name}")
    return version

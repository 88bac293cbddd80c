"""Scores that are handed in: judged by what came after a moment in the past, then written as they come.

--as-of T: what was said then, held against what happened within the horizon ──► a version, the gate
without:   what is said now ──► the log, when a version is in force
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from segue.domain.errors import refusal
from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.learned.card import card_of
from segue.learned.dataset import CutOffs, labelled, table_at
from segue.learned.gate import judge
from segue.learned.model import HoldOut, Learned
from segue.learned.models import KINDS
from segue.learned.models.upload import Upload, UploadedModel
from segue.learned.registry import Registry
from segue.learned.rounds import Rounds
from segue.learned.spec import ModelSpec
from segue.learned.table import Table
from segue.learned.training import Lesson, Trial, metric_of, rule_to_beat
from segue.learned.version import Version
from segue.log.said import CLUSTER, NOTHING, Said
from segue.service.core import wall_ms
from segue.service.learning.handed import Handed
from segue.service.learning.scoring import parts, write
from segue.service.learning.training import history, spec_of

if TYPE_CHECKING:
    from segue.service.service import Service

UNKNOWN_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Terms:
    """For which moment (ms) scores are meant, None for now; who puts their source in force, and why."""

    as_of: int | None = None
    by: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What became of scores: ``written`` are in the log, ``judged`` were held against what happened.

    ``unknown`` counts users of whom nothing was ever received, ``some`` names the first. ``version`` is the
    one that was made, or that is in force.
    """

    handed: Handed
    version: Version
    written: int = 0
    judged: int = 0
    unknown: int = 0
    some: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """As one object."""
        handed = self.handed
        return {
            "model": self.version.name,
            "rows": handed.rows,
            "written": self.written,
            "judged": self.judged,
            "unknown": self.unknown,
            "unknown_users": [*self.some],
            "refused": handed.refused_count,
            "refused_rows": [{"row": row, "why": why} for row, why in handed.refused],
            "version": self.version.number,
            "status": self.version.status,
            "verdict": self.version.card.get("verdict"),
        }


def uploaded(service: Service, name: str, handed: Handed, terms: Terms) -> Uploaded:
    """Take scores of an upload model. E860 without such a model, E878 when they cannot be taken."""
    spec = uploading(service, name)
    if (terms.by is None) != (terms.why is None):
        hint = 'say both: --by ada@shop.example --why "they come from our bank"'
        raise refusal("E878", "who puts scores in force says who they are and why", hint)
    registry = Registry(service.data)
    if terms.as_of is not None:
        return _judged(service, registry, spec, handed, terms.as_of)
    champion = registry.champion(name)
    if terms.by is not None and terms.why is not None:
        champion = _by_hand(service, registry, spec, terms.by, terms.why)
    if champion is None:
        hint = (
            "hand in what it said at a moment in the past (--as-of), so that it can be judged by what came "
            "after; or say who puts it in force and why (--by, --why)"
        )
        raise refusal("E878", f"no version of {name} is in force, so that its scores count nowhere", hint)
    return _written(service, spec, champion, handed)


def held(service: Service) -> Iterator[Json]:
    """The upload models by name, with the version in force and for how many users there is a value."""
    registry = Registry(service.data)
    for name, spec in sorted(service.workspace.model_specs.items()):
        if spec.kind != Upload.word:
            continue
        champion, users = registry.champion(name), 0
        for rows in parts(service.core, None):
            with service.core.turn:
                values = service.engine.feed.predictions.at((spec.gives, name), rows)
            users += int((values != NOTHING).sum())
        yield {"model": name, "version": None if champion is None else champion.number, "users": users}


def uploading(service: Service, name: str) -> ModelSpec:
    """A model that scores are handed in for; E860 or E878 when it is none."""
    spec = spec_of(service, name)
    model = service.workspace.models[name]
    if spec.kind != Upload.word or not model.live:
        found = f"of kind {spec.kind}" if model.live else model.status
        hint = "scores are handed in for active models of kind upload"
        raise refusal("E878", f"the model {name} is {found}", hint)
    return spec


def _by_hand(service: Service, registry: Registry, spec: ModelSpec, by: str, why: str) -> Version:
    """A version that a person puts in force: nothing was judged."""
    table = table_at(spec, history(service), service.engine.now)
    trial = Trial(Lesson(table, None, None), Learned(UploadedModel()), None, None, None, ())
    version = registry.add(_version(service, spec, trial), "handed in")
    return registry.promote(spec.name, version.number, by, why, wall_ms())


def _judged(service: Service, registry: Registry, spec: ModelSpec, handed: Handed, moment: int) -> Uploaded:
    """A version that is in force from now on if what was said at a moment beats the rule beyond chance."""
    test = _outcome(service, spec, moment)
    user_id = service.core.intake.identity.user_id
    said = [handed.values.get(user_id(row)) for row in test.rows.tolist()]
    held = HoldOut(test.labels, np.array([np.nan if each is None else each for each in said]), test.values)
    metric = metric_of(spec, KINDS[spec.kind])
    rule = rule_to_beat(spec, test, test, metric)
    if rule is None:
        hint = "write `event:` of what it foretells, or a `baseline:`"
        raise refusal("E878", f"there is no rule that {spec.name} could be held against", hint)
    verdict = judge(held.labels, held.predictions, rule.ranking, metric, rule.name)
    moments = CutOffs((moment,), moment, spec.horizon_ms or 0)
    trial = Trial(Lesson(test, test, moments), Learned(UploadedModel()), held, verdict, None, ())
    version = registry.add(_version(service, spec, trial), "handed in")
    if verdict.passed:
        version = registry.promote(spec.name, version.number, None, verdict.sentence(), wall_ms())
    unknown = _unknown(service, handed)
    return Uploaded(handed, version, 0, verdict.users, len(unknown), tuple(unknown[:UNKNOWN_SHOWN]))


def _outcome(service: Service, spec: ModelSpec, moment: int) -> Table:
    """Whom the model is about at a moment, with what came after it; E878 when that is not known."""
    shown = history(service)
    if spec.target is None or spec.horizon_ms is None or spec.gives == CLUSTER:
        hint = "give it a target, or say who puts it in force and why (--by, --why)"
        raise refusal("E878", f"{spec.name} foretells nothing that it could be judged by", hint)
    if moment + spec.horizon_ms > shown.engine.now:
        known = format_instant(shown.engine.now - spec.horizon_ms)
        hint = f"hand in what it said at {known} or before"
        raise refusal("E878", f"what came after {format_instant(moment)} is not known yet", hint)
    (test,) = labelled(spec, shown, [moment])
    if not len(test) or np.ptp(test.labels) == 0:
        hint = "choose a moment, a target or a population that tells people apart"
        raise refusal("E878", f"at {format_instant(moment)} the target is the same for all", hint)
    return test


def _version(service: Service, spec: ModelSpec, trial: Trial) -> Version:
    card = card_of(spec, KINDS[spec.kind], trial, service.workspace.models[spec.name].to_json())
    return Version(spec.name, 0, spec.kind, spec.gives, wall_ms(), UploadedModel().document(), card)


def _written(service: Service, spec: ModelSpec, version: Version, handed: Handed) -> Uploaded:
    """Have the log say what was handed in; returns when it is evaluated."""
    # In one piece: nobody becomes part of somebody else between being looked up and being written of.
    with service.core.gate:
        said, unknown = _said(service, spec, version, handed)
        written = write(service.core, said)
    for done in written:
        done.result()
    Rounds(service.data).note({spec.name: version.number}, service.engine.now)
    return Uploaded(handed, version, len(said), 0, len(unknown), tuple(unknown[:UNKNOWN_SHOWN]))


def _said(service: Service, spec: ModelSpec, version: Version, handed: Handed) -> tuple[Said, list[str]]:
    """The values by row, each row once; and the users of whom nothing is known. Hold the gate."""
    by_row: dict[int, Json] = {}
    unknown = []
    row_of = service.core.intake.identity.row_of
    for user, value in handed.values.items():
        row = row_of(user)
        if row is None:
            unknown.append(user)
        else:
            by_row[row] = value
    rows = np.array(sorted(by_row), np.int32)
    values = [by_row[row] for row in rows.tolist()]
    if spec.gives == CLUSTER:
        labels = tuple(sorted({each for each in values if each is not None}))
        return Said(CLUSTER, spec.name, rows, _places(values, labels), labels, version.number), unknown
    doubles = np.array([np.nan if each is None else each for each in values], np.float64)
    return Said.scores(spec.name, rows, doubles, version.number), unknown


def _places(values: list[Json], labels: tuple[str, ...]) -> npt.NDArray[np.int64]:
    places: Mapping[Json, int] = {label: place for place, label in enumerate(labels)}
    return np.array([places.get(each, NOTHING) for each in values], np.int64)


def _unknown(service: Service, handed: Handed) -> list[str]:
    with service.core.gate:
        row_of = service.core.intake.identity.row_of
        return [user for user in handed.values if row_of(user) is None]

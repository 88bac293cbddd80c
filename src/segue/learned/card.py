"""The card of a version: all that people are told of it, as one JSON object, and as text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from segue.domain.event import Json
from segue.domain.time import format_duration, format_instant
from segue.learned.gate import sentence
from segue.learned.guards import guards_of, told
from segue.learned.metrics import calibration, of_amounts, of_chances
from segue.learned.model import Doubles, HoldOut, ModelKind
from segue.learned.spec import FeatureSpec, ModelSpec
from segue.learned.table import Table
from segue.learned.training import Trial, metric_of
from segue.learned.version import libraries

PARTS = 10
"""Of equally many profiles, by which a feature or score is described."""
_PERCENTILES = 101
_EXPLAINED_MAX = 20_000
"""Profiles whose drivers are looked at for what matters on the whole."""


def card_of(
    spec: ModelSpec, kind: ModelKind, trial: Trial, definition: Mapping[str, object]
) -> dict[str, Json]:
    """All there is to tell: data, cut-offs, features, metrics, verdict, calibration, bounds for drift."""
    training, held = trial.lesson.training, trial.hold_out
    judged = training if trial.lesson.test is None else trial.lesson.test
    found: dict[str, Json] = {
        "definition": dict(definition),
        "meanings": spec.meanings(),
        "data_hash": training.fingerprint,
        "cut_offs": _cut_offs(trial),
        "horizon_ms": spec.horizon_ms,
        "users": training.users,
        "lines": len(training),
        "events": int(training.events.sum()),
        "judged_users": 0 if held is None else len(held.labels),
        "base_rate": None if held is None else _mean(held.labels),
        "guards": told(guards_of(spec, kind), training if np.isfinite(training.labels).any() else judged),
        "features": _features(spec, trial, judged),
        "learned": dict(trial.learned.metrics),
        "metrics": {} if held is None else _metrics(spec, kind, held),
        "verdict": None if trial.verdict is None else trial.verdict.to_json(),
        "against_champion": None if trial.against is None else trial.against.to_json(),
        "notes": [*trial.learned.notes],
        "warnings": [*trial.warnings],
        "threshold": spec.threshold,
        "libraries": libraries(),
    }
    if kind.gives == "score":
        found |= _of_scores(trial, judged)
    if trial.learned.groups:
        found["groups"] = [*trial.learned.groups]
    return {key: _jsonable(each) for key, each in found.items()}


def _cut_offs(trial: Trial) -> dict[str, Json]:
    moments = trial.lesson.cut_offs
    if moments is None:
        return {"training": [format_instant(each) for each in trial.lesson.training.cut_offs], "test": None}
    training = [format_instant(each) for each in moments.training]
    return {"training": training, "test": format_instant(moments.test)}


def _metrics(spec: ModelSpec, kind: ModelKind, held: HoldOut) -> dict[str, float]:
    known = np.isfinite(held.predictions) & np.isfinite(held.labels)
    measured = of_amounts if metric_of(spec, kind) != "auc" else of_chances
    return {**measured(held.labels[known], held.predictions[known]), "missing": float(1 - known.mean())}


def _features(spec: ModelSpec, trial: Trial, judged: Table) -> list[Json]:
    """Each with what it is like among those it was judged on, and how much it matters."""
    weight = _importances(trial, judged)
    texts = {each.name: each for each in spec.features}
    return [
        {
            **_written(texts[name]),
            **described(judged.values[:, place]),
            "importance": weight[place],
        }
        for place, name in enumerate(judged.features)
    ]


def _written(feature: FeatureSpec) -> dict[str, Json]:
    return {"name": feature.name, "text": feature.text, "unit": feature.unit}


def described(values: Doubles) -> dict[str, Json]:
    """The share that lacks it, and the bounds of ten equal parts of the others, for drift."""
    known = values[np.isfinite(values)]
    edges = np.quantile(known, np.linspace(0, 1, PARTS + 1)).tolist() if len(known) else []
    return {"missing": float(1 - len(known) / len(values)) if len(values) else 0.0, "parts": edges}


def _importances(trial: Trial, judged: Table) -> list[float | None]:
    """The mean size of what each feature contributes, in the raw prediction's unit."""
    some = judged.taken(np.arange(min(len(judged), _EXPLAINED_MAX)))
    columns = [judged.features.index(name) for name in trial.learned.model.features]
    parts = trial.learned.model.explain(some.values[:, columns], some.rows.astype(np.int64)).contributions
    found: list[float | None] = [None] * len(judged.features)
    if parts.shape == (len(some), len(columns)) and len(some):
        for place, column in enumerate(columns):
            known = parts[np.isfinite(parts[:, place]), place]
            found[column] = float(np.abs(known).mean()) if len(known) else None
    return found


def _of_scores(trial: Trial, judged: Table) -> dict[str, Json]:
    held = trial.hold_out
    if held is None:
        columns = [judged.features.index(name) for name in trial.learned.model.features]
        said = trial.learned.model.predict(judged.values[:, columns], judged.rows.astype(np.int64))
    else:
        said = held.predictions
    known = said[np.isfinite(said)]
    found: dict[str, Json] = {"score": described(said), "percentiles": []}
    if len(known):
        found["percentiles"] = np.quantile(
            known, np.linspace(0, 1, _PERCENTILES), method="inverted_cdf"
        ).tolist()
    chances = held is not None and set(np.unique(held.labels)) <= {0.0, 1.0}
    if chances and held is not None and len(known):
        there = np.isfinite(held.predictions)
        found["calibration"] = [
            {"said": said_, "was": was, "users": count}
            for said_, was, count in calibration(held.labels[there], held.predictions[there])
        ]
    return found


# ---- as people read it -----------------------------------------------------------------------


def render(name: str, number: int, status: str, card: Mapping[str, Json]) -> str:
    """The card as text."""
    return "\n".join(_lines(name, number, status, card))


def _lines(name: str, number: int, status: str, card: Mapping[str, Json]) -> Iterator[str]:
    definition = card["definition"]
    yield f"{name}, version {number}: {status}"
    yield f"  {definition.get('description', '')} ({definition.get('owner', '')})"
    yield from _of_data(card)
    verdict = card["verdict"]
    if verdict is not None:
        yield f"  gate       {sentence(verdict)}"
    if card["against_champion"] is not None:
        yield f"  in force   {sentence(card['against_champion'])}"
    for metric, value in card["metrics"].items():
        yield f"  {metric:<18} {_number(value)}"
    yield from _of_calibration(card.get("calibration") or [])
    yield from _of_features(card["features"])
    for group in card.get("groups", ()):
        yield from _of_group(group)
    for note in card["notes"]:
        yield f"  note       {note}"
    for warning in card["warnings"]:
        yield f"  warning    {warning}"
    versions = ", ".join(f"{library} {version}" for library, version in card["libraries"].items())
    yield f"  made with  {versions}"


def _of_data(card: Mapping[str, Json]) -> Iterator[str]:
    moments = card["cut_offs"]
    horizon = card["horizon_ms"]
    ahead = "" if horizon is None else f", {format_duration(horizon)} ahead"
    yield f"  learned    at {', '.join(moments['training'])}{ahead}"
    if moments["test"] is not None:
        yield f"  judged     at {moments['test']} on {card['judged_users']:,} users"
    guards = card["guards"]
    why = f"; lowered: {guards['reason']}" if guards["reason"] else ""
    yield f"  data       {card['users']:,} users, {card['lines']:,} lines, hash {card['data_hash']}{why}"


def _of_calibration(bins: Sequence[Json]) -> Iterator[str]:
    """What was said against what happened, as two rows of percents."""
    if bins:
        yield "  said     " + "".join(f"{each['said']:>6.0%}" for each in bins)
        yield "  happened " + "".join(f"{each['was']:>6.0%}" for each in bins)


def _of_features(features: Sequence[Json]) -> Iterator[str]:
    ordered = sorted(features, key=lambda each: -(each["importance"] or 0.0))
    width = max((len(each["name"]) for each in ordered), default=0)
    for each in ordered:
        weight = "" if each["importance"] is None else f"{each['importance']:.4f}"
        lacking = f"  missing {each['missing']:.0%}" if each["missing"] else ""
        yield f"  {each['name']:<{width}}  {weight:>8}  {each['text']}{lacking}"


def _of_group(group: Json) -> Iterator[str]:
    suggested = (
        "" if group["suggestion"] == group["label"] else f", would be called {group['suggestion']} now"
    )
    yield f"  group      {group['label']}: {group['size']:,} users, {group['share']:.1%}{suggested}"
    centre = (f"{name} {'missing' if at is None else f'{at:,.4g}'}" for name, at in group["centre"].items())
    yield f"             centre {', '.join(centre)}"
    rule = group["rule"]
    if rule is None:
        yield "             no rule tells it from the others"
        return
    yield f"             rule, precision {rule['precision']:.0%}, recall {rule['recall']:.0%}:"
    for line in rule["when"].split("\n"):
        yield f"               {line}"


def _number(value: Json) -> str:
    return "-" if value is None else f"{value:,.4f}"


def _mean(values: Doubles) -> float:
    return float(values.mean()) if len(values) else math.nan


def _jsonable(value: Json) -> Json:
    """The same with null in place of what is no JSON number."""
    if isinstance(value, dict):
        return {key: _jsonable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

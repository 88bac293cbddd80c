"""Champions watched: how far features, scores and the make-up of segments moved since a version is in force.

The first look at a version is what all later ones are held against; the model stays the same meanwhile, so
that whatever moves is the people. Times since something grow by themselves in whoever stays away: they are
shown and make no alarm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from segue.domain.event import Json
from segue.domain.number import MICRO
from segue.domain.time import DAY, format_duration, format_instant
from segue.learned.drift import (
    MOVED,
    PROFILES_MIN,
    SHIFT_MAX,
    STABLE,
    Parts,
    level,
    shares,
    shift,
    stability,
)
from segue.learned.features import held, matrix
from segue.learned.looks import Kept, Looks
from segue.learned.spec import ModelSpec
from segue.log.said import CLUSTER, NOTHING
from segue.segments.freshness import read_by
from segue.service.learning.champions import Champions
from segue.service.learning.scoring import Champion, in_step, parts

if TYPE_CHECKING:
    from segue.service.service import Service

Doubles = npt.NDArray[np.float64]
_SCORE = "score"


@dataclass(frozen=True, slots=True)
class Moved:
    """One column held against what it was: its stability index and where that stands.

    ``structural`` columns move by themselves as time goes on, and make no alarm.
    """

    name: str
    index: float
    level: str
    structural: bool = False

    def to_json(self) -> dict[str, Json]:
        """As it is shown."""
        return {
            "name": self.name,
            "psi": round(self.index, 4),
            "level": self.level,
            "structural": self.structural,
        }


@dataclass(frozen=True, slots=True)
class Drift:
    """A champion at ``at`` (ms) against what it was at ``since``.

    ``composition`` are the shares of its groups, or of the parts that its scores fell into at first, and
    ``shift`` the share that is elsewhere now; ``segments`` the share of the profiles it speaks of in each
    segment that reads it. ``alarms`` say what to do.
    """

    model: str
    version: int
    at: int
    since: int
    profiles: int
    columns: tuple[Moved, ...]
    composition: Mapping[str, tuple[float, float]]
    shift: float
    segments: Mapping[str, tuple[float, float]]
    alarms: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """As it is shown."""
        return {
            "model": self.model,
            "version": self.version,
            "at": format_instant(self.at),
            "since": format_instant(self.since),
            "profiles": self.profiles,
            "columns": [each.to_json() for each in self.columns],
            "composition": _pairs(self.composition),
            "shift": round(self.shift, 4),
            "segments": _pairs(self.segments),
            "alarms": list(self.alarms),
        }


def look(
    service: Service, names: Collection[str] | None = None, first_only: bool = False, keep: bool = True
) -> dict[str, Drift]:
    """Look at the champions, at some or at all, keep what is seen, and tell what moved.

    With ``first_only`` only those are looked at that never were; without ``keep`` only what is to be held
    against later is kept.
    """
    looks, found = Looks(service.data), {}
    for name, champion in Champions(service).now(names, handed_in=True).items():
        first = looks.first(name, champion.number)
        if first_only and first is not None:
            continue
        seen = _seen(service, champion)
        if seen is None:
            continue
        last = looks.last(name, champion.number)
        drift = _drift(service, champion, Kept(_now(service), seen), first, last)
        seen["levels"] = {each.name: each.level for each in drift.columns}
        seen |= {"shift": round(drift.shift, 4), "alarms": list(drift.alarms)}
        if keep or first is None:
            looks.add(name, champion.number, Kept(drift.at, seen))
        found[name] = drift
    return found


def _now(service: Service) -> int:
    return max(service.engine.now, 0)


# ---- seeing ----------------------------------------------------------------------------------


def _seen(service: Service, champion: Champion) -> dict[str, Json] | None:
    """The features and scores of those it speaks of, as numbers; None when it cannot score now."""
    core, spec = service.core, champion.spec
    values, scores, inside = [], [], []
    conditions, workspace = service.workspace.conditions, service.workspace
    readers = [name for name in workspace.segments if spec.name in read_by(workspace, conditions[name])]
    for rows in parts(core, None):
        with core.turn:
            if not in_step(core.engine, spec, champion.model):
                return None
            said = core.engine.feed.predictions.at(champion.key, rows)
            spoken = rows[said != NOTHING]
            values.append(matrix(core.engine, spec, spoken, champion.model.features))
            inside.append([held(core.engine, name, spoken) for name in readers])
            scores.append(said[said != NOTHING])
            labels = core.engine.feed.predictions.labels(champion.key)
    if not scores or not sum(map(len, scores)):
        return None
    whole, numbers = np.concatenate(values), np.concatenate(scores)
    seen: dict[str, Json] = {
        "profiles": len(numbers),
        "values": {name: whole[:, place] for place, name in enumerate(champion.model.features)},
        "segments": {
            name: float(np.concatenate([each[place] for each in inside]).mean())
            for place, name in enumerate(readers)
        },
    }
    if spec.gives == CLUSTER:
        seen["clusters"] = {label: int((numbers == place).sum()) for place, label in enumerate(labels)}
    else:
        seen["values"][_SCORE] = numbers.astype(np.float64) / MICRO
    return seen


def _counted(seen: dict[str, Json], first: Kept | None) -> dict[str, Parts]:
    """The columns in the parts of the first look, or in parts of their own when this is the first."""
    before = {} if first is None else first.seen["parts"]
    values: Mapping[str, Doubles] = seen.pop("values")
    return {
        name: Parts.of(column) if name not in before else Parts.of_json(before[name]).counted(column)
        for name, column in values.items()
    }


# ---- holding against -------------------------------------------------------------------------


def _drift(service: Service, champion: Champion, now: Kept, first: Kept | None, last: Kept | None) -> Drift:
    counted = _counted(now.seen, first)
    now.seen["parts"] = {name: each.to_json() for name, each in counted.items()}
    now.seen["composition"] = _composition(now.seen, counted.get(_SCORE))
    then = now if first is None else first
    levels = {} if last is None else last.seen.get("levels", {})
    columns = tuple(_columns(champion.spec, counted, then, levels))
    composition, before = now.seen["composition"], then.seen["composition"]
    found = Drift(
        model=champion.spec.name,
        version=champion.number,
        at=now.at,
        since=then.at,
        profiles=now.seen["profiles"],
        columns=columns,
        composition=_beside(before, composition),
        shift=shift(before, composition),
        segments=_beside(then.seen["segments"], now.seen["segments"]),
        alarms=(),
    )
    if min(then.seen["profiles"], now.seen["profiles"]) < PROFILES_MIN:
        return found
    schedule = service.workspace.models[champion.spec.name].schedule_ms
    return replace(found, alarms=tuple(_alarms(found, schedule)))


def _columns(
    spec: ModelSpec, counted: Mapping[str, Parts], then: Kept, levels: Mapping[str, str]
) -> Iterator[Moved]:
    structural = {each.name for each in spec.features if each.unit == "days"}
    for name, each in counted.items():
        index = stability(then.seen["parts"][name]["counts"], each.counts)
        yield Moved(name, index, level(index, levels.get(name, STABLE)), name in structural)


def _composition(seen: Mapping[str, Json], scores: Parts | None) -> dict[str, float]:
    """The shares of the groups, or of the parts that the scores fell into at first."""
    if scores is None:
        return shares(seen["clusters"])
    edges = [f"{edge:.4g}" for edge in scores.edges]
    names = [f"{low}..{high}" for low, high in zip(["", *edges], [*edges, ""], strict=True)]
    return shares(dict(zip(names, scores.counts, strict=False)))


def _alarms(found: Drift, schedule_ms: int | None) -> Iterator[str]:
    if found.shift > SHIFT_MAX:
        passed = max(found.at - found.since, DAY)
        text = f"{found.shift:.0%} of the profiles are elsewhere than {format_duration(_days(passed))} ago"
        sooner = max(_days(round(min(schedule_ms or passed, passed) * SHIFT_MAX / found.shift)), DAY)
        yield f"{text}: shorten the interval, `schedule: every {format_duration(sooner)}` in the model"
    for each in found.columns:
        if each.level == MOVED and not each.structural:
            what = "its score" if each.name == _SCORE else f"the feature {each.name}"
            yield f"{what} is not what it was (stability index {each.index:.2f}): train it again"


def _days(ms: int) -> int:
    return ms // DAY * DAY


def _beside(then: Mapping[str, float], now: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    return {name: (then.get(name, 0.0), now.get(name, 0.0)) for name in (*now, *(then.keys() - now.keys()))}


def _pairs(pairs: Mapping[str, tuple[float, float]]) -> dict[str, Json]:
    return {name: {"then": round(then, 4), "now": round(now, 4)} for name, (then, now) in pairs.items()}

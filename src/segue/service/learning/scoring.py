"""What champions say of profiles, kept in step with what is known of them, as records of the log.

Features are read in the engine's turn, a bounded number of profiles at a time; the model is asked outside of
it, so that events go on meanwhile. Only what moved by more than the resolution is written: a score that is
read anywhere is in the log first, and a replay says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from segue.domain.errors import SegueError
from segue.domain.number import MICRO
from segue.engine.engine import Engine
from segue.engine.kernel import layout as k
from segue.learned.features import held, matrix
from segue.learned.model import Model
from segue.learned.spec import POPULATION, ModelSpec
from segue.log.said import CLUSTER, NOTHING, Said, micros_of
from segue.service.core import Core

Rows = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

ROWS_AT_ONCE = 100_000
"""Profiles whose features are read in one turn of the engine."""
RESOLUTION = 1e-4
"""A score that moved by no more than this, or by no more than this part of itself, is left as it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Champion:
    """The version of a model that scores: what it reads, its number, and the model itself."""

    spec: ModelSpec
    number: int
    model: Model

    @property
    def key(self) -> tuple[str, str]:
        """Under which its values are kept."""
        return self.spec.gives, self.spec.name


@dataclass(slots=True)
class Scored:
    """What a round of scoring came to, by model: profiles looked at, values written, why it could not be."""

    looked: dict[str, int] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, looked: int, written: int) -> None:
        """One part of the profiles."""
        self.looked[name] = self.looked.get(name, 0) + looked
        self.written[name] = self.written.get(name, 0) + written


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What was read of some profiles in one turn: their features, who is in the population, what is held.

    ``seq`` is the log position at which it was so.
    """

    seq: int
    rows: Rows
    values: Doubles
    about: npt.NDArray[np.bool_]
    held: Ints
    labels: tuple[str, ...]


def score(core: Core, champions: Mapping[str, Champion], rows: Rows | None = None) -> Scored:
    """Have the champions speak of some profiles, or of everybody; returns when it is evaluated."""
    found, written = Scored(), list[Future[None]]()
    asked = list(parts(core, rows))
    for name, champion in champions.items():
        try:
            for part in asked:
                if name not in found.refused:
                    written += _score_part(core, champion, part, found)
        except SegueError as refused:
            found.refused[name] = refused.diagnostics[0].message
    for done in written:
        done.result()
    return found


def parts(core: Core, rows: Rows | None) -> Iterator[Rows]:
    """The profiles of their own among these rows, or all there are, a bounded number at a time."""
    with core.turn:
        engine = core.engine
        alive = np.zeros(max(engine.machine.rows, 1), np.bool_)
        alive[: engine.machine.rows] = engine.machine.state.flags[: engine.machine.rows] & k.ALIVE != 0
        if rows is not None:
            current = engine.feed.current
            found = np.unique(np.array([current(row) for row in np.unique(rows).tolist()], np.int32))
            found = found[(found >= 0) & (found < len(alive))]
            chosen = found[alive[found]]
        else:
            chosen = np.flatnonzero(alive).astype(np.int32)
    for start in range(0, len(chosen), ROWS_AT_ONCE):
        yield chosen[start : start + ROWS_AT_ONCE]


def in_step(engine: Engine, spec: ModelSpec, model: Model) -> bool:
    """Whether the engine follows all that a model reads."""
    watched = {spec.watch(each) for each in model.features}
    names = {spec.watch(each) for each in spec.feature_names}
    return watched <= names and all(
        name in engine.compiled.numbers or name in engine.compiled.shown for name in watched
    )


def read(engine: Engine, champion: Champion, rows: Rows) -> Reading:
    """What a champion needs to know of some profiles; hold the engine's turn."""
    spec, said = champion.spec, engine.feed.predictions
    return Reading(
        engine.evaluated_seq,
        rows,
        matrix(engine, spec, rows, champion.model.features),
        held(engine, spec.watch(POPULATION), rows),
        said.at(champion.key, rows),
        tuple(said.labels(champion.key)),
    )


def predicted(champion: Champion, reading: Reading) -> Doubles:
    """What a champion says of the profiles; NaN of those it is not about."""
    found = np.full(len(reading.rows), np.nan)
    about = reading.about
    if about.any():
        found[about] = champion.model.predict(reading.values[about], reading.rows[about].astype(np.int64))
    return found


def moved(champion: Champion, reading: Reading, found: Doubles) -> Said:
    """What of it is to be written: what differs from what is held by more than the resolution."""
    gives, name = champion.key
    if gives == CLUSTER:
        values = np.where(np.isnan(found), NOTHING, np.nan_to_num(found).astype(np.int64))
        other = values != _places(reading, champion.model.labels)
    else:
        values = micros_of(found)
        other = _differ(values, reading.held)
    said = Said(gives, name, reading.rows, values, tuple(champion.model.labels), champion.number)
    return said.chosen(other)


def write(core: Core, said: Said, since: int = 0) -> list[Future[None]]:
    """Make it durable and have it evaluated; nobody who was forgotten after position ``since`` is in it."""
    if not len(said):
        return []
    with core.gate:
        gone = [row for record in core.log.records("forget", since) for row in record.body["rows"]]
        kept = said.chosen(~np.isin(said.rows, gone)) if gone else said
        return [core.record("score", kept.to_body())] if len(kept) else []


def taken_back(core: Core, key: tuple[str, str]) -> None:
    """Have a model say nothing of anybody any more."""
    for part in parts(core, None):
        with core.turn:
            said = core.engine.feed.predictions.at(key, part) != NOTHING
        rows = part[said]
        for done in write(core, Said(*key, rows, np.full(len(rows), NOTHING, np.int64))):
            done.result()


def _score_part(core: Core, champion: Champion, rows: Rows, tally: Scored) -> list[Future[None]]:
    with core.turn:
        if not in_step(core.engine, champion.spec, champion.model):
            tally.refused[champion.spec.name] = (
                "it reads features that are not defined any more: train it again"
            )
            return []
        reading = read(core.engine, champion, rows)
    said = moved(champion, reading, predicted(champion, reading))
    tally.add(champion.spec.name, len(rows), len(said))
    return write(core, said, reading.seq)


def _differ(values: Ints, before: Ints) -> npt.NDArray[np.bool_]:
    """Which scores moved; to come, or to go, is to move."""
    there, was = values != NOTHING, before != NOTHING
    both = there & was
    old = np.where(both, before, 0).astype(np.float64)
    distance = np.abs(np.where(both, values, 0) - old)
    far: npt.NDArray[np.bool_] = distance > RESOLUTION * np.maximum(np.abs(old), MICRO)
    found: npt.NDArray[np.bool_] = (there != was) | far
    return found


def _places(reading: Reading, labels: tuple[str, ...]) -> Ints:
    """The groups that are held as places in a model's labels; a group it does not have is no place of it."""
    places = {label: place for place, label in enumerate(labels)}
    table = np.array([places.get(label, NOTHING + 1) for label in reading.labels] or [NOTHING], np.int64)
    found = np.full(len(reading.rows), NOTHING, np.int64)
    there = reading.held != NOTHING
    found[there] = table[reading.held[there]]
    return found

"""What a model learns from: features as of moments in the past, and what came after.

        features: all received by the cut-off     labels: (cut-off, cut-off + horizon]
  ──────────────────────────────────────────────┼──────────────────────────────┼──────►
                                              cut-off
     training cut-offs, stacked:   ├──1──┤
                                       ├──2──┤
                                           ├──3──┤
     the test cut-off, later than every training label:    ├──test──┤ now

Features come from an engine that is shown the log as of the cut-off: the kernel that computes them live, and
nothing that it could not have known. Labels come from one that is shown all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segue.engine.engine import Engine
from segue.engine.program.compile import Compiled, compile_definitions
from segue.language import tree
from segue.language.ahead import condition_ahead, operand_ahead
from segue.language.interpret import Definition
from segue.learned.features import held, matrix, shown_values
from segue.learned.spec import POPULATION, SEED, ModelSpec
from segue.learned.table import Rows, Table

CUT_OFFS_MAX = 6
"""Training cut-offs that are stacked; more of them repeat each other."""
_EVENTS = "(events)"
_EVERY_EVENT = tree.Aggregate("count", tree.EventPattern("any"))


@dataclass(frozen=True, slots=True)
class CutOffs:
    """The moments at which a model learns and the later one at which it is judged, in ms."""

    training: tuple[int, ...]
    test: int
    horizon: int


def cut_offs(first: int, now: int, horizon: int) -> CutOffs | None:
    """Moments for a history from ``first`` to ``now``; None when it is too short for a later test.

    Labels of the last training cut-off end where the test begins, its own end now. Before the first one there
    is at least a horizon to look back on.
    """
    test = now - horizon
    last = test - horizon
    earliest = first + horizon
    if last < earliest:
        return None
    step = max(horizon // 3, 1)
    count = min((last - earliest) // step + 1, CUT_OFFS_MAX)
    return CutOffs(tuple(last - step * back for back in reversed(range(count))), test, horizon)


@dataclass(frozen=True, slots=True)
class History:
    """The log up to position ``upto``, to be shown to programs."""

    engine: Engine
    upto: int

    def as_of(self, compiled: Compiled, moment: int) -> Engine:
        """A program that knows what was received by a moment, and stands there."""
        return self.engine.replayed(compiled, self.upto, until=moment, fleeting=True)


def program_of(spec: ModelSpec) -> Compiled:
    """What computes a model's population, seed and features, and nothing else."""
    watched = tuple(Definition(name, condition) for name, condition in spec.watches())
    values = {**dict(spec.values()), spec.watch(_EVENTS): _EVERY_EVENT}
    return compile_definitions((*spec.segments, *watched), spec.rules, values)


def table_at(spec: ModelSpec, history: History, moment: int) -> Table:
    """Everybody the model is about at a moment, with the features of then; of a seed the labels too."""
    engine = history.as_of(program_of(spec), moment)
    rows = _rows(engine)
    rows = rows[held(engine, spec.watch(POPULATION), rows)]
    labels = np.full(len(rows), np.nan)
    if spec.seed is not None:
        labels = held(engine, spec.watch(SEED), rows).astype(np.float64)
    events = shown_values(engine, engine.compiled.shown[spec.watch(_EVENTS)], rows)
    moments = np.full(len(rows), moment, np.int64)
    values = matrix(engine, spec, rows)
    return Table(spec.feature_names, rows, moments, values, labels, events.astype(np.int64))


def labelled(spec: ModelSpec, history: History, moments: Sequence[int]) -> list[Table]:
    """The same at several moments, with what came after each: the labels of the target.

    Whoever was absorbed since is labelled by what the survivor did; who was forgotten is left out.
    """
    ends = _Outcome(spec, history, moments)
    return [ends.label(table_at(spec, history, moment)) for moment in moments]


class _Outcome:
    """What came after some moments, of everybody, as it is known now."""

    def __init__(self, spec: ModelSpec, history: History, moments: Sequence[int]) -> None:
        assert spec.target is not None
        self._spec = spec
        conditions, values = [], {}
        for moment in moments:
            name = self._name(moment)
            if isinstance(spec.target, tree.Condition):
                conditions.append(Definition(name, condition_ahead(spec.target, moment)))
            else:
                values[name] = operand_ahead(spec.target, moment)
        compiled = compile_definitions(conditions, spec.rules, values)
        self._engine = history.as_of(compiled, history.engine.now)

    def _name(self, moment: int) -> str:
        return self._spec.watch(f"(target {moment})")

    def label(self, table: Table) -> Table:
        """A table of one moment with its labels."""
        current = np.array([self._engine.feed.current(row) for row in table.rows.tolist()], np.int32)
        kept = table.taken(current >= 0)
        rows = current[current >= 0]
        name = self._name(int(table.moments[0])) if len(table) else ""
        if not len(kept):
            return kept
        if name in self._engine.compiled.numbers:
            labels = held(self._engine, name, rows).astype(np.float64)
        else:
            labels = shown_values(self._engine, self._engine.compiled.shown[name], rows)
        return Table(kept.features, kept.rows, kept.moments, kept.values, labels, kept.events)


def _rows(engine: Engine) -> Rows:
    """The profiles that there are: not those absorbed, forgotten or suppressed."""
    known = np.flatnonzero(engine.feed.known).astype(np.int32)
    gone = np.array([*engine.feed.survivor, *engine.feed.suppressed], np.int32)
    return known[~np.isin(known, gone)]

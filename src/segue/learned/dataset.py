"""What a model learns from: features as of moments in the past, and what came after.

        features: all received by the cut-off     labels: (cut-off, cut-off + horizon]
  ──────────────────────────────────────────────┼──────────────────────────────┼──────►
                                              cut-off
     training cut-offs, stacked:   ├──1──┤
                                       ├──2──┤
                                           ├──3──┤
     the test cut-off, later than every training label:    ├──test──┤ the last event

Features come from an engine that is shown the log as of the cut-off: the kernel that computes them live, and
nothing that it could not have known. Labels come from one that is shown all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segue.domain.time import DAY
from segue.engine.engine import Engine
from segue.engine.program.compile import Compiled, compile_definitions
from segue.language import tree
from segue.language.ahead import condition_ahead, operand_ahead
from segue.language.interpret import Definition, Rules
from segue.language.types import NUMERIC
from segue.language.walk import walk
from segue.learned.features import held, matrix, shown_values
from segue.learned.spec import POPULATION, SEED, ModelSpec
from segue.learned.table import Doubles, Rows, Table

CUT_OFFS_MAX = 6
"""Training cut-offs that are stacked; more of them repeat each other."""
_EVENTS = "(events)"
_BASELINE = "(baseline)"
_RFM = ("(recency)", "(frequency)", "(money)", "(age)")
_SPAN = {name: tree.Aggregate(name, tree.EventPattern("any")) for name in ("first", "last")}
_EVERY_EVENT = tree.Aggregate("count", tree.EventPattern("any"))


@dataclass(frozen=True, slots=True)
class CutOffs:
    """The moments at which a model learns and the later one at which it is judged, in ms."""

    training: tuple[int, ...]
    test: int
    horizon: int


def cut_offs(first: int, last: int, horizon: int) -> CutOffs | None:
    """Moments for a history from ``first`` to ``last``; None when it is too short for a later test.

    Labels of the last training cut-off end where the test begins, its own where the history does. Before the
    first one there is at least a horizon to look back on.
    """
    test = last - horizon
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

    def span(self, rules: Rules) -> tuple[int, int]:
        """The moments (ms) of the first and of the last event; now twice when there is none.

        What is known ends with the last event, whatever the clock says since: that nothing came after it may
        be because nothing was sent.
        """
        program = compile_definitions((), rules, _SPAN)
        now = self.engine.now
        engine = self.as_of(program, now)
        ages = [shown_values(engine, engine.compiled.shown[name], _rows(engine)) for name in _SPAN]
        known = [each[np.isfinite(each)] for each in ages]
        if not len(known[0]):
            return now, now
        return now - round(float(known[0].max()) * DAY), now - round(float(known[1].min()) * DAY)


def program_of(spec: ModelSpec) -> Compiled:
    """What computes a model's population, seed, features and the rules it is held against, nothing else."""
    conditions = dict(spec.watches())
    values = {**dict(spec.values()), spec.watch(_EVENTS): _EVERY_EVENT}
    for part, node in judged_by(spec):
        if isinstance(node, tree.Condition):
            conditions[spec.watch(part)] = node
        else:
            values[spec.watch(part)] = node
    watched = tuple(Definition(name, condition) for name, condition in conditions.items())
    return compile_definitions((*spec.segments, *watched), spec.rules, values)


def judged_by(spec: ModelSpec) -> list[tuple[str, tree.Condition | tree.Operand]]:
    """What simple rules go by: the rule that was given; recency, frequency, money and age of the event.

    The event is the one that the model is about, else the first that its target or its features name; the
    amount is the one given, else the first number that its features ask of that event.
    """
    found: list[tuple[str, tree.Condition | tree.Operand]] = []
    if spec.baseline is not None:
        found.append((_BASELINE, spec.baseline))
    event = _event(spec)
    if event is not None:
        pattern = tree.EventPattern("track", event)
        found.append((_RFM[0], tree.Elapsed("since", tree.Aggregate("last", pattern))))
        found.append((_RFM[1], tree.Aggregate("count", pattern)))
        found.append((_RFM[3], tree.Elapsed("since", tree.Aggregate("first", pattern))))
        path = _amount(spec, event)
        if path is not None:
            found.append((_RFM[2], tree.Aggregate("sum", pattern, path)))
    return found


def _event(spec: ModelSpec) -> str | None:
    given = spec.options.get("event")
    if isinstance(given, str):
        return given
    roots = [each for each in (spec.target, *(feature.tree for feature in spec.features)) if each is not None]
    patterns = (node for root in roots for node in walk(root) if isinstance(node, tree.EventPattern))
    return next((each.name for each in patterns if each.name is not None), None)


def _amount(spec: ModelSpec, event: str) -> tuple[str, ...] | None:
    given = spec.options.get("amount")
    if isinstance(given, str):
        return tuple(given.split("."))
    nodes = (node for feature in spec.features for node in walk(feature.tree))
    sums = (node for node in nodes if isinstance(node, tree.Aggregate) and node.name in NUMERIC)
    return next((node.path for node in sums if node.event.name == event), None)


def table_at(spec: ModelSpec, history: History, moment: int) -> Table:
    """Everybody the model is about at a moment, with the features of then; of a seed the labels too."""
    return read(spec, history.as_of(program_of(spec), moment))


def read(spec: ModelSpec, engine: Engine) -> Table:
    """The same out of an engine that runs the program of the spec, at its time."""
    rows = _rows(engine)
    rows = rows[held(engine, spec.watch(POPULATION), rows)]
    labels = np.full(len(rows), np.nan)
    if spec.seed is not None:
        labels = held(engine, spec.watch(SEED), rows).astype(np.float64)
    events = shown_values(engine, engine.compiled.shown[spec.watch(_EVENTS)], rows)
    return Table(
        spec.feature_names,
        rows,
        np.full(len(rows), engine.now, np.int64),
        matrix(engine, spec, rows),
        labels,
        events.astype(np.int64),
        _rules(spec, engine, rows),
    )


def _rules(spec: ModelSpec, engine: Engine, rows: Rows) -> Doubles:
    """(profiles, 5): the rule that was given, recency, frequency, money, age; NaN for what there is not."""
    found = np.full((len(rows), 1 + len(_RFM)), np.nan)
    for part, node in judged_by(spec):
        name, place = spec.watch(part), (_BASELINE, *_RFM).index(part)
        if isinstance(node, tree.Condition):
            found[:, place] = held(engine, name, rows)
        else:
            found[:, place] = shown_values(engine, engine.compiled.shown[name], rows)
    return found


def labelled(spec: ModelSpec, history: History, moments: Sequence[int]) -> list[Table]:
    """The same at several moments, with what came after each: the labels of the target.

    Whoever was absorbed since is labelled by what the survivor did; who was forgotten is left out.
    """
    outcome = _Outcome(spec, history, moments)
    program = program_of(spec)
    return [outcome.label(read(spec, history.as_of(program, moment)), moment) for moment in moments]


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

    def label(self, table: Table, moment: int) -> Table:
        """A table of one moment with its labels."""
        current = np.array([self._engine.feed.current(row) for row in table.rows.tolist()], np.int32)
        kept, rows = table.taken(current >= 0), current[current >= 0]
        name = self._name(moment)
        if name in self._engine.compiled.numbers:
            return kept.labelled(held(self._engine, name, rows).astype(np.float64))
        return kept.labelled(shown_values(self._engine, self._engine.compiled.shown[name], rows))


def _rows(engine: Engine) -> Rows:
    """The profiles that there are: not those absorbed, forgotten or suppressed."""
    known = np.flatnonzero(engine.feed.known).astype(np.int32)
    gone = np.array([*engine.feed.survivor, *engine.feed.suppressed], np.int32)
    return known[~np.isin(known, gone)]

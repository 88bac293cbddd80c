"""The features of many profiles at once, as a matrix, out of the engine's columns.

Training reads an engine that was shown the log as of a cut-off, scoring the live one. Both come through here,
so that a model sees the same numbers in both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from segue.domain.number import MICRO
from segue.domain.time import DAY
from segue.engine.engine import Engine
from segue.engine.kernel import layout as k
from segue.engine.program.formula import WHOLE
from segue.engine.program.shown import Shown
from segue.language import tree
from segue.learned.spec import FeatureSpec, ModelSpec

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]


def matrix(engine: Engine, spec: ModelSpec, rows: Rows, names: Sequence[str] | None = None) -> Doubles:
    """float64 (profiles, features) at the engine's time, NaN where missing.

    ``engine`` follows the watches and values of the spec. ``names`` picks features and their order; by itself
    it is that of the spec. A name that the spec does not have is a KeyError.
    """
    by_name = {each.name: each for each in spec.features}
    picked = spec.features if names is None else [by_name[name] for name in names]
    found = np.empty((len(rows), len(picked)), np.float64)
    for place, feature in enumerate(picked):
        found[:, place] = column(engine, spec, feature, rows)
    return found


def column(engine: Engine, spec: ModelSpec, feature: FeatureSpec, rows: Rows) -> Doubles:
    """One feature of many profiles."""
    name = spec.watch(feature.name)
    if isinstance(feature.tree, tree.Condition):
        return held(engine, name, rows).astype(np.float64)
    return shown_values(engine, engine.compiled.shown[name], rows)


def held(engine: Engine, name: str, rows: Rows) -> npt.NDArray[np.bool_]:
    """For which of these profiles a watch or segment holds."""
    number = engine.compiled.numbers.get(name)
    if number is None:
        return np.zeros(len(rows), np.bool_)
    found = np.zeros(max(engine.machine.rows, int(rows.max(initial=0)) + 1), np.bool_)
    found[engine.machine.member_rows(number)] = True
    return found[rows]


def shown_values(engine: Engine, shown: Shown, rows: Rows) -> Doubles:
    """The values of what an engine keeps under a name: numbers, and times in days before its time."""
    if shown.time >= 0:
        at = _cells(engine, shown.time, rows)[:, 0]
        sign = -1.0 if shown.direction == "until" else 1.0
        return np.where(at == k.MISSING, np.nan, sign * (engine.now - at.astype(np.float64)) / DAY)
    return _computed(engine, shown.code, rows)


def _computed(engine: Engine, code: Sequence[tuple[int, float]], rows: Rows) -> Doubles:
    """What :func:`segue.engine.program.arithmetic.computed` gives, for many at once."""
    stack: list[Doubles] = []
    for instruction, argument in code:
        if instruction == k.PUSH_CONSTANT:
            stack.append(np.full(len(rows), argument))
        elif instruction == k.PUSH_FEATURE:
            stack.append(_doubles(engine, int(argument), rows))
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(_calculated(instruction, left, right))
    return stack[0]


def _calculated(instruction: int, left: Doubles, right: Doubles) -> Doubles:
    with np.errstate(all="ignore"):
        if instruction == k.ADD:
            found = left + right
        elif instruction == k.SUBTRACT:
            found = left - right
        elif instruction == k.MULTIPLY:
            found = left * right
        else:
            found = np.where(right == 0, np.nan, left / right)
    return np.where(np.isfinite(found), found, np.nan)


def _doubles(engine: Engine, feature: int, rows: Rows) -> Doubles:
    kind = engine.compiled.registry.feature_keys[feature].kind
    cells = _cells(engine, feature, rows)
    first = cells[:, 0]
    if kind in (k.SUM, k.AVG):
        total = _joined(first, cells[:, 1]) / MICRO
        if kind == k.SUM:
            return total
        with np.errstate(all="ignore"):
            return np.where(cells[:, 2] > 0, total / cells[:, 2], np.nan)
    found = first.astype(np.float64)
    return np.where(first == k.MISSING, np.nan, found if kind in WHOLE else found / MICRO)


def _joined(low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> Doubles:
    """``high * BASE + low`` as doubles: in whole numbers where both fit, so that nothing cancels."""
    small = np.abs(high) < 4
    exact = np.where(small, high, 0) * k.BASE + np.where(small, low, 0)
    return np.where(small, exact.astype(np.float64), high.astype(np.float64) * k.BASE + low)


def _cells(engine: Engine, feature: int, rows: Rows) -> npt.NDArray[np.int64]:
    """The cells of a feature, those of nobody for profiles that have no row yet."""
    at = engine.machine.placement.features[feature]
    width = len(engine.compiled.initials[feature])
    if _is_run(rows) and rows[-1] < engine.machine.rows:
        return engine.machine.state.columns[rows[0] : rows[-1] + 1, at : at + width]
    found = np.empty((len(rows), width), np.int64)
    there = rows < engine.machine.rows
    found[there] = engine.machine.state.columns[rows[there], at : at + width]
    found[~there] = engine.compiled.initials[feature]
    return found


def _is_run(rows: Rows) -> bool:
    """Whether they are neighbours, rising: the cells of everybody need not be picked one by one."""
    if not len(rows) or int(rows[-1]) - int(rows[0]) != len(rows) - 1:
        return False
    return bool((np.diff(rows) == 1).all())

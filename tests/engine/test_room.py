"""The kernel writes into arrays without asking how long they are: the room that it asks for has to do."""

from __future__ import annotations

import numpy as np
import pytest

from segue.engine.kernel import layout as k
from segue.engine.program.compile import Compiled, compile_definitions
from segue.language.checker import check_condition
from segue.language.interpret import Definition, Rules
from segue.language.scope import Scope

FIGURES = ("sum", "avg", "min", "max", "latest", "earliest")
SUMS = (
    " + ".join(f'{figure}("B".n, last 1d)' for figure in FIGURES)
    + ' + count("B", last 1d) + days("B", last 1d)'
)
STEPS = " then ".join(f'"B" where n > {number}' for number in range(12))
MANY = {
    "many figures in one sum": [f"{SUMS} > {number}" for number in range(100)],
    "an event that is each step of a sequence": [
        f'sequence({STEPS}, within 1h) * {number} + count("B") > 3' for number in range(1, 50)
    ],
    "a session that an event begins": [f"count(any, this session) + {number} > 3" for number in range(50)],
}


@pytest.mark.parametrize("conditions", MANY.values(), ids=MANY.keys())
def test_what_one_operation_touches_fits(conditions: list[str]) -> None:
    compiled = compile_definitions(
        [Definition(f"s{at}", check_condition(text, Scope())) for at, text in enumerate(conditions)], Rules()
    )
    program = compiled.program
    room = program.bounds[k.B_TOUCHES_MAX]
    for cursor in program.cursors:
        passed = [*_listed(compiled, cursor, "leave"), *_listed(compiled, cursor, "recompute")]
        assert sum(_looking(compiled, feature) for feature in passed) + len(cursor) <= room
    for code in compiled.codes.all:
        streams = [program.streams[stream] for stream, *_ in code.links]
        changed = [
            feature
            for stream in streams
            for name in ("feature", "other")
            for feature in _listed(compiled, stream, name)
        ]
        assert sum(_looking(compiled, feature) for feature in changed) <= room


def _listed(compiled: Compiled, record: np.void, name: str) -> list[int]:
    found: list[int] = compiled.program.pool[record[f"{name}_at"] : record[f"{name}_end"]].tolist()
    return found


def _looking(compiled: Compiled, feature: int) -> int:
    """How many atoms look at a feature."""
    record = compiled.program.features[feature]
    return sum(int(record[f"{name}_end"] - record[f"{name}_at"]) for name in ("atom", "edge", "missing"))

"""Questions about the past and about what is not defined: answered by showing the log to other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from segue.engine.engine import Engine
from segue.engine.kernel import layout as k
from segue.engine.kernel.run import holders
from segue.engine.kernel.world import world_of
from segue.engine.program.compile import Compiled, compile_definitions
from segue.engine.state.machine import NOTHING
from segue.language.interpret import Definition, Rules, needed
from segue.language.tree import Condition, Operand
from segue.language.walk import references

PREVIEWED = "(preview)"
"""A name that no segment can have."""


def as_of(engine: Engine, definitions: Sequence[Definition], rules: Rules, name: str, moment: int) -> Engine:
    """An engine that knows one segment as of a moment, which may lie ahead."""
    compiled = compile_definitions(needed(definitions, [name]), rules)
    return engine.replayed(compiled, engine.evaluated_seq, until=moment, fleeting=True)


def previewed(
    engine: Engine,
    definitions: Sequence[Definition],
    rules: Rules,
    expressions: Mapping[str, Operand],
    condition: Condition,
) -> tuple[Engine, k.Ints32] | None:
    """(the engine, the rows for which a condition holds now), from its columns; None if it lacks some."""
    extra = Definition(PREVIEWED, condition)
    compiled = compile_definitions((*definitions, extra), rules, expressions)
    if not same_columns(engine.compiled, compiled):
        return None
    program = engine.machine.placement.applied(compiled.program)
    world = world_of(program, engine.machine.state, NOTHING)
    held = holders(world, compiled.numbers[PREVIEWED])
    return engine, np.flatnonzero(held).astype(np.int32)


def previewed_by_replay(
    engine: Engine,
    definitions: Sequence[Definition],
    rules: Rules,
    condition: Condition,
    moment: int | None,
) -> tuple[Engine, k.Ints32]:
    """The same at any moment and with any columns: the log is shown to what the condition refers to."""
    asked = (*needed(definitions, references(condition).segments), Definition(PREVIEWED, condition))
    moment = engine.now if moment is None else moment
    other = engine.replayed(
        compile_definitions(asked, rules), engine.evaluated_seq, until=moment, fleeting=True
    )
    return other, other.rows_in(PREVIEWED)


def same_columns(one: Compiled, other: Compiled) -> bool:
    """Whether two programs keep the same columns of the same streams, so that one's state does for both."""
    return (
        one.registry.feature_keys == other.registry.feature_keys
        and list(one.registry.streams) == list(other.registry.streams)
        and _asked(one.registry.questions) == _asked(other.registry.questions)
        and one.numbers.items() <= other.numbers.items()
    )


def _asked(questions: Mapping[Any, Mapping[Any, int]]) -> dict[Any, tuple[Any, ...]]:
    return {source: tuple(asked) for source, asked in questions.items()}

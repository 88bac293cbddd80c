"""Laws: the plain interpreter and the SQL twin agree, whatever the history and the moment."""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import closing
from zoneinfo import ZoneInfo

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from segue.domain.event import Json
from segue.domain.number import MICRO, micro_of
from segue.language.interpret import Definition, Rules, counted, value
from segue.language.interpret.aggregates import AGGREGATES, numbers
from segue.language.interpret.changes import World
from segue.language.reading import is_raw, present
from segue.language.tree import (
    Aggregate,
    Arithmetic,
    Compare,
    Condition,
    Match,
    Moment,
    Number,
    Operand,
    Presence,
    Text,
    Trait,
    TruthValue,
)
from tests.language.meaning.moments import edges
from tests.language.meaning.twin import Twin
from tests.strategies import FRESH
from tests.strategies.conditions import aggregates, path_aggregates, paths, sequences, sessions
from tests.strategies.histories import History, histories
from tests.strategies.resolver import resolve
from tests.strategies.vocabulary import SESSION_GAPS_MS, weighted, zones
from tests.strategies.workspaces import Workspace, workspaces

CASES = int(os.environ.get("SEGUE_CASES", "90"))


def world_of(history: History, definitions: tuple[Definition, ...], rules: Rules) -> World:
    """What is known at the end of a history."""
    world = World(definitions, rules)
    for step in resolve(history)[1]:
        world.take(step)
    return world


def read_of_models(world: World, now: int) -> dict[int, dict[tuple[str, str], Json]]:
    """What the table of scores holds: people's words before their end, else what models say."""
    found = {row: dict(said) for row, said in world.predictions.items()}
    for row, words in world.replacements.items():
        for model, word in words.items():
            if word.until is None or now < word.until:
                found.setdefault(row, {})[model] = word.value
    return found


def one_of_the(moments: list[int]) -> st.SearchStrategy[int]:
    """A moment, rather an early one, when more is still in the windows."""
    return weighted(
        (1, st.just(moments[0])), (2, st.sampled_from(moments[:10])), (1, st.sampled_from(moments))
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Workspace, World, int]:
    """A workspace, what is known at the end of a history, and a moment from then on."""
    workspace = draw(workspaces(models=True))
    history = draw(histories(workspace.names, models=True))
    world = world_of(history, workspace.definitions, workspace.rules)
    conditions = [definition.condition for definition in workspace.definitions]
    return workspace, world, draw(one_of_the(edges(world, conditions, workspace.rules)))


@settings(max_examples=CASES, backend=FRESH)
@given(worlds())
def test_members_are_the_same(case: tuple[Workspace, World, int]) -> None:
    workspace, world, now = case
    world.advance(now)
    with closing(Twin(world.events, world.lists, world.overrides, read_of_models(world, now))) as twin:
        for name in workspace.names:
            plain = {row for row, memberships in world.memberships.items() if memberships[name]}
            assert twin.members(name, workspace.definitions, workspace.rules, now) == plain, name
            event(f"someone is in: {bool(plain)}")


# ---- values ----------------------------------------------------------------------------------


def operands(name: str, zone: ZoneInfo) -> st.SearchStrategy[Operand]:
    """Operands of one name."""
    if name == "trait":
        return st.builds(Trait, paths, st.sampled_from(("user", "account")))
    if name == "sequence":
        return sequences(zone)
    if name == "sessions":
        return sessions(zone)
    without_path = name in ("count", "days", "last", "first")
    return aggregates(zone, name) if without_path else path_aggregates(zone, name)


@st.composite
def measurements(draw: st.DrawFn, name: str) -> tuple[Operand, Rules, World, int]:
    """An operand, with a history and a moment to look at it."""
    rules = Rules(draw(zones), draw(st.sampled_from(SESSION_GAPS_MS)))
    operand = draw(operands(name, rules.zone))
    world = world_of(draw(histories(overrides=False)), (), rules)
    return operand, rules, world, draw(one_of_the(edges(world, [Presence(operand, False)], rules)))


@pytest.mark.parametrize("name", [*AGGREGATES, "sessions", "sequence", "trait"])
@settings(max_examples=CASES // 3, backend=FRESH)
@given(data=st.data())
def test_values_are_the_same(name: str, data: st.DataObject) -> None:
    """Whoever the interpreter gives a value is found by asking SQL for just that value."""
    operand, rules, world, now = data.draw(measurements(name))
    having: dict[Condition, set[int]] = defaultdict(set)
    for row in world.events:
        having[_exactly(operand, world, row, now, rules)].add(row)
    with closing(Twin(world.events, {}, {})) as twin:
        for condition, rows in having.items():
            assert rows <= twin.members("asked", [Definition("asked", condition)], rules, now), condition
    event(f"someone has a value: {any(not isinstance(condition, Presence) for condition in having)}")


def _exactly(operand: Operand, world: World, row: int, now: int, rules: Rules) -> Condition:
    """The narrowest condition on the operand that is true of this profile."""
    found: Json = value(operand, world.person(row), now, rules)
    if not present(found):
        return Presence(operand, missing=True)
    if isinstance(operand, Aggregate) and operand.name == "avg":
        taken = numbers(counted(operand, world.person(row), now, rules), operand.path)
        total = sum(taken)
        return Compare("==", operand, Arithmetic("/", Number(total), Number(len(taken) * MICRO)))
    if isinstance(operand, Aggregate) and operand.name in ("last", "first"):
        return Compare("==", operand, Moment(found))
    if is_raw(operand):
        return _exactly_raw(operand, found)
    return Compare("==", operand, Number(found))


def _exactly_raw(operand: Operand, found: Json) -> Condition:
    if isinstance(found, bool):
        return Compare("==", operand, TruthValue(found))
    if isinstance(found, str):
        return Compare("==", operand, Text(found))
    if isinstance(found, list) and found and isinstance(found[0], str):
        return Match("contains", operand, Text(found[0]))
    number = micro_of(found)
    return Presence(operand, missing=False) if number is None else Compare("==", operand, Number(number))

"""Laws: an explanation says what the interpreter says, and its moments are those of the oracle."""

from __future__ import annotations

import json
import os

from hypothesis import event, given, settings
from hypothesis import strategies as st

from segue.analysis.clauses import Clause
from segue.analysis.explain import Question, explain
from segue.analysis.explanation import Explanation
from segue.domain.time import YEAR
from segue.language.interpret import holds
from segue.language.interpret.changes import World
from segue.language.speller import spell
from tests.language.meaning.moments import edges
from tests.strategies import FRESH
from tests.strategies.histories import histories
from tests.strategies.resolver import resolve
from tests.strategies.workspaces import Workspace, workspaces

FAR_MS = 10_000 * YEAR
CASES = int(os.environ.get("SEGUE_CASES", "150"))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Workspace, World]:
    """A workspace and what is known at the end of a history, or at an edge of time after it."""
    workspace = draw(workspaces(models=True))
    world = World(workspace.definitions, workspace.rules)
    for step in resolve(draw(histories(workspace.names, models=True)))[1]:
        world.take(step)
    conditions = [definition.condition for definition in workspace.definitions]
    world.advance(draw(st.sampled_from(edges(world, conditions, workspace.rules))))
    return workspace, world


def explained(workspace: Workspace, world: World, row: int, name: str) -> Explanation:
    overrides = world.overrides.get(row, {})
    person = world.person(row)
    return explain(
        Question(str(row), name, person, world.now, workspace.definitions, workspace.rules, overrides)
    )


def leaves(clause: Clause) -> list[Clause]:
    return [leaf for part in clause.parts for leaf in leaves(part)] if clause.parts else [clause]


@settings(max_examples=CASES, backend=FRESH)
@given(worlds())
def test_explanations_say_what_the_interpreter_says(case: tuple[Workspace, World]) -> None:
    workspace, world = case
    for row in world.events:
        members = world.memberships[row]
        person = world.person(row).answering(members)
        for definition in workspace.definitions:
            found = explained(workspace, world, row, definition.name)
            assert found.member is members[definition.name]
            assert found.condition.holds is holds(definition.condition, person, world.now, workspace.rules)
            assert found.condition.text == spell(definition.condition)
            decides = not found.member and found.decided.by == "condition"
            assert bool(found.missing) is decides
            standing = world.overrides.get(row, {}).get(definition.name)
            overridden = standing is not None and standing.stands(world.now)
            if found.decided.by == "exclusive":
                assert standing.member if standing and overridden else found.condition.holds
            if found.decided.by == "condition":
                assert not overridden
                assert found.member is found.condition.holds
            assert all(leaf.text for leaf in leaves(found.condition))
            json.dumps(found.to_json(), allow_nan=False)
            assert found.render(60)
            event(f"decided by {found.decided.by}, member: {found.member}")


@settings(max_examples=CASES, backend=FRESH)
@given(worlds())
def test_turns_are_the_first_flips_of_the_oracle(case: tuple[Workspace, World]) -> None:
    """Run forward with no more events, the oracle flips first exactly when explanations say."""
    workspace, world = case
    promised = {
        (row, name): explained(workspace, world, row, name).turns
        for row in world.events
        for name in workspace.names
    }
    first: dict[tuple[int, str], int] = {}
    for flip in world.advance(FAR_MS):
        first.setdefault((flip.row, flip.segment), flip.at)
    for key, at in promised.items():
        assert at == first.get(key), key
        event(f"turns: {at is not None}")

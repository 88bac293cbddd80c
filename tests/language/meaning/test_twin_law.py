"""Law: the plain interpreter and the SQL twin give the same members, whatever the history and the moment."""

from __future__ import annotations

import os

from hypothesis import event, given, settings
from hypothesis import strategies as st

from segue.language.interpret.changes import World
from segue.language.sql import segment_sql
from tests.language.meaning.twin import Twin
from tests.strategies.histories import History, histories
from tests.strategies.resolver import resolve
from tests.strategies.vocabulary import LENGTHS_MS
from tests.strategies.workspaces import Workspace, workspaces

CASES = int(os.environ.get("SEGUE_CASES", "150"))

pauses = st.one_of(
    st.just(0), st.builds(lambda ms, off: ms + off, st.sampled_from(LENGTHS_MS), st.sampled_from((-1, 0, 1)))
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Workspace, History, int]:
    workspace = draw(workspaces())
    return workspace, draw(histories(workspace.names)), draw(pauses)


@settings(max_examples=CASES)
@given(cases())
def test_sql_and_interpreter_agree(case: tuple[Workspace, History, int]) -> None:
    workspace, history, pause = case
    world = World(workspace.definitions, workspace.rules)
    for step in resolve(history)[1]:
        world.take(step)
    now = world.now + pause
    world.advance(now)
    twin = Twin(world.events, world.lists, world.overrides)
    for name in workspace.names:
        told = {row for row, memberships in world.memberships.items() if memberships[name]}
        assert twin.members(name, workspace.definitions, workspace.rules, now) == told, segment_sql(
            name, workspace.definitions, workspace.rules.zone, workspace.rules.session_gap_ms
        )
        event(f"members: {bool(told)}")
    twin.close()

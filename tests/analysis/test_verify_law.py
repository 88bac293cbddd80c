"""Laws: people read back from a log are the oracle's, and verify finds what is wrong and nothing else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from segue.analysis.fold import Difference
from segue.analysis.people import People
from segue.analysis.verify import Claims, Truth, verify
from segue.language.interpret import Flip, Step
from segue.language.interpret.changes import World
from segue.log.sqlite import SqliteLog
from tests.analysis.logged import keep, page_of, told
from tests.strategies import FRESH
from tests.strategies.histories import History, histories
from tests.strategies.resolver import Resolver, resolve
from tests.strategies.workspaces import Workspace, workspaces

CASES = int(os.environ.get("SEGUE_CASES", "60"))


@dataclass
class Case:
    """A workspace, the events of a history, and the oracle's account of them."""

    workspace: Workspace
    history: History
    resolver: Resolver
    steps: list[Step]
    closed: int

    def world(self, upto: int | None = None) -> tuple[World, list[Flip]]:
        world = World(self.workspace.definitions, self.workspace.rules)
        flips = [flip for step in self.steps[:upto] for flip in world.take(step)]
        return world, flips


@st.composite
def cases(draw: st.DrawFn) -> Case:
    workspace = draw(workspaces())
    history = [step for step in draw(histories(overrides=False)) if step[0] == "event"]
    assume(history)
    resolver, steps = resolve(history)
    return Case(workspace, history, resolver, steps, draw(st.integers(0, len(history))))


@contextmanager
def opened(case: Case) -> Iterator[tuple[SqliteLog, duckdb.DuckDBPyConnection]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        SqliteLog.open(Path(folder), running="a test") as log,
        duckdb.connect() as connection,
    ):
        keep(log, [body for _, body in case.history], case.closed)
        yield log, connection


def differences(case: Case, people: People, world: World, flips: list[Flip]) -> list[Difference]:
    claims = Claims(
        world.now,
        people.user_ids,
        lambda row: {name for name, member in world.memberships.get(row, {}).items() if member},
        [page_of(flips, people.user_ids)] if flips else [],
    )
    truth = Truth(case.workspace.definitions, case.workspace.rules)
    return list(verify(truth, people.everyone(), claims))


@settings(max_examples=CASES, backend=FRESH)
@given(cases())
def test_people_are_read_back_whole(case: Case) -> None:
    world, _ = case.world()
    with opened(case) as (log, connection):
        people = People(log, connection)
        assert people.user_ids == case.resolver.ids
        found = dict(people.everyone())
        assert list(found) == sorted(world.events)
        for row, person in found.items():
            alone = people.person(row)
            assert alone is not None
            for one in (person, alone):
                assert list(map(told, one.events)) == list(map(told, sorted(world.events[row], key=_seq)))
                assert {group: list(map(told, events)) for group, events in one.account_events.items()} == {
                    group: list(map(told, events))
                    for group, events in world.accounts.items()
                    if group in one.account_events
                }
        event(f"merged: {any(step.merges for step in case.steps)}")


def _seq(found: object) -> int:
    return found.seq  # type: ignore[attr-defined,no-any-return]


@settings(max_examples=CASES, backend=FRESH)
@given(cases(), st.data())
def test_verify_finds_the_one_thing_that_is_wrong(case: Case, data: st.DataObject) -> None:
    world, flips = case.world()
    with opened(case) as (log, connection):
        people = People(log, connection)
        assert differences(case, people, world, flips) == []
        row = data.draw(st.sampled_from(sorted(world.events)))
        name = data.draw(st.sampled_from(case.workspace.names))
        said = not world.memberships[row][name]
        world.memberships[row] = {**world.memberships[row], name: said}
        found = differences(case, people, world, flips)
    assert [(each.kind, each.user_id, each.segment) for each in found] == [
        ("membership", people.user_ids[row], name),
        ("changes", people.user_ids[row], name),
    ]
    assert [(each.engine, each.truth) for each in found] == [(said, not said), (not said, said)]


@settings(max_examples=CASES, backend=FRESH)
@given(cases(), st.data())
def test_as_of_a_moment_people_are_what_they_were(case: Case, data: st.DataObject) -> None:
    upto = data.draw(st.integers(1, len(case.steps)))
    as_of = max(step.received_at for step in case.steps[:upto])
    assume(all(step.received_at > as_of for step in case.steps[upto:]))
    world, flips = case.world(upto)
    with opened(case) as (log, connection):
        by_moment = People(log, connection, as_of=as_of)
        by_position = People(log, connection, upto=upto)
        assert differences(case, by_moment, world, flips) == []
        assert differences(case, by_position, world, flips) == []
        event(f"all of it: {upto == len(case.steps)}")

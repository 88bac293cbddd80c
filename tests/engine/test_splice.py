"""A program that follows another goes on as if it had been there from the beginning."""

from __future__ import annotations

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from segue.domain.change import Cause
from segue.domain.event import Event
from segue.domain.time import YEAR
from segue.engine.program.compile import compile_definitions
from segue.engine.state.differences import differences
from segue.engine.state.machine import Machine, fresh_state
from segue.engine.state.partial import partial
from segue.engine.state.selection import Selection, select, spelled_atom
from segue.engine.state.splice import spliced
from segue.language.checker import check_condition
from segue.language.interpret import Definition, Rules, Step
from segue.language.scope import Scope
from tests.engine.driven import Driven
from tests.strategies import FRESH
from tests.strategies.edits import edited
from tests.strategies.histories import histories
from tests.strategies.resolver import resolve
from tests.strategies.workspaces import Workspace, workspaces


@given(data=st.data())
@settings(max_examples=200, deadline=None, backend=FRESH, suppress_health_check=list(HealthCheck))
def test_a_spliced_program_goes_on_as_one_that_was_always_there(data: st.DataObject) -> None:
    before = data.draw(workspaces(models=True))
    after = data.draw(edited(before))
    history = data.draw(histories((*before.names, *after.names), models=True))
    _, steps = resolve(history)
    cut = data.draw(st.integers(0, len(steps)))
    pause = data.draw(st.sampled_from((0, 1, 3_600_000, YEAR // 12)))
    until = max((step.received_at for step in steps), default=0) + YEAR
    thrifty = data.draw(st.booleans())
    now = max((step.received_at for step in steps[:cut]), default=0)
    if cut < len(steps):
        now = max(now, min(now + pause, steps[cut].received_at))

    always = shown(after, steps[:cut], now, thrifty)
    following = shown(before, steps[:cut], now, thrifty)
    held = following.entered()
    replaced(following, after, steps[:cut], now)
    assert following.entered() == always.entered()
    changed = differences_of(shown(before, steps[:cut], now, thrifty), following)
    assert changed == set(held) ^ set(following.entered())

    following.flips, always.flips = [], []
    following.message_ids = always.message_ids = {
        step.event.seq: step.event.message_id for step in steps if step.event is not None
    }
    found = following.run(steps[cut:], [3, 1], until)
    expected = always.run(steps[cut:], [3, 1], until)
    note(f"expected {expected}")
    note(f"found    {found}")
    assert found == expected
    assert following.entered() == always.entered()


def shown(workspace: Workspace, steps: list[Step], now: int, thrifty: bool) -> Driven:
    driven = Driven(workspace.definitions, workspace.rules, thrifty)
    driven.run(steps, [4], now)
    return driven


def replaced(driven: Driven, after: Workspace, steps: list[Step], now: int) -> Selection:
    """Have another workspace follow, shown no more of the past than it has to be."""
    whole = compile_definitions(after.definitions, after.rules)
    selection = select(driven.compiled, whole)
    part = Driven((), after.rules)
    part.compiled = partial(whole, selection)
    part.machine = Machine(part.compiled, lambda _changes: None, fresh_state(part.compiled))
    part.feed.use(part.compiled)
    if not selection.is_empty:
        part.run(steps, [5], now)
    driven.machine = spliced(driven.machine, part.machine, whole, selection)
    driven.compiled = whole
    driven.feed.use(whole)
    return selection


def differences_of(one: Driven, other: Driven) -> set[tuple[int, str]]:
    found = differences(one.machine, other.machine)
    held = other.entered()
    pairs = {
        (row, found.names[segment]): bool(entered)
        for row, segment, entered in zip(
            found.rows.tolist(), found.segments.tolist(), found.entered.tolist(), strict=True
        )
    }
    assert all(((row, name) in held) == entered for (row, name), entered in pairs.items())
    return set(pairs)


def test_whom_a_segment_wakes_for_is_noted_anew_when_its_guard_is_another() -> None:
    """What fewest others ask about guards a segment; new segments can make that its other part."""
    conditions = {
        "both": 'count("A") > 0 and count("B") > 0',
        "a1": 'count("A") > 5',
        "a2": 'count("A") > 6',
    }
    more = {f"b{number}": f'count("B") > {number}' for number in range(5, 12)}
    before, after = workspace_of(conditions), workspace_of(conditions | more)
    steps = [Step(at, Cause.EVENT, track(at, name)) for at, name in ((1_000, "A"), (2_000, "B"))]
    for first, second in (steps, [steps[1], steps[0]]):
        following, always = shown(before, [first], 1_000, False), shown(after, [first], 1_000, False)
        assert guard_of(following, "both") != guard_of(always, "both")
        replaced(following, after, [first], 1_000)
        following.message_ids = always.message_ids = {1_000: "m", 2_000: "m"}
        assert following.run([second], [1]) == always.run([second], [1])
        assert following.entered() == {(0, "both"): max(first.received_at, second.received_at)}


def workspace_of(conditions: dict[str, str]) -> Workspace:
    definitions = (Definition(name, check_condition(when, Scope())) for name, when in conditions.items())
    return Workspace(tuple(definitions), Rules())


def track(at: int, name: str) -> Event:
    return Event(at, 0, "track", name, at, at, {}, {}, {}, None)


def guard_of(driven: Driven, segment: str) -> set[tuple[object, ...]]:
    record = driven.compiled.program.segments[driven.compiled.numbers[segment]]
    atoms = driven.compiled.program.pool[record["guard_at"] : record["guard_end"]].tolist()
    return {spelled_atom(driven.compiled, atom) for atom in atoms}

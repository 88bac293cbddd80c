"""Laws: whatever is sent, applied and broken off, the service says what the plain interpreter says."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, assume, event, given, note, settings
from hypothesis import strategies as st

from segue.domain.errors import SegueError
from segue.domain.time import DAY, YEAR, format_instant, parse_instant
from segue.language.checker import check_condition
from segue.language.interpret import Definition, Rules
from segue.language.scope import Scope
from segue.language.speller import spell
from segue.language.tree import Aggregate, Between, Condition, Sequence, SinceEvent, Trait, Window
from segue.language.walk import walk
from tests.service.driven import Driven, raws
from tests.service.oracle import Oracle
from tests.service.written import MODELS, Listed
from tests.strategies import FRESH
from tests.strategies.conditions import conditions
from tests.strategies.histories import History, histories
from tests.strategies.vocabulary import LISTS, START_MS, USERS
from tests.strategies.workspaces import Workspace, workspaces

CASES = int(os.environ.get("SEGUE_CASES", "20"))
LAW = settings(
    max_examples=CASES,
    deadline=None,
    backend=FRESH,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
)
"""Without shrinking: a run opens folders again and again, and its notes tell the story."""
WAYS = ("import", "import", "post", "unevaluated")
BREAKS = ("nothing", "nothing", "nothing", "restart", "tear", "save", "stretch", "edit", "look")
_ids = st.sampled_from((*USERS, "anon:a1", "a2", "nobody"))
_listed = st.fixed_dictionaries({name: st.lists(_ids, max_size=2, unique=True) for name in LISTS})


class Story:
    """One random run: service and oracle take the same, and are asked the same."""

    def __init__(self, data: st.DataObject, folder: Path) -> None:
        self.data = data
        self.driven = Driven(folder)
        self.begin()
        self.workspace = Workspace((), Rules())
        self.edit()

    def edit(self) -> None:
        """Another workspace, or the one in force with a definition less, or with one switched off."""
        held = self.workspace.definitions
        how = self.data.draw(st.sampled_from(("fresh", "fresh", "less", "off"))) if len(held) > 1 else "fresh"
        if how == "fresh":
            self.workspace = self.data.draw(workspaces(models=True).filter(sensible))
        elif how == "less":
            self.workspace = replace(self.workspace, definitions=held[:-1])
        else:
            at = self.data.draw(st.integers(0, len(held) - 1))
            status = "draft" if held[at].status == "active" else "active"
            changed = replace(held[at], status=status)
            self.workspace = replace(self.workspace, definitions=(*held[:at], changed, *held[at + 1 :]))
        definitions, rules = self.workspace.definitions, self.workspace.rules
        lists = self.data.draw(_listed)
        note(f"define {[(each.name, spell(each.condition)) for each in definitions]} {lists} {rules}")
        self.put_in_force(definitions, rules, lists)

    def begin(self) -> None:
        self.oracle = Oracle()

    def put_in_force(self, definitions: tuple[Definition, ...], rules: Rules, lists: Listed) -> None:
        self.driven.define(definitions, rules, lists)
        self.oracle.define(definitions, rules, lists)

    def take(self, part: History) -> None:
        """Some neighbouring steps, the way that lots decide."""
        for step in part:
            note(f"{step}")
        if part[0][0] != "event":
            self.driven.hand(part[0])
            self.oracle.take(part)
            return
        way = self.data.draw(st.sampled_from(WAYS))
        event(way)
        if way == "import":
            self.driven.import_events(part)
            part = sorted(part, key=received)
        elif way == "post":
            self.driven.post_events(part, self.data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)))
        else:
            self.driven.keep_unevaluated(part)
        self.oracle.take(part)

    def pause(self, breaks: Collection[str] = BREAKS) -> None:
        """What may happen between two parts."""
        chosen = self.data.draw(st.sampled_from(tuple(breaks)))
        event(chosen)
        note(chosen)
        match chosen:
            case "restart":
                self.driven.restart()
            case "save":
                self.driven.save()
            case "tear":
                self.driven.tear()
            case "stretch":
                self.driven.service.log.close_stretch(1)
            case "edit":
                self.edit()
            case "look":
                self.look()

    def run(self, history: History, breaks: Collection[str] = BREAKS) -> None:
        for part in parts(self.data, history):
            if part[0][0] == "override" and part[0][2] not in self.workspace.names:
                continue
            self.take(part)
            self.pause(breaks)

    def look(self) -> None:
        """Everything that is said now is true."""
        for name in self.workspace.names:
            assert self.driven.members(name) == self.oracle.members(name)
        assert self.driven.changes() == self.oracle.changes
        assert self.driven.service.verify(lambda _done, _total: None) == []


@contextmanager
def told_of(data: st.DataObject) -> Iterator[Story]:
    with tempfile.TemporaryDirectory() as folder:
        story = Story(data, Path(folder))
        try:
            yield story
        finally:
            story.driven.close()


def parts(data: st.DataObject, history: History) -> Iterator[History]:
    """Events in runs of random length; lists and overrides alone."""
    while history:
        size = 1
        if history[0][0] == "event":
            most = next((at for at, step in enumerate(history) if step[0] != "event"), len(history))
            size = data.draw(st.integers(1, most))
        yield history[:size]
        history = history[size:]


def sensible(workspace: Workspace) -> bool:
    """Whether the checker takes it: dates between which nothing can lie are refused, and texts as scores."""
    return all(possible(each.condition) for each in workspace.definitions)


def possible(condition: Condition) -> bool:
    if any(isinstance(node, Trait) and node.owner in ("score", "cluster") for node in walk(condition)):
        try:
            check_condition(spell(condition), Scope(models=MODELS))
        except SegueError:
            return False
    return all(
        not isinstance(window, Between) or window.end is None or window.start < window.end
        for window in windows(condition)
    )


def windows(condition: Condition) -> Iterator[Window]:
    for node in walk(condition):
        if isinstance(node, Aggregate | Sequence):
            yield node.window
            if isinstance(node.window, SinceEvent):
                yield node.window.window


def received(step: tuple[Any, ...]) -> int:
    found = parse_instant(step[1]["receivedAt"])
    assert found is not None
    return found


def events_alone(data: st.DataObject) -> History:
    """A history as one sender has it: events in the order of their receipt, and nobody's word."""
    history = [step for step in data.draw(histories(overrides=False)) if step[0] == "event"]
    assume(history)
    return sorted(history, key=received)


@LAW
@given(data=st.data())
def test_the_service_says_what_the_interpreter_says(data: st.DataObject) -> None:
    with told_of(data) as story:
        story.run(data.draw(histories(story.workspace.names, models=True)))
        story.look()
        event(f"changes: {bool(story.oracle.flips)}")


@LAW
@given(data=st.data())
def test_as_of_a_moment_it_says_what_was_and_what_will_be(data: st.DataObject) -> None:
    with told_of(data) as story:
        story.run(
            data.draw(histories(story.workspace.names, models=True)),
            ("nothing", "stretch", "edit", "restart"),
        )
        now = story.oracle.world.now
        offsets = st.sampled_from((0, 1, -1, DAY, YEAR))
        for _ in range(3):
            moments = [START_MS, now, *(step.received_at for step in story.oracle.steps if step.received_at)]
            as_of = max(0, data.draw(st.sampled_from(moments)) + data.draw(offsets))
            if not story.oracle.is_prefix(as_of):
                continue
            note(f"as of {format_instant(as_of)}")
            name = data.draw(st.sampled_from(story.workspace.names))
            assert story.driven.members(name, as_of) == story.oracle.members(name, as_of)
        story.look()


@LAW
@given(data=st.data())
def test_the_sql_twin_and_a_preview_agree(data: st.DataObject) -> None:
    with told_of(data) as story:
        story.run(data.draw(histories(story.workspace.names, models=True)), ("nothing", "stretch"))
        for name in story.workspace.names:
            assert story.driven.twin(name) == set(story.oracle.members(name))
        zone = story.workspace.rules.zone
        condition = data.draw(conditions(zone, story.workspace.names, models=True).filter(possible))
        note(f"preview {spell(condition)}")
        asked = (*story.workspace.definitions, Definition("previewed", condition))
        as_of = data.draw(st.sampled_from((None, story.oracle.world.now + DAY, story.oracle.world.now)))
        now = story.oracle.world.now if as_of is None else as_of
        world, _ = story.oracle.told(story.oracle.steps, asked, story.workspace.rules, now)
        expected = {row for row, held in world.memberships.items() if held["previewed"]}
        assert story.driven.service.preview(spell(condition), as_of).count == len(expected)


@LAW
@given(data=st.data())
def test_what_is_exported_gives_the_same_members_elsewhere(data: st.DataObject) -> None:
    with told_of(data) as story:
        story.run(events_alone(data), ("nothing", "stretch", "restart"))
        exported: History = [("event", body) for body in story.driven.service.export_all()]
        assert len(exported) == len([step for step in story.oracle.steps if step.event is not None])
        other = Driven(story.driven.folder)
        other.workspace, other.data = story.driven.workspace, story.driven.folder / "elsewhere"
        try:
            other.import_events(exported)
            for name in story.workspace.names:
                assert set(other.members(name)) == set(story.oracle.members(name))
            assert other.service.verify(lambda _done, _total: None) == []
            other.import_events(exported)
            assert raws(exported) == raws([("event", body) for body in other.service.export_all()])
        finally:
            other.close()


@LAW
@given(data=st.data())
def test_verify_sees_one_bit_that_is_wrong(data: st.DataObject) -> None:
    with told_of(data) as story:
        story.run(events_alone(data), ("nothing",))
        active = [each.name for each in story.workspace.definitions if each.status == "active"]
        assume(active)
        name = data.draw(st.sampled_from(active))
        row = data.draw(st.sampled_from(sorted(story.oracle.world.events)))
        service = story.driven.service
        was = story.oracle.world.memberships[row][name]
        story.driven.flip_member(name, row)
        found = service.verify(lambda _done, _total: None)
        assert [(each.kind, each.user_id, each.segment, each.engine) for each in found][:1] == [
            ("membership", story.oracle.resolver.ids[row], name, not was)
        ]

"""The law: what fires is what fires when everyone is looked at moment by moment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from hypothesis import event, given, note
from hypothesis import strategies as st

from segue.domain.change import Change
from segue.language.checker import check_condition
from segue.language.interpret import Definition, Rules
from segue.language.scope import Scope
from segue.language.speller import spell
from segue.language.tree import Aggregate, Compare, SegmentRef
from segue.log.batch import EventBatch
from segue.segments.triggers.check import back, rises
from tests.service.firing_oracle import Fired, FiringOracle, Waits
from tests.service.test_laws import BREAKS, LAW, WAYS, Story, possible, received
from tests.service.written import MODELS, Listed
from tests.strategies.conditions import conditions
from tests.strategies.histories import History, histories
from tests.strategies.workspaces import Workspace

OPERANDS = (
    'count("Viewed", last 1h)',
    "count(any, last 1h)",
    'sum("Viewed".n, last 1d)',
    "trait.n",
    'score("churn")',
    'count(any, last 2d) - 2 * count("Bought", last 1h)',
)
PATTERNS = ('"Viewed"', '"Bought" where n > 1', "any", "identify", "page", "any where n is missing")
ACTIONS = {"entered": {"entered"}, "left": {"left"}, "entered or left": {"entered", "left"}}


@dataclass(frozen=True)
class Drawn:
    """A trigger as it stands in a file, and as the oracle knows it."""

    written: dict[str, Any]
    waits: Waits


@st.composite
def triggers(draw: st.DrawFn, workspace: Workspace) -> list[Drawn]:
    """A few triggers of all forms over the segments of a workspace."""
    kinds = draw(
        st.lists(st.sampled_from(("segment", "condition", "crossing", "event")), min_size=1, max_size=4)
    )
    return [draw(one(f"t{number}", kind, workspace)) for number, kind in enumerate(kinds)]


@st.composite
def one(draw: st.DrawFn, name: str, kind: str, workspace: Workspace) -> Drawn:
    zone = workspace.rules.zone
    backfill = draw(st.booleans())
    scope = Scope(zone, segments=frozenset(workspace.names), models=MODELS)
    asked = conditions(zone, workspace.names, models=True).filter(possible)
    more: dict[str, Any] = {"backfill": True} if backfill else {}
    if kind == "segment":
        segment, words = draw(st.sampled_from(workspace.names)), draw(st.sampled_from(tuple(ACTIONS)))
        on = f'segment("{segment}") {words}'
        waits = Waits(name, frozenset(ACTIONS[words]), segment=segment, backfill=backfill)
    elif kind == "condition":
        # A segment and nothing else is asked for entering it.
        on = spell(draw(asked.filter(lambda condition: not isinstance(condition, SegmentRef))))
        waits = Waits(name, frozenset(("began",)), holds=check_condition(on, scope), backfill=backfill)
    elif kind == "crossing":
        op, number = draw(st.sampled_from((">", ">=", "<", "<="))), draw(st.sampled_from(("0", "1", "2.5")))
        on = f"{draw(st.sampled_from(OPERANDS))} {op} {number}"
        crossing = draw(st.sampled_from((None, "rising", "falling", "both")))
        hysteresis = draw(st.sampled_from((None, 0.5, 1, 2)))
        more |= {key: value for key, value in (("crossing", crossing), ("hysteresis", hysteresis)) if value}
        holds = check_condition(on, scope)
        rests = None if hysteresis is None else back(holds, hysteresis)
        waits = Waits(name, crossed(crossing, rises(holds)), holds=holds, rests=rests, backfill=backfill)
    else:
        pattern = draw(st.sampled_from(PATTERNS))
        condition = draw(st.one_of(st.none(), asked))
        on = f"event {pattern}" + ("" if condition is None else f" if {spell(condition)}")
        found = check_condition(f"count({pattern}) > 0", scope)
        assert isinstance(found, Compare)
        assert isinstance(found.left, Aggregate)
        holds_then = None if condition is None else check_condition(spell(condition), scope)
        waits = Waits(
            name, frozenset(("seen",)), pattern=found.left.event, holds=holds_then, backfill=backfill
        )
    owned = {"owner": "tests@segue.example", "description": "Drawn by lot.", "to": "stream"}
    return Drawn({"trigger": name, "on": on, **owned, **more}, waits)


def crossed(crossing: str | None, up: bool) -> frozenset[str]:
    """What a crossing tells of."""
    began = crossing in (None, "both", "rising" if up else "falling")
    ended = crossing in ("both", "falling" if up else "rising")
    return frozenset([word for word, told in (("began", began), ("ended", ended)) if told])


class FiringStory(Story):
    """A story with triggers; they are drawn anew, or left as they are, when the workspace is edited."""

    oracle: FiringOracle

    def __init__(self, data: st.DataObject, folder: Path) -> None:
        self.drawn: list[Drawn] = []
        self.zone: ZoneInfo | None = None
        super().__init__(data, folder)

    def begin(self) -> None:
        self.oracle = FiringOracle()

    def put_in_force(self, definitions: tuple[Definition, ...], rules: Rules, lists: Listed) -> None:
        names = {each.name for each in definitions}
        # A date in a condition may be none in another zone.
        kept = [each for each in self.drawn if asks_for(each) <= names and self.zone == rules.zone]
        self.zone = rules.zone
        keep = bool(kept) and self.data.draw(st.booleans())
        self.drawn = kept if keep else self.data.draw(triggers(self.workspace))
        note(f"triggers {[each.written for each in self.drawn]}")
        path = self.driven.workspace / "triggers" / "drawn.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump([each.written for each in self.drawn], allow_unicode=True))
        self.driven.define(definitions, rules, lists)
        self.oracle.watch(definitions, rules, lists, [each.waits for each in self.drawn])

    def take(self, part: History) -> None:
        for step in part:
            note(f"{step}")
        if part[0][0] != "event":
            self.driven.hand(part[0])
            self.oracle.take_watched(part)
            return
        way = self.data.draw(st.sampled_from(WAYS))
        event(way)
        note(way)
        if way == "import":
            self.driven.import_events(part)
            part = sorted(part, key=received)
        elif way == "post":
            self.driven.post_events(part, self.data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)))
        else:
            self.driven.keep_unevaluated(part)
        self.oracle.take_watched(part, historic=way == "import")

    def look(self) -> None:
        """What fired is what should have, and the changes among it are those of the log."""
        super().look()
        self.look_at_firings()

    def look_at_firings(self) -> None:
        """Those of the forgotten are nobody's."""
        service = self.driven.service
        ids = service.core.intake.identity.ids
        messages = {
            entry.first_seq + place: message
            for entry in service.log.replay()
            if isinstance(entry, EventBatch)
            for place, message in enumerate(entry.message_ids)
        }
        changes: dict[int, Change] = {change.seq: change for change in service.changes()}
        found: list[Fired] = []
        for each in service.log.firings(0, 1_000_000):
            if each.row is None:
                continue
            message = messages[each.event_seq] if each.action == "seen" and each.event_seq else None
            found.append((each.at, each.trigger, ids[each.row], each.action, message))
            if each.change is not None:
                change = changes[each.change]
                assert (change.user_id, change.at) == (ids[each.row], each.at)
                assert change.entered == (each.action == "entered")
        expected = [
            (at, name, self.oracle.resolver.ids[row], *rest)
            for (at, name, _, *rest), row in self.oracle.fired
        ]
        assert sorted(found, key=str) == sorted(expected, key=str)
        numbers = [each.id for each in service.log.firings(0, 1_000_000)]
        assert len({(each.id, each.trigger) for each in service.log.firings(0, 1_000_000)}) == len(numbers)


def asks_for(drawn: Drawn) -> set[str]:
    """The segments that a trigger names."""
    text = drawn.written["on"]
    return {name for name in ("alpha", "beta", "delta", "gamma", "omega") if f'"{name}"' in text}


@contextmanager
def told_of(data: st.DataObject) -> Iterator[FiringStory]:
    with tempfile.TemporaryDirectory() as folder:
        story = FiringStory(data, Path(folder))
        try:
            yield story
        finally:
            story.driven.close()


@LAW
@given(data=st.data())
def test_what_fires_is_what_fires_moment_by_moment(data: st.DataObject) -> None:
    with told_of(data) as story:
        story.run(data.draw(histories(story.workspace.names, models=True)), BREAKS)
        story.look()
        for (_, _, _, action, _), _ in story.oracle.fired:
            event(action)

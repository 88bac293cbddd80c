"""Laws: whoever is forgotten or suppressed, of the others all stays true, at once and ever after."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import event, given, note, settings
from hypothesis import strategies as st

from segue.domain.time import DAY, HOUR, YEAR
from segue.segments.edit_lists import take_off
from segue.service.forgetting import forget
from segue.service.suppressing import admit, suppress
from tests.service.erasing_oracle import GONE, ErasingFiringOracle, ErasingOracle, veiled
from tests.service.test_firing_law import FiringStory
from tests.service.test_laws import CASES, LAW, Story
from tests.strategies.histories import History, histories
from tests.strategies.vocabulary import START_MS, USERS

BREAKS = (
    *("nothing", "nothing", "restart", "tear", "save", "stretch", "edit", "look", "as of"),
    *("forget", "forget", "forget torn", "suppress", "admit"),
)
_IDS = (*USERS, *USERS, "anon:a1", "anon:a2", "anon:a3", "a2", "nobody")


class ErasingStory(Story):
    """A story in which people are forgotten, and suppressed."""

    oracle: ErasingOracle

    def begin(self) -> None:
        self.oracle = ErasingOracle()
        self.used: set[str] = set()
        """Message ids of what may be erased, or is refused: nobody sends them again."""

    def take(self, part: History) -> None:
        """The part with message ids of its own."""
        super().take([self._renamed(step) for step in part])

    def _renamed(self, step: tuple[Any, ...]) -> tuple[Any, ...]:
        if step[0] != "event":
            return step
        body = dict(step[1])
        while body["messageId"] in self.used:
            body["messageId"] += "'"
        if self.oracle.resolver.refuses(body):
            self.used.add(body["messageId"])
        return ("event", body)

    def happens(self, chosen: str) -> None:
        """What is done to someone."""
        who = self.data.draw(st.sampled_from(_IDS))
        note(f"{chosen} {who}")
        core = self.driven.service.core
        if chosen in ("forget", "forget torn"):
            self._forget(who, chosen == "forget torn")
        elif chosen == "suppress":
            step = self.oracle.resolver.suppress(who)
            assert suppress(core, who) is (step is not None)
            self.oracle.record(step)
        else:
            step = self.oracle.resolver.admit(who)
            assert admit(core, who) is (step is not None)
            self.oracle.record(step)

    def _forget(self, who: str, torn: bool) -> None:
        service = self.driven.service
        row = service.row_of(who)
        known = row is not None
        assert known is (self.oracle.resolver.row_of(who) is not None)
        events = {user: service.events(user) for user in USERS if not known or service.row_of(user) != row}
        self.used |= set(self.oracle.resolver.taken)
        if known and torn:
            # The command is given once more, for the workspace's lists.
            take_off(service.folder, self.oracle.resolver.own_names(who))
            self.driven.forget_torn(who)
            self.oracle.forget(who)
            service = self.driven.service
        else:
            found = forget(service.core, service.folder, who)
            assert not found.still_listed
            event(f"forgotten: {found.found}, known: {known}")
            if known:
                self.oracle.forget(who)
            elif found.found:
                self.oracle.forget_mentions(who)
        assert {user: service.events(user) for user in events} == events

    def pause(self, breaks: Collection[str] = BREAKS) -> None:
        chosen = self.data.draw(st.sampled_from(tuple(breaks)))
        event(chosen)
        if chosen in ("forget", "forget torn", "suppress", "admit"):
            self.happens(chosen)
        elif chosen == "as of":
            self.ask_of_the_past()
        else:
            super().pause((chosen,))

    def ask_of_the_past(self) -> None:
        now = self.oracle.world.now
        moments = [START_MS, now, *(step.received_at for step in self.oracle.steps if step.received_at)]
        offset = self.data.draw(st.sampled_from((0, 1, -1, HOUR, DAY, YEAR)))
        as_of = max(0, self.data.draw(st.sampled_from(moments)) + offset)
        if self.oracle.is_prefix(as_of):
            note(f"as of {as_of}")
            for name in self.workspace.names:
                assert self.driven.members(name, as_of) == self.oracle.members(name, as_of)

    def look(self) -> None:
        """Everything that is said now is true."""
        service = self.driven.service
        for name in self.workspace.names:
            assert self.driven.members(name) == self.oracle.members(name)
        assert [veiled(each) for each in self.driven.changes()] == self.oracle.changes
        assert service.verify(lambda _done, _total: None) == []
        assert service.engine.feed.suppressed == self.oracle.suppressed
        listed = {
            name: {user for user in users if not user.startswith(GONE)}
            for name, users in service.lists().items()
        }
        assert not any(user.startswith(GONE) for users in service.lists().values() for user in users)
        expected: dict[str, set[str]] = {name: set() for name in listed}
        for row, names in self.oracle.world.lists.items():
            for name in names:
                expected[name].add(self.oracle.resolver.ids[row])
        for user, name in self.oracle.resolver.waiting_lists:
            expected[name].add(user)
        assert listed == expected


class ErasingFiringStory(ErasingStory, FiringStory):
    """The same with triggers."""

    oracle: ErasingFiringOracle

    def begin(self) -> None:
        super().begin()
        self.oracle = ErasingFiringOracle()

    def look(self) -> None:
        super().look()
        self.look_at_firings()


@contextmanager
def told_of(data: st.DataObject, kind: type[ErasingStory]) -> Iterator[ErasingStory]:
    with tempfile.TemporaryDirectory() as folder:
        story = kind(data, Path(folder))
        try:
            yield story
        finally:
            story.driven.close()


@settings(LAW, max_examples=max(1, CASES // 4))
@given(data=st.data())
def test_whoever_is_forgotten_or_suppressed_the_others_stay_what_they_are(data: st.DataObject) -> None:
    with told_of(data, ErasingStory) as story:
        story.run(data.draw(histories(story.workspace.names, models=True)), BREAKS)
        story.look()
        for again in (story.driven.restart, story.driven.save):
            again()
            story.look()
        for name in story.workspace.names:
            assert story.driven.twin(name) == set(story.oracle.members(name))


@settings(LAW, max_examples=max(1, CASES // 4))
@given(data=st.data())
def test_what_fires_is_what_fires_whoever_is_forgotten_or_suppressed(data: st.DataObject) -> None:
    with told_of(data, ErasingFiringStory) as story:
        story.run(data.draw(histories(story.workspace.names, models=True)), BREAKS)
        story.look()
        story.driven.restart()
        story.look()

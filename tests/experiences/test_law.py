"""Laws: what the engine's bits decide is what the interpreter decides, whatever happened."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import event, given, note, settings
from hypothesis import strategies as st

from segue.domain.event import EXPOSURE, Event
from segue.domain.time import DAY, HOUR, MINUTE, format_instant, parse_instant
from segue.experiences.asked import asked
from segue.experiences.deciding import Decision
from segue.experiences.remembering import Answers
from segue.language.interpret import Person
from segue.service.program import definitions_of
from tests.experiences.drawn import contexts, experiences, write
from tests.experiences.plainly import Known, decided
from tests.service.test_laws import CASES, LAW, Story, told_of
from tests.strategies.histories import histories, objects
from tests.strategies.vocabulary import START_MS, USERS

FEWER = settings(LAW, max_examples=max(5, CASES // 2))
"""Each case decides a dozen times, by the log's whole history."""
LATER = (0, 0, 1, MINUTE, HOUR, DAY, 40 * DAY)
WHO = (*USERS, *USERS, "anon:a1", "anon:a2", "nobody")


class Told:
    """A story whose workspace has experiences, which the oracle knows nothing of."""

    def __init__(self, data: st.DataObject, story: Story) -> None:
        self.data = data
        self.story = story
        zone = story.workspace.rules.zone
        drawn = data.draw(experiences(zone, story.workspace.names))
        self.found = write(story.driven.workspace, drawn)
        note(f"experiences {json.dumps(self.found)}")
        story.driven.service.apply()
        # The same few questions again and again: what is kept must not outlive what it rests on.
        self.asked = data.draw(st.lists(st.tuples(st.sampled_from(WHO), contexts), min_size=1, max_size=3))
        self._answers: tuple[Any, Answers] | None = None

    @property
    def answers(self) -> Answers:
        """Those of the service, which is opened anew now and then."""
        core = self.story.driven.service.core
        if self._answers is None or self._answers[0] is not core:
            self._answers = (core, Answers(core))
        return self._answers[1]

    def look(self, events: Sequence[dict[str, Any]] = ()) -> None:
        """Ask for somebody; the answer is that of the plain decision, also when it is kept."""
        service = self.story.driven.service
        slots = sorted({each["slot"] for each in self.found})
        if not slots:
            return
        user_id, context = self.data.draw(st.sampled_from(self.asked))
        note(f"{user_id} {context} {events} at {service.engine.now}")
        question = asked({"user_id": user_id, "slots": slots, "context": context, "events": [*events]})
        later = self.data.draw(st.sampled_from(LATER)) if events else 0
        # While serving, the wall clock is ahead of the engine's by a moment.
        now = service.engine.now + later
        self.answers.deciding.now = lambda: now  # type: ignore[method-assign]
        known, own = self.known(user_id, question.context, events, later)
        wanted = {slot: decided(service.workspace, slot, own, known) for slot in slots}
        decision = self.answers.deciding.decide(question)
        assert chosen(decision) == wanted
        for _ in range(2):
            kept = self.answers.fresh(question, False) or self.answers.answer(question, False)
            found = json.loads(kept.body)["slots"]
            names = {slot: (each["experience"], each["variant"]) for slot, each in found.items()}
            assert {slot: None if pair[0] is None else pair for slot, pair in names.items()} == wanted
        event(f"shown: {sorted({each is not None for each in wanted.values()})}")
        if not events and self.data.draw(st.integers(0, 3)) == 0:
            self.shown(decision)

    def known(
        self, user_id: str, context: Any, events: Sequence[dict[str, Any]], later: int
    ) -> tuple[Known, str]:
        service, world = self.story.driven.service, self.story.oracle.world
        row = self.story.oracle.resolver.row_of(user_id)
        definitions = definitions_of(service.workspace)
        if row is None or row not in world.events:
            person, overrides, own = Person(()), {}, user_id
        else:
            person, overrides = world.person(row), world.overrides[row]
            own = self.story.oracle.resolver.ids[row]
        now = world.now + later
        recent = tuple(
            Event(10**9 + number, 0, "track", each["event"], min(at, now), now, each["properties"])
            for number, each in enumerate(events)
            for at in (now if "timestamp" not in each else parse_instant(each["timestamp"]) or now,)
        )
        person = Person((*person.events, *recent), person.account_events, person.lists,
                        person.predictions, person.replacements)  # fmt: skip
        return Known(definitions, overrides, person, now, service.rules, context), own

    def shown(self, decision: Decision) -> None:
        """The exposure happens, for the service and for the oracle."""
        now = format_instant(self.story.oracle.world.now)
        whose = {"userId": decision.user_id}
        if decision.user_id.startswith("anon:"):
            whose = {"anonymousId": decision.user_id.removeprefix("anon:")}
        for choice in decision.choices:
            if choice.candidate is None:
                continue
            experience, variant = choice.candidate.names
            number = len(self.story.oracle.steps)
            body = {
                "type": "track", "event": EXPOSURE, **whose, "messageId": f"x{number}",
                "properties": {"experience": experience, "slot": choice.slot.name, "variant": variant},
                "timestamp": now, "receivedAt": now,
            }  # fmt: skip
            self.story.take([("event", body)])


def chosen(decision: Decision) -> dict[str, tuple[str, str] | None]:
    return {
        each.slot.name: None if each.candidate is None else each.candidate.names for each in decision.choices
    }


def run(data: st.DataObject, recent: bool) -> None:
    with told_of(data) as story:
        told = Told(data, story)
        history = data.draw(histories(story.workspace.names, steps_max=12, models=True))
        while history:
            size = data.draw(st.integers(1, len(history)))
            story.run(history[:size], ("nothing", "nothing", "restart", "save", "stretch"))
            history = history[size:]
            events = data.draw(st.lists(_recent(), min_size=1, max_size=3)) if recent else ()
            told.look(events)
            told.look(events)


@FEWER
@given(data=st.data())
def test_what_is_kept_is_given_up_in_time(data: st.DataObject) -> None:
    with told_of(data) as story:
        told = Told(data, story)
        told.asked = told.asked[:1]
        for step in data.draw(histories(story.workspace.names, users=("ann",), models=True)):
            if step[0] == "event":
                story.driven.import_events([step])
            else:
                story.driven.hand(step)
            note(f"{step}")
            story.oracle.take([step])
            told.look()


def _recent() -> st.SearchStrategy[dict[str, Any]]:
    moments = st.sampled_from([START_MS + offset for offset in (0, HOUR, DAY, 8 * DAY, 400 * DAY)])
    return st.fixed_dictionaries(
        {"event": st.sampled_from(("Viewed", "Bought", "Viewed", EXPOSURE)), "properties": objects()},
        optional={"timestamp": moments.map(format_instant)},
    )


@FEWER
@given(data=st.data())
def test_the_bits_decide_as_the_interpreter_does(data: st.DataObject) -> None:
    run(data, recent=False)


@FEWER
@given(data=st.data())
def test_recent_events_count_as_if_they_had_come(data: st.DataObject) -> None:
    run(data, recent=True)

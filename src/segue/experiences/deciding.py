"""Decisions about users, by what the engine knows of them now."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from segue.domain.limits import DECISIONS_KEPT_MAX
from segue.engine.supposing import may_be_supposed, supposed
from segue.experiences.asked import Asked, recent_events, require_slots
from segue.experiences.choosing import Choice, Situation, Why, choose
from segue.experiences.slots import Slots
from segue.experiences.standing import (
    NOBODY,
    Beside,
    beside,
    held_of,
    held_plainly,
    person_of,
    with_recent,
)
from segue.language.interpret import Override, Person
from segue.service.core import Core, wall_ms
from segue.service.program import rules_of


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody is shown in each slot. ``version`` is the log position up to which events count.

    ``user_id`` is the profile's own id. ``suppressed`` says that nothing may be recorded of them.
    """

    user_id: str
    known: bool
    choices: tuple[Choice, ...]
    version: int
    suppressed: bool = False

    @property
    def rests_on_a_cap(self) -> bool:
        """Whether being shown it may change the next decision."""
        return any(each.rests_on_a_cap for each in self.choices)


class Deciding:
    """Decides for a core, anew each time. It waits for the engine's turn."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._slots: Slots | None = None
        self._nobody: dict[tuple[tuple[str, ...], int], frozenset[str]] = {}

    def slots(self) -> Slots:
        """The slots of the definitions in force."""
        workspace = self.core.workspace
        assert workspace is not None
        found = self._slots
        if found is None or found.workspace is not workspace:
            found = self._slots = Slots(workspace)
            self._nobody = {}
        return found

    def now(self) -> int:
        """The moment that dates are held against, in ms."""
        engine = self.core.engine.now
        return engine if self.core.clock == "log" else max(engine, wall_ms())

    def edge(self, slots: Slots) -> int:
        """How many dates of variants have passed: between two of them, decisions do not rest on time."""
        return bisect_right(slots.edges, self.now())

    def row_of(self, user_id: str) -> int | None:
        """The row of a profile that the engine knows."""
        row = self.core.intake.identity.row_of(user_id)
        engine = self.core.engine
        if row is None or row >= engine.machine.rows or not engine.feed.knows(row):
            return None
        return row

    def decide(self, asked: Asked) -> Decision:
        """What the user sees in the slots asked for; E836 for a slot that nothing fills."""
        if asked.events:
            return self._with_recent(asked)
        with self.core.turn:
            slots = self.slots()
            require_slots(asked.slots, slots.by_name)
            row = self.row_of(asked.user_id)
            if row is None:
                return self._made(asked, slots, self._of_nobody(asked, slots), None)
            if row in self.core.engine.feed.suppressed:
                return self._of_suppressed(asked, slots, row)
            return self._made(asked, slots, held_of(self.core.engine, row), row)

    def _made(self, asked: Asked, slots: Slots, held: frozenset[str], row: int | None) -> Decision:
        user_id = asked.user_id if row is None else self.core.intake.identity.user_id(row)
        situation = Situation(user_id, held, asked.context, self.now())
        choices = tuple(choose(slots.by_name[name], situation) for name in asked.slots)
        return Decision(user_id, row is not None, choices, self.core.engine.evaluated_seq)

    def _of_suppressed(self, asked: Asked, slots: Slots, row: int) -> Decision:
        choices = tuple(Choice(slots.by_name[name], None, Why.SUPPRESSED) for name in asked.slots)
        seq = self.core.engine.evaluated_seq
        return Decision(self.core.intake.identity.user_id(row), False, choices, seq, suppressed=True)

    def _of_nobody(self, asked: Asked, slots: Slots) -> frozenset[str]:
        """What holds of whoever no event was evaluated of: of all of them the same, from date to date."""
        question = asked.slots, self.edge(slots)
        found = self._nobody.get(question)
        if found is None:
            if len(self._nobody) >= DECISIONS_KEPT_MAX:
                self._nobody.clear()
            found = self._nobody[question] = self._plainly(asked, slots, NOBODY, {})
        return found

    def _plainly(
        self, asked: Asked, slots: Slots, person: Person, overrides: Mapping[str, Override]
    ) -> frozenset[str]:
        """What holds of a person by the plain meaning."""
        definitions = slots.needed(asked.slots)
        return held_plainly(definitions, person, overrides, self.now(), rules_of(slots.workspace))

    def _with_recent(self, asked: Asked) -> Decision:
        """The same with events that just happened: tried on a copy of the profile where that can tell.

        Else the plain meaning of the log's events and these: of who identifies themselves, and of events with
        an id, which may have come already.
        """
        with self.core.turn:
            slots = self.slots()
            require_slots(asked.slots, slots.by_name)
            engine, now = self.core.engine, self.now()
            row, upto = self.row_of(asked.user_id), self.core.engine.evaluated_seq
            if row is not None and row in engine.feed.suppressed:
                return self._of_suppressed(asked, slots, row)
            recent = recent_events(asked, 0 if row is None else row, upto + 1, now)
            told_apart = any(event.message_id for event in recent)
            if not told_apart and may_be_supposed(engine, recent, now):
                return self._made(asked, slots, supposed(engine, row, recent, now), row)
            known = Beside() if row is None else beside(self.core, row)
        past = NOBODY if row is None else person_of(self.core, row, upto, known)
        held = self._plainly(asked, slots, with_recent(past, recent), known.overrides)
        return self._made(asked, slots, held, row)

"""The list of changes, derived moment by moment by asking the interpreter about everyone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from segue.domain.change import Cause
from segue.domain.event import Event, Json
from segue.language.interpret.due import due_moments
from segue.language.interpret.membership import Definition, Override, membership
from segue.language.interpret.person import Person, Replacement, Rules

Row = int


@dataclass(frozen=True, slots=True)
class Step:
    """One record of the log, with everyone it is about already resolved to profile rows.

    ``merges`` are (absorbed, survivor) rows; ``lists`` sets list membership and ``overrides`` sets
    (or, with None, lifts) overrides as (row, name, what holds from now on); ``predictions`` are (row,
    "score" or "cluster", model, value or None), ``replacements`` people's words in their place. They take
    effect together with the event, if there is one, at the largest ``received_at`` (ms) so far.
    """

    received_at: int
    cause: Cause
    event: Event | None = None
    merges: tuple[tuple[Row, Row], ...] = ()
    lists: tuple[tuple[Row, str, bool], ...] = ()
    overrides: tuple[tuple[Row, str, Override | None], ...] = ()
    predictions: tuple[tuple[Row, str, str, Json], ...] = ()
    replacements: tuple[tuple[Row, str, str, Replacement | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Flip:
    """One change as the oracle derives it, before it has a number and a user id."""

    at: int
    row: Row
    segment: str
    entered: bool
    cause: Cause
    message_id: str | None = None


class World:
    """Everything received so far; rows that were absorbed live on in their survivor."""

    def __init__(self, definitions: Sequence[Definition], rules: Rules) -> None:
        self.definitions = definitions
        self.rules = rules
        self.now = 0
        self.events: dict[Row, list[Event]] = {}
        self.accounts: dict[str, list[Event]] = defaultdict(list)
        self.lists: dict[Row, set[str]] = defaultdict(set)
        self.overrides: dict[Row, dict[str, Override]] = defaultdict(dict)
        self.predictions: dict[Row, dict[tuple[str, str], Json]] = defaultdict(dict)
        self.replacements: dict[Row, dict[tuple[str, str], Replacement]] = defaultdict(dict)
        self.memberships: dict[Row, Mapping[str, bool]] = {}

    def take(self, step: Step) -> list[Flip]:
        """The flips of the moments up to a step's receipt and of the step itself, in their order."""
        flips = self.advance(max(self.now, step.received_at))
        self.now = max(self.now, step.received_at)
        self._record(step)
        absorbed = {row for row, _ in step.merges}
        flips.extend(self._look(sorted(absorbed | set(self.events)), step, absorbed))
        for row in absorbed:
            self.memberships.pop(row, None)
        return flips

    def advance(self, until: int) -> list[Flip]:
        """The flips that time alone brings after ``now`` and up to a moment, inclusive."""
        flips: list[Flip] = []
        due = {row: {at for at in self._due(row) if self.now < at <= until} for row in self.events}
        for at in sorted(set().union(*due.values())):
            self.now = at
            turning = sorted(row for row, moments in due.items() if at in moments)
            flips.extend(self._look(turning, Step(at, Cause.TIME), set()))
        self.now = max(self.now, until)
        return flips

    def person(self, row: Row) -> Person:
        """A profile with what is known of it so far."""
        return Person(
            tuple(self.events[row]),
            {group: tuple(events) for group, events in self.accounts.items()},
            frozenset(self.lists[row]),
            self.predictions[row],
            self.replacements[row],
        )

    def _record(self, step: Step) -> None:
        if step.event is not None:
            self.events.setdefault(step.event.row, []).append(step.event)
            if step.event.type == "group" and step.event.group_id is not None:
                self.accounts[step.event.group_id].append(step.event)
        for absorbed, survivor in step.merges:
            self._absorb(absorbed, survivor)
        for row, name, listed in step.lists:
            (self.lists[row].add if listed else self.lists[row].discard)(name)
        for row, name, override in step.overrides:
            self.overrides[row].pop(name, None)
            if override is not None:
                self.overrides[row][name] = override
        for row, owner, model, value in step.predictions:
            self.predictions[row][owner, model] = value
        for row, owner, model, word in step.replacements:
            self.replacements[row].pop((owner, model), None)
            if word is not None:
                self.replacements[row][owner, model] = word

    def _absorb(self, absorbed: Row, survivor: Row) -> None:
        self.events.setdefault(survivor, []).extend(self.events.pop(absorbed, []))
        self.lists[survivor] |= self.lists.pop(absorbed, set())
        self.predictions.pop(absorbed, None)
        standing = {
            name: override for name, override in self.overrides[survivor].items() if override.stands(self.now)
        }
        self.overrides[survivor] = {**self.overrides.pop(absorbed, {}), **standing}
        words = {model: word for model, word in self.replacements[survivor].items() if word.stands(self.now)}
        self.replacements[survivor] = {**self.replacements.pop(absorbed, {}), **words}

    def _due(self, row: Row) -> Iterable[int]:
        person = self.person(row)
        yield from (override.until for override in self.overrides[row].values() if override.until is not None)
        for definition in self.definitions:
            yield from due_moments(definition.condition, person, self.rules)

    def _look(self, rows: Iterable[Row], step: Step, absorbed: set[Row]) -> list[Flip]:
        flips = []
        for row in rows:
            gone = row in absorbed
            found = {} if gone else self._memberships(row)
            before = self.memberships.get(row, {})
            cause = Cause.MERGE if gone else step.cause
            message_id = step.event.message_id if step.event else None
            for name in sorted({*before, *found}):
                if before.get(name, False) != found.get(name, False):
                    flips.append(Flip(self.now, row, name, not before.get(name, False), cause, message_id))
            self.memberships[row] = found
        return flips

    def _memberships(self, row: Row) -> Mapping[str, bool]:
        return membership(self.definitions, self.overrides[row], self.person(row), self.now, self.rules)


def changes(
    steps: Iterable[Step], definitions: Sequence[Definition], rules: Rules, until: int | None = None
) -> list[Flip]:
    """Every flip of a whole history, in order, with the dues up to ``until`` (ms) worked off at the end.

    Everyone is looked at after every step, and at each of their own due moments before it.
    """
    world = World(definitions, rules)
    flips = [flip for step in steps for flip in world.take(step)]
    return flips if until is None else flips + world.advance(until)

"""What is known of somebody when a decision is made: the engine's bits, or the plain meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from segue.analysis.people import People
from segue.domain.event import Event, Json
from segue.engine.engine import Engine
from segue.language.interpret import Definition, Override, Person, Replacement, Rules, membership
from segue.log.said import Model
from segue.service.core import Core

NOBODY = Person(())
"""Of whom nothing was ever received."""


def bits_of(engine: Engine, row: int) -> bytes:
    """All that holds of a profile, as the machine keeps it; equal bits give equal decisions."""
    found: bytes = engine.machine.state.members[row].tobytes()
    return found


def held_of(engine: Engine, row: int) -> frozenset[str]:
    """The names of the segments and watches that hold of a profile."""
    names = engine.compiled.names
    return frozenset(names[number] for number in engine.machine.segments_of(row))


def held_plainly(
    definitions: Sequence[Definition],
    person: Person,
    overrides: Mapping[str, Override],
    now: int,
    rules: Rules,
) -> frozenset[str]:
    """The names of what holds of a person, by the plain meaning."""
    found = membership(definitions, overrides, person, now, rules)
    return frozenset(name for name, holds in found.items() if holds)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of a profile beside its events: its lists, what models say, people's words for those.

    ``parts`` are the rows that it absorbed.
    """

    lists: frozenset[str] = frozenset()
    said: Mapping[Model, Json] = field(default_factory=dict)
    words: Mapping[Model, Replacement] = field(default_factory=dict)
    overrides: Mapping[str, Override] = field(default_factory=dict)
    parts: tuple[int, ...] = ()

    def said_of(self, _row: int, /) -> Mapping[Model, Json]:
        """What models say."""
        return self.said

    def words_of(self, _row: int, /) -> Mapping[Model, Replacement]:
        """What people say in their place."""
        return self.words


def beside(core: Core, row: int) -> Beside:
    """Taken in the engine's turn, to be read when it goes on."""
    feed = core.engine.feed
    return Beside(
        frozenset(feed.lists.get(row, ())),
        dict(feed.predictions.said_of(row)),
        dict(feed.predictions.words_of(row)),
        dict(feed.decided(row)),
        tuple(core.intake.identity.rows_of(row) - {row}),
    )


def person_of(core: Core, row: int, upto: int, known: Beside) -> Person:
    """A profile as the log up to a position knows it."""
    merges = [(0, part, row) for part in known.parts]
    with duckdb.connect() as connection:
        people = People(
            core.log, connection, upto=upto, lists={row: known.lists}, speech=known, merges=merges
        )
        found = people.person(row)
    return NOBODY if found is None else found


def with_recent(person: Person, recent: Sequence[Event]) -> Person:
    """The same person a moment later; what the log has already, by its message id, does not happen twice."""
    seen = {event.message_id for event in person.events}
    fresh = tuple(event for event in recent if not event.message_id or event.message_id not in seen)
    return replace(person, events=(*person.events, *fresh))

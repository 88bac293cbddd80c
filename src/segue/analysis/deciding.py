"""Who decides a membership (condition, override or exclusive sibling), and when time alone turns it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from segue.domain.time import format_instant
from segue.language.interpret import (
    Definition,
    Noted,
    Override,
    Person,
    Rules,
    due_moments,
    holds,
    membership,
)
from segue.language.walk import references


@dataclass(frozen=True, slots=True)
class Decision:
    """What settled a membership: ``by`` condition, override, exclusive or status; ``text`` says it.

    ``sibling`` is the segment of the exclusive group that has the profile instead.
    """

    by: str
    text: str
    sibling: str | None = None

    def to_json(self) -> dict[str, object]:
        """The decision as a JSON object."""
        found: dict[str, object] = {"by": self.by, "text": self.text}
        if self.sibling is not None:
            found["sibling"] = self.sibling
        return found


@dataclass(frozen=True)
class Standing:
    """One profile before the definitions in force; ``overrides`` are its own, by segment."""

    person: Person
    definitions: Sequence[Definition]
    overrides: Mapping[str, Override]
    rules: Rules

    def memberships(self, now: int) -> dict[str, bool]:
        """Who the profile is at a moment, by segment."""
        return membership(self.definitions, self.overrides, self.person, now, self.rules)

    def about(self, name: str) -> Standing:
        """The same before those definitions alone that the named one depends on, itself included."""
        kept = _concerned(self.definitions, name)
        return Standing(self.person, [each for each in self.definitions if each.name in kept], self.overrides,
                        self.rules)  # fmt: skip

    def turns(self, name: str, now: int) -> int | None:
        """The first moment after ``now`` at which time alone turns the membership; None when none does."""
        standing = self.about(name)
        before = standing.memberships(now)[name]
        for at in standing.moments(now):
            if standing.memberships(at)[name] is not before:
                return at
        return None

    def moments(self, now: int) -> list[int]:
        """Every moment after ``now`` at which time alone may turn something, rising."""
        found = {override.until for override in self.overrides.values() if override.until is not None}
        for definition in self.definitions:
            found.update(due_moments(definition.condition, self.person, self.rules))
        return sorted(at for at in found if at > now)

    def decision(self, name: str, now: int) -> Decision:
        """What settles the membership at a moment."""
        standing = self.about(name)
        definition = next(each for each in standing.definitions if each.name == name)
        members = standing.memberships(now)
        if definition.status != "active":
            return Decision("status", f"the segment is {definition.status}, so it has no members")
        override = self.overrides.get(name)
        stands = override is not None and override.stands(now)
        if not members[name] and definition.exclusive is not None:
            claims = (
                override.member
                if override is not None and stands
                else standing._holds(definition, members, now)
            )
            winner = next(
                (each for each in standing.definitions
                 if each.exclusive == definition.exclusive and members[each.name]), None,
            )  # fmt: skip
            if claims and winner is not None:
                return standing._beaten(definition, winner, now)
        if override is not None and stands:
            return Decision("override", _spoken(name, override))
        return Decision("condition", "the condition " + ("holds" if members[name] else "does not hold"))

    def _holds(self, definition: Definition, members: Mapping[str, bool], now: int) -> bool:
        return holds(definition.condition, self.person.answering(members), now, self.rules)

    def _beaten(self, loser: Definition, winner: Definition, now: int) -> Decision:
        override = self.overrides.get(winner.name)
        reason = f"which has priority {winner.priority} over {loser.priority}"
        if override is not None and override.stands(now):
            own = self.overrides.get(loser.name)
            both = own is not None and own.stands(now)
            reason = f"{reason}, both by override" if both else f"because {_spoken(winner.name, override)}"
        text = (
            f'it would be in, but of the exclusive group "{loser.exclusive}" it is in {winner.name}, {reason}'
        )
        return Decision("exclusive", text, winner.name)


def _spoken(name: str, override: Override) -> str:
    text = f"an override puts it {'in' if override.member else 'out of'} {name}"
    if override.until is not None:
        text += f" until {format_instant(override.until)}"
    if isinstance(override, Noted):
        text += f", by {override.by}" if override.by else ""
        text += f": {override.why}" if override.why else ""
    return text


def _concerned(definitions: Sequence[Definition], name: str) -> set[str]:
    by_name = {each.name: each for each in definitions}
    groups: dict[str, list[str]] = {}
    for each in definitions:
        if each.exclusive is not None:
            groups.setdefault(each.exclusive, []).append(each.name)
    found: set[str] = set()
    waiting = [name]
    while waiting:
        definition = by_name.get(waiting.pop())
        if definition is None or definition.name in found:
            continue
        found.add(definition.name)
        waiting.extend(references(definition.condition).segments)
        if definition.exclusive is not None:
            waiting.extend(groups[definition.exclusive])
    return found

"""What the service should say when people are forgotten and suppressed, by the interpreter alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from segue.domain.change import Cause
from segue.domain.limits import FUTURE_MS_MAX
from segue.domain.time import parse_instant
from segue.language.interpret import Definition, Flip, Rules, Step
from segue.language.interpret.changes import Row, World
from tests.service.firing_oracle import FiringOracle, Waits, Watching
from tests.service.oracle import Oracle, Told
from tests.strategies.resolver import Resolver

GONE = "forgotten:"
"""What the ids of the forgotten begin with."""


@dataclass(frozen=True, slots=True)
class Erasing(Step):
    """A record that forgets some rows, or that no segment is to see some, or sees them again."""

    forgotten: frozenset[Row] = frozenset()
    suppressed: frozenset[Row] = frozenset()
    admitted: frozenset[Row] = frozenset()


class ErasingWorld(World):
    """A world in which people are forgotten, and suppressed."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.suppressed: set[Row] = set()

    def take(self, step: Step) -> list[Flip]:
        if not isinstance(step, Erasing):
            return super().take(step)
        flips = self.advance(max(self.now, step.received_at))
        self.now = max(self.now, step.received_at)
        self._record(step)
        found = self._look(sorted(step.forgotten | set(self.events)), step, set(step.forgotten))
        for row in step.forgotten:
            self.memberships.pop(row, None)
        return flips + [replace(flip, cause=step.cause) for flip in found]

    def _record(self, step: Step) -> None:
        super()._record(step)
        self.suppressed -= {row for row, _ in step.merges}
        if not isinstance(step, Erasing):
            return
        self.suppressed = (self.suppressed | step.suppressed) - step.admitted - step.forgotten
        for held in (self.events, self.lists, self.overrides, self.predictions, self.replacements):
            for row in step.forgotten:
                held.pop(row, None)
        for account, events in self.accounts.items():
            self.accounts[account] = [each for each in events if each.row not in step.forgotten]

    def _memberships(self, row: Row) -> Mapping[str, bool]:
        if row in self.suppressed:
            return dict.fromkeys((each.name for each in self.definitions), False)
        return super()._memberships(row)


class ErasingWatching(ErasingWorld, Watching):
    """The same with triggers."""

    def __init__(
        self,
        definitions: Sequence[Definition],
        rules: Rules,
        triggers: Sequence[Waits],
        before: Mapping[tuple[str, int], bool],
    ) -> None:
        self.suppressed = set()
        Watching.__init__(self, definitions, rules, triggers, before)

    def _record(self, step: Step) -> None:
        super()._record(step)
        if isinstance(step, Erasing):
            self.ahead = [each for each in self.ahead if each.row not in step.forgotten]


@dataclass
class ErasingResolver(Resolver):
    """Knows from when on it refuses whose events."""

    bounds: dict[str, int] = field(default_factory=dict)
    together: list[frozenset[str]] = field(default_factory=list)
    """Ids that were forgotten at once."""
    groups: list[tuple[frozenset[str], set[Row]]] = field(default_factory=list)
    """Suppressions that stand: ids, and whom no segment is to see."""

    def take(self, step: tuple[Any, ...]) -> Step | None:
        if step[0] == "event" and self.refuses(step[1]):
            return None
        found = super().take(step)
        for row, _ in found.merges if found is not None else ():
            for _, rows in self.groups:
                rows.discard(row)
        return found

    def refuses(self, body: dict[str, Any]) -> bool:
        """Whether an event is of someone who is suppressed, or happened before they were forgotten."""
        user = body.get("userId")
        names = [f"anon:{body['anonymousId']}" if user is None else user]
        if body["type"] == "alias":
            names += [body["previousId"], f"anon:{body['previousId']}"]
        stated, received = parse_instant(body["timestamp"]), parse_instant(body["receivedAt"])
        assert stated is not None
        assert received is not None
        happened = received if stated > received + FUTURE_MS_MAX else stated
        if any(self.suppresses(name) for name in names):
            return True
        return any(self.bounds.get(name, 0) > happened for name in names)

    def suppresses(self, name: str) -> bool:
        return any(name in names for names, _ in self.groups)

    def rows_of(self, row: Row) -> frozenset[Row]:
        return frozenset(each for each, whole in enumerate(self.into) if whole == row)

    def names_of(self, row: Row) -> frozenset[str]:
        """Every id by which the events of a profile come."""
        found = {name for name, at in self.rows.items() if self.into[at] == row}
        return frozenset(
            found | {f"anon:{visitor}" for visitor, at in self.last_seen.items() if self.into[at] == row}
        )

    def own_names(self, user: str) -> frozenset[str]:
        """The ids that lead to the profile of an id, and to no other."""
        row = self.row_of(user)
        assert row is not None
        return frozenset(name for name in self.names_of(row) if self.row_of(name) in (None, row))

    def forget(self, user: str) -> Erasing:
        """Lose the profile of an id."""
        row = self.row_of(user)
        assert row is not None
        rows, names, own = self.rows_of(row), self.names_of(row), self.own_names(user)
        self.rows = {name: at for name, at in self.rows.items() if self.into[at] != row}
        self.last_seen = {name: at for name, at in self.last_seen.items() if self.into[at] != row}
        for each in rows:
            self.ids[each] = GONE
        for _, held in self.groups:
            held.difference_update(rows)
        self.lose(own)
        self.refuse(names)
        return Erasing(self.now, Cause.FORGET, forgotten=rows)

    def lose(self, names: Collection[str]) -> None:
        """Nothing waits for these ids any more."""
        self.waiting_lists = {key for key in self.waiting_lists if key[0] not in names}
        self.waiting_overrides = {
            key: on for key, on in self.waiting_overrides.items() if key[0] not in names
        }
        self.waiting_words = {key: on for key, on in self.waiting_words.items() if key[0] not in names}

    def refuse(self, names: Collection[str]) -> None:
        """What these ids did before now is not taken in."""
        self.bounds |= dict.fromkeys(names, self.now)
        self.together.append(frozenset(names))

    def suppress(self, user: str) -> Erasing | None:
        """Have no segment see the profile of an id; None when that is so."""
        if self.suppresses(user):
            return None
        row = self.row_of(user)
        names = {user} if row is None else {user, *self.names_of(row)}
        names = names.union(*(each for each in self.together if user in each))
        rows = set() if row is None else {row}
        self.groups.append((frozenset(names), rows))
        return Erasing(self.now, Cause.OVERRIDE, suppressed=frozenset(rows))

    def admit(self, user: str) -> Erasing | None:
        """Take back the suppressions that an id is one of; None when it is not suppressed."""
        if not self.suppresses(user):
            return None
        ended = [rows for names, rows in self.groups if user in names]
        self.groups = [each for each in self.groups if user not in each[0]]
        left: set[Row] = set().union(*(rows for _, rows in self.groups))
        return Erasing(self.now, Cause.OVERRIDE, admitted=frozenset(set().union(*ended) - left))


@dataclass
class ErasingOracle(Oracle):
    """Takes what the service takes; whom it forgets is in nothing that is said of the past from then on."""

    resolver: ErasingResolver = field(default_factory=ErasingResolver)

    def make_world(self, *args: Any) -> World:
        return ErasingWorld(*args)

    @property
    def suppressed(self) -> set[Row]:
        """Whom no segment is to see."""
        return self.world.suppressed if isinstance(self.world, ErasingWorld) else set()

    def forget(self, user: str) -> None:
        """Someone who has a profile is forgotten."""
        step = self.resolver.forget(user)
        self._lose(step, self.resolver.together[-1])

    def forget_mentions(self, user: str) -> None:
        """Someone of whom people spoke, and nothing was received."""
        self.resolver.lose({user})
        self.resolver.refuse({user})
        self._lose(Erasing(self.resolver.now, Cause.FORGET), {user})

    def _lose(self, step: Erasing, names: Collection[str]) -> None:
        own = {name for name in names if self.resolver.row_of(name) is None}
        self.lists = {name: users - own for name, users in self.lists.items()}
        self.record(step)
        self.steps = [without(each, step.forgotten) for each in self.steps]

    def record(self, step: Erasing | None) -> None:
        """What a record says of someone."""
        if step is not None:
            self.steps.append(step)
            self.flips += self.world.take(step)

    @property
    def changes(self) -> list[Told]:
        return [veiled(change) for change in super().changes]


@dataclass
class ErasingFiringOracle(ErasingOracle, FiringOracle):
    """The same of what fires; what fired for the forgotten is nobody's."""

    def make_watching(self, *args: Any) -> Watching:
        return ErasingWatching(*args)

    def _lose(self, step: Erasing, names: Collection[str]) -> None:
        super()._lose(step, names)
        self.fired = [each for each in self.fired if each[1] not in step.forgotten]

    def record(self, step: Erasing | None) -> None:
        super().record(step)
        self.note_fired()


def veiled(change: Told) -> Told:
    """A change as it may be known: of the forgotten neither who nor why."""
    who, segment, entered, at, _, _ = change
    return (GONE, segment, entered, at, Cause.FORGET, None) if who.startswith(GONE) else change


def without(step: Step, gone: Collection[Row]) -> Step:
    """A record as it stands after some were forgotten; time goes on by it as before."""
    event = step.event
    return replace(
        step,
        event=None if event is None or event.row in gone else event,
        merges=tuple(each for each in step.merges if each[1] not in gone),
        lists=tuple(each for each in step.lists if each[0] not in gone),
        overrides=tuple(each for each in step.overrides if each[0] not in gone),
        predictions=tuple(each for each in step.predictions if each[0] not in gone),
        replacements=tuple(each for each in step.replacements if each[0] not in gone),
    )

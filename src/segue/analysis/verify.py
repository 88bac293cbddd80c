"""Every membership recomputed by the plain interpreter and held against the engine and its change log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from segue.analysis.fold import Difference, Fold, folded
from segue.language.interpret import Definition, Override, Person, Rules, membership
from segue.log.changes import ChangePage

Row = int
_NOBODY: Mapping[Row, Mapping[str, Override]] = {}


@dataclass(frozen=True)
class Claims:
    """What the engine says at ``now`` (ms), to be verified.

    ``segments_of`` gives the segments that a row is in by the engine, for each of the rows in ``user_ids``;
    ``changes`` are all pages of the change log up to the same progress.
    """

    now: int
    user_ids: Sequence[str]
    segments_of: Callable[[Row], AbstractSet[str]]
    changes: Iterable[ChangePage]


@dataclass(frozen=True)
class Truth:
    """What membership follows from: definitions, rules and, by surviving row, the overrides in force."""

    definitions: Sequence[Definition]
    rules: Rules
    overrides: Mapping[Row, Mapping[str, Override]] = field(default_factory=lambda: _NOBODY)

    def segments_of(self, row: Row, person: Person, now: int) -> set[str]:
        """The segments that a profile is in."""
        found = membership(self.definitions, self.overrides.get(row, {}), person, now, self.rules)
        return {name for name, member in found.items() if member}


def verify(truth: Truth, everyone: Iterable[tuple[Row, Person]], claims: Claims) -> Iterator[Difference]:
    """Every difference; none when the engine is right.

    ``everyone`` are the profiles in order of rows (:meth:`~segue.analysis.people.People.everyone`, which also
    tells of its progress), bound to what the engine has evaluated. Rows between them are nobody's any more.
    """
    fold = Fold()
    yield from folded(claims.changes, fold)
    upcoming = 0
    for row, person in everyone:
        for empty in range(upcoming, row):
            yield from _held(empty, set(), claims, fold)
        yield from _held(row, truth.segments_of(row, person, claims.now), claims, fold)
        upcoming = row + 1
    for empty in range(upcoming, len(claims.user_ids)):
        yield from _held(empty, set(), claims, fold)


def _held(row: Row, true: AbstractSet[str], claims: Claims, fold: Fold) -> Iterator[Difference]:
    """One row's three accounts against each other."""
    engine, told = claims.segments_of(row), fold.segments_of(row)
    if engine == true and told == engine:
        return
    user_id = claims.user_ids[row]
    for name in sorted(engine ^ true):
        said, is_so = _state(name in engine), _state(name in true)
        text = f"the engine has {user_id} {said} {name}, recomputed it is {is_so}"
        yield Difference("membership", text, user_id, name, name in engine, name in true)
    for name in sorted(engine ^ told):
        said, is_so = _state(name in told), _state(name in engine)
        text = f"the changes leave {user_id} {said} {name}, the engine has it {is_so}"
        yield Difference("changes", text, user_id, name, name in told, name in engine)


def _state(member: bool) -> str:
    return "in" if member else "out of"

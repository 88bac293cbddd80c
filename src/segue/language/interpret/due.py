"""When time alone could change something: every moment at which an event, a window or a threshold turns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from segue.domain.event import Event
from segue.domain.time import parse_instant
from segue.language.interpret.person import Person, Rules
from segue.language.interpret.where import pattern_predicate, seen_by_where
from segue.language.reading import walk
from segue.language.tree import (
    Aggregate,
    AllTime,
    And,
    Arithmetic,
    Between,
    Compare,
    Condition,
    Duration,
    Elapsed,
    EventPattern,
    In,
    Last,
    Match,
    Moment,
    Not,
    Operand,
    Or,
    Presence,
    Sequence,
    SinceEvent,
    ThisSession,
    Trait,
    Window,
)


def due_moments(condition: Condition, person: Person, rules: Rules) -> list[int]:
    """All moments (ms, rising) at which the condition may flip though nothing is received.

    More moments than needed are given, never fewer. Flips of segments and lists that the
    condition refers to are not among them; ask for those conditions as well.
    """
    takes_effect = {event.timestamp for event in person.events if event.timestamp > event.received_at}
    for events in person.account_events.values():
        takes_effect.update(event.timestamp for event in events if event.timestamp > event.received_at)
    return sorted(takes_effect.union(_of_condition(condition, person, rules)))


def _of_condition(condition: Condition, person: Person, rules: Rules) -> Iterator[int]:
    match condition:
        case And() | Or():
            for part in condition.parts:
                yield from _of_condition(part, person, rules)
        case Not():
            yield from _of_condition(condition.part, person, rules)
        case Compare():
            yield from _of_elapsed(condition, person, rules)
            yield from _of_operand(condition.left, person, rules)
            yield from _of_operand(condition.right, person, rules)
        case In() | Match() | Presence():
            yield from _of_operand(condition.operand, person, rules)


def _of_operand(operand: Operand, person: Person, rules: Rules) -> Iterator[int]:
    match operand:
        case Arithmetic():
            yield from _of_operand(operand.left, person, rules)
            yield from _of_operand(operand.right, person, rules)
        case Elapsed():
            yield from _of_operand(operand.time, person, rules)
        case Aggregate():
            yield from _of_window(operand.window, operand.event, person, rules)
        case Sequence():
            yield from _of_window(operand.window, operand.steps[-1], person, rules)
        case Trait() if operand.owner in ("score", "cluster"):
            word = person.replacements.get((operand.owner, operand.path[0]))
            if word is not None and word.until is not None:
                yield word.until


def _of_window(window: Window, pattern: EventPattern, person: Person, rules: Rules) -> Iterator[int]:
    """The moments at which events leave a window; by entering it they are received or take effect."""
    match window:
        case Last():
            yield from (event.timestamp + window.ms for event in _matching(pattern, person, rules))
        case SinceEvent():
            yield from _of_window(window.window, window.event, person, rules)
        case ThisSession():
            yield from (event.timestamp + rules.session_gap_ms + 1 for event in person.events)
        case AllTime() | Between():
            pass


def _of_elapsed(node: Compare, person: Person, rules: Rules) -> Iterator[int]:
    """``since(T) op D`` turns at T + D and one later, ``until(T) op D`` at T - D and one later."""
    for elapsed, length in ((node.left, node.right), (node.right, node.left)):
        if isinstance(elapsed, Elapsed) and isinstance(length, Duration):
            distance = length.ms if elapsed.direction == "since" else -length.ms
            for time in _times(elapsed.time, person, rules):
                yield time + distance
                yield time + distance + 1


def _times(operand: Operand, person: Person, rules: Rules) -> Iterable[int]:
    """Every time that an operand could have at any moment."""
    match operand:
        case Moment():
            return [operand.ms]
        case Aggregate() if operand.name in ("last", "first"):
            return [event.timestamp for event in _matching(operand.event, person, rules)]
        case Aggregate():
            return _read_times(_matching(operand.event, person, rules), operand.path, rules)
        case Trait() if operand.owner == "user":
            return _read_times(person.events, operand.path, rules)
        case Trait():
            groups = [event for events in person.account_events.values() for event in events]
            return _read_times(groups, operand.path, rules)
    raise TypeError(f"no time: {operand}")


def _read_times(events: Iterable[Event], path: tuple[str, ...], rules: Rules) -> Iterator[int]:
    for event in events:
        text = walk(seen_by_where(event), path)
        if isinstance(text, str) and (time := parse_instant(text, rules.zone)) is not None:
            yield time


def _matching(pattern: EventPattern, person: Person, rules: Rules) -> list[Event]:
    matches = pattern_predicate(pattern, rules.zone)
    return [event for event in person.events if matches(event)]

"""Random checked trees: every construct of ``segue.language.tree`` that may run, with ``read`` settled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import ParamSpec, TypeVar, cast
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from segue.domain.number import micro
from segue.domain.time import parse_instant
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
    Kind,
    Last,
    ListRef,
    Match,
    Moment,
    Not,
    Number,
    Operand,
    Or,
    Presence,
    Property,
    SegmentRef,
    Sequence,
    SinceEvent,
    Text,
    ThisSession,
    Trait,
    Truth,
    TruthValue,
    Window,
)
from tests.strategies.vocabulary import LISTS, MOMENTS, NUMBERS, OFTEN_EVENTS, PATHS, TEXTS, lengths, weighted

P = ParamSpec("P")
T = TypeVar("T")
Raws = Callable[[Kind], st.SearchStrategy[Operand]]


def shared(build: Callable[P, st.SearchStrategy[T]]) -> Callable[P, st.SearchStrategy[T]]:
    """Build a strategy once for each set of arguments, and keep its description short."""
    built = cache(build)

    @cache
    def kept(*args: P.args, **kwargs: P.kwargs) -> st.SearchStrategy[T]:
        return _drawn(lambda: built(*args, **kwargs))  # type: ignore[arg-type]

    return cast(Callable[P, st.SearchStrategy[T]], kept)


@st.composite
def _drawn(draw: st.DrawFn, build: Callable[[], st.SearchStrategy[T]]) -> T:
    return draw(build())


ORDERINGS = ("<", "<=", ">", ">=")
OPERATORS = ("==", "!=", *ORDERINGS)

operators = st.sampled_from(OPERATORS)
paths = st.sampled_from(PATHS)
_number_paths = st.sampled_from((*[("n",)] * 6, ("o", "n"), ("v",), ("s",)))


def _literal_number(value: float) -> Number:
    found = micro(value)
    assert found is not None
    return Number(found)


numbers = st.one_of(st.sampled_from(NUMBERS), st.integers(-2, 5)).map(_literal_number)
texts = st.sampled_from(TEXTS).map(Text)
truths = st.booleans().map(TruthValue)
durations = lengths.map(Duration)
literals = st.one_of(numbers, texts, truths)


@shared
def moments(zone: ZoneInfo) -> st.SearchStrategy[Moment]:
    return st.sampled_from(MOMENTS).map(lambda text: Moment(_instant(text, zone), text))


def _instant(text: str, zone: ZoneInfo) -> int:
    found = parse_instant(text, zone)
    assert found is not None
    return found


# ---- one event -------------------------------------------------------------------------------


@shared
def properties(read: Kind) -> st.SearchStrategy[Property]:
    return st.builds(
        lambda path, root: Property(path, root, read),
        paths,
        st.sampled_from(("properties",) * 3 + ("context",)),
    )


@shared
def wheres(zone: ZoneInfo) -> st.SearchStrategy[Condition]:
    """Conditions on one event."""
    number = st.just(Property(("n",), "properties", Kind.NUMBER))
    leaf = weighted(
        (8, raw_leaves(properties, zone)),
        (6, either_way(operators, number, numbers)),
        (1, st.builds(Compare, operators, event_arithmetic(), event_numbers())),
        (1, one_of_numbers(event_arithmetic())),
        (1, st.builds(Presence, event_arithmetic(), st.booleans())),
        (1, st.booleans().map(Truth)),
    )
    return combined(leaf, leaves_max=3)


@shared
def event_numbers() -> st.SearchStrategy[Operand]:
    return st.one_of(numbers, properties(Kind.NUMBER))


@shared
def event_arithmetic() -> st.SearchStrategy[Operand]:
    once = arithmetic(event_numbers())
    return st.one_of(once, arithmetic(st.one_of(event_numbers(), once)))


@shared
def patterns(zone: ZoneInfo) -> st.SearchStrategy[EventPattern]:
    where = weighted((3, st.none()), (1, wheres(zone)))
    tracks = st.builds(EventPattern, st.just("track"), st.sampled_from(OFTEN_EVENTS), where)
    types = st.sampled_from(("any", "any", "page", "screen", "identify", "group", "alias"))
    return weighted((3, tracks), (2, st.builds(EventPattern, types, st.none(), where)))


# ---- shared shapes ---------------------------------------------------------------------------


def arithmetic(sides: st.SearchStrategy[Operand]) -> st.SearchStrategy[Operand]:
    return st.builds(Arithmetic, st.sampled_from("+-*/"), sides, sides)


@shared
def raw_leaves(raw: Raws, zone: ZoneInfo) -> st.SearchStrategy[Condition]:
    """Leaves over raw JSON values: ``raw(read)`` gives operands read as that kind."""
    affixes = st.sampled_from(("starts with", "ends with", "contains"))
    return st.one_of(
        either_way(operators, raw(Kind.NUMBER), numbers),
        either_way(st.sampled_from(("==", "!=")), raw(Kind.TEXT), texts),
        either_way(st.sampled_from(("==", "!=")), raw(Kind.TRUTH), truths),
        either_way(operators, raw(Kind.TIME), moments(zone)),
        st.builds(Compare, st.sampled_from(("==", "!=")), raw(Kind.SCALAR), raw(Kind.SCALAR)),
        st.builds(Compare, operators, raw(Kind.NUMBER), raw(Kind.NUMBER)),
        st.builds(
            lambda operand, values, negated: In(operand, tuple(values), negated),
            raw(Kind.UNKNOWN), st.lists(literals, min_size=1, max_size=4), st.booleans(),
        ),
        st.builds(Match, affixes, raw(Kind.UNKNOWN), texts),
        st.builds(Match, st.just("contains"), raw(Kind.UNKNOWN), literals),
        st.builds(Presence, raw(Kind.UNKNOWN), st.booleans()),
    )  # fmt: skip


def either_way(
    ops: st.SearchStrategy[str], left: st.SearchStrategy[Operand], right: st.SearchStrategy[Operand]
) -> st.SearchStrategy[Condition]:
    return st.one_of(st.builds(Compare, ops, left, right), st.builds(Compare, ops, right, left))


def combined(leaves: st.SearchStrategy[Condition], leaves_max: int) -> st.SearchStrategy[Condition]:
    def grown(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        several = st.lists(parts, min_size=2, max_size=3).map(tuple)
        return st.one_of(several.map(And), several.map(Or), parts.map(Not))

    return st.recursive(leaves, grown, max_leaves=leaves_max)


# ---- one person ------------------------------------------------------------------------------


@shared
def plain_windows(zone: ZoneInfo) -> st.SearchStrategy[AllTime | Last | Between]:
    dates = st.tuples(moments(zone), st.one_of(st.none(), moments(zone)))
    return weighted((1, st.just(AllTime())), (3, lengths.map(Last)), (1, dates.map(_between)))


def _between(dates: tuple[Moment, Moment | None]) -> Between:
    start, end = dates
    if end is None:
        return Between(start.ms, None, start.text)
    start, end = sorted((start, end), key=lambda date: date.ms)
    return Between(start.ms, end.ms, start.text, end.text)


@shared
def windows(zone: ZoneInfo) -> st.SearchStrategy[Window]:
    since = st.builds(SinceEvent, st.sampled_from(("last", "first")), patterns(zone), plain_windows(zone))
    return weighted((6, plain_windows(zone)), (2, since), (1, st.just(ThisSession())))


@shared
def aggregates(zone: ZoneInfo, *names: str) -> st.SearchStrategy[Operand]:
    """Aggregates without a path."""
    return st.builds(Aggregate, st.sampled_from(names), patterns(zone), st.just(()), windows(zone))


@shared
def path_aggregates(zone: ZoneInfo, *names: str, read: Kind = Kind.UNKNOWN) -> st.SearchStrategy[Operand]:
    """Aggregates with a path; mostly where numbers are, for those that take numbers."""
    numeric = set(names) <= {"sum", "avg", "min", "max"}
    where = _number_paths if numeric else paths
    return st.builds(Aggregate, st.sampled_from(names), patterns(zone), where, windows(zone), st.just(read))


@shared
def sessions(zone: ZoneInfo) -> st.SearchStrategy[Operand]:
    return plain_windows(zone).map(lambda window: Aggregate("sessions", EventPattern("any"), (), window))


@shared
def sequences(zone: ZoneInfo) -> st.SearchStrategy[Operand]:
    steps = st.lists(patterns(zone), min_size=2, max_size=4).map(tuple)
    return st.builds(Sequence, steps, lengths, plain_windows(zone))


@cache
def raws(zone: ZoneInfo) -> Raws:
    def of(read: Kind) -> st.SearchStrategy[Operand]:
        traits = st.builds(
            lambda path, owner: Trait(path, owner, read), paths, st.sampled_from(("user", "account"))
        )
        return st.one_of(traits, path_aggregates(zone, "latest", "earliest", read=read))

    return of


@shared
def exact_numbers(zone: ZoneInfo) -> st.SearchStrategy[Operand]:
    """Operands that are numbers by themselves and move with events and time."""
    return weighted(
        (3, aggregates(zone, "count")),
        (1, aggregates(zone, "days")),
        (3, path_aggregates(zone, "sum", "min", "max")),
        (1, path_aggregates(zone, "distinct")),
        (1, sessions(zone)),
        (1, sequences(zone)),
    )


@shared
def any_numbers(zone: ZoneInfo) -> st.SearchStrategy[Operand]:
    return st.one_of(numbers, exact_numbers(zone), path_aggregates(zone, "avg"), raws(zone)(Kind.NUMBER))


@shared
def calculations(zone: ZoneInfo) -> st.SearchStrategy[Operand]:
    once = arithmetic(any_numbers(zone))
    return st.one_of(once, arithmetic(st.one_of(any_numbers(zone), once)))


@shared
def times(zone: ZoneInfo) -> st.SearchStrategy[Operand]:
    return weighted((3, aggregates(zone, "last", "first")), (1, raws(zone)(Kind.TIME)), (1, moments(zone)))


@shared
def leaves(zone: ZoneInfo) -> st.SearchStrategy[Condition]:
    """One comparison about a person's events and traits."""
    elapsed = st.builds(Elapsed, st.sampled_from(("since", "until")), times(zone))
    computed = st.one_of(exact_numbers(zone), path_aggregates(zone, "avg"), calculations(zone))
    return weighted(
        (5, st.builds(Compare, operators, exact_numbers(zone), st.integers(0, 3).map(_literal_number))),
        (2, either_way(operators, computed, numbers)),
        (2, st.builds(Compare, operators, computed, any_numbers(zone))),
        (2, st.builds(Compare, operators, times(zone), times(zone))),
        (4, either_way(operators, elapsed, durations)),
        (4, raw_leaves(raws(zone), zone)),
        (1, one_of_numbers(computed)),
        (1, st.builds(Presence, st.one_of(computed, times(zone).map(_unread)), st.booleans())),
    )


def one_of_numbers(operand: st.SearchStrategy[Operand]) -> st.SearchStrategy[Condition]:
    return st.builds(
        lambda part, values, negated: In(part, tuple(values), negated),
        operand,
        st.lists(numbers, min_size=1, max_size=3),
        st.booleans(),
    )


def _unread(operand: Operand) -> Operand:
    """Presence looks at the value as it was sent, whatever its type."""
    if isinstance(operand, Trait):
        return replace(operand, read=Kind.UNKNOWN)
    if isinstance(operand, Aggregate) and operand.name in ("latest", "earliest"):
        return replace(operand, read=Kind.UNKNOWN)
    return operand


SCORE = Trait(("churn",), "score", Kind.NUMBER)
CLUSTER = Trait(("habits",), "cluster", Kind.TEXT)


@shared
def predicted(zone: ZoneInfo) -> st.SearchStrategy[Condition]:
    """Leaves about what models say."""
    score, cluster = st.just(SCORE), st.just(CLUSTER)
    either = st.sampled_from((SCORE, CLUSTER))
    return st.one_of(
        either_way(operators, score, numbers),
        either_way(st.sampled_from(("==", "!=")), cluster, texts),
        st.builds(Compare, operators, score, raws(zone)(Kind.NUMBER)),
        st.builds(Compare, operators, arithmetic(st.one_of(score, exact_numbers(zone))), numbers),
        st.builds(Match, st.sampled_from(("starts with", "contains")), cluster, texts),
        st.builds(
            lambda operand, values, negated: In(operand, tuple(values), negated),
            either, st.lists(literals, min_size=1, max_size=3), st.booleans(),
        ),
        st.builds(Presence, either, st.booleans()),
    )  # fmt: skip


@shared
def conditions(
    zone: ZoneInfo,
    segments: tuple[str, ...] = (),
    lists: tuple[str, ...] = LISTS,
    leaves_max: int = 5,
    models: bool = False,
) -> st.SearchStrategy[Condition]:
    """Whole conditions; ``segments`` are the names they may refer to, ``models`` whether to ask those too."""
    words: list[tuple[int, st.SearchStrategy[Condition]]] = [
        (8, leaves(zone)),
        (1, st.sampled_from(lists).map(ListRef)),
        (1, st.booleans().map(Truth)),
    ]
    if models:
        words.append((3, predicted(zone)))
    if segments:
        words.append((2, st.sampled_from(segments).map(SegmentRef)))
    return combined(weighted(*words), leaves_max)

"""Which events matter to a program, and what is read of them: one code for each kind of event.

An event's slots are, in this order: a word of 63 answers for each 63 ``where`` conditions, then
one integer for each value that some stream reads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from segue.domain.event import TYPES
from segue.engine.kernel.layout import CODE, LINK, Records
from segue.engine.program.readings import Reader, Reading
from segue.engine.program.registry import ANY, Registry, Stream
from segue.language.interpret import event_predicate
from segue.language.interpret.where import EventPredicate
from segue.language.tree import Condition, Property
from segue.language.walk import walk

T = TypeVar("T")
WORD_TESTS = 63


@dataclass(frozen=True, slots=True)
class Slot:
    """One value read of an event."""

    path: tuple[str, ...]
    reading: Reading


@dataclass(frozen=True)
class Code:
    """What is done with one kind of event."""

    number: int
    type: str
    name: str | None  # None: every name that has no code of its own
    tests: tuple[Condition, ...]
    slots: tuple[Slot, ...]
    predicates: tuple[EventPredicate, ...]
    readers: tuple[tuple[tuple[str, ...], Reader], ...]
    links: tuple[tuple[int, int, int], ...]  # (stream, test, slot)

    @cached_property
    def test_words(self) -> int:
        """Slots taken by answers."""
        return -(-len(self.tests) // WORD_TESTS)

    @cached_property
    def needs_context(self) -> bool:
        """Whether a test looks into the context."""
        return any(_reads_context(test) for test in self.tests)

    @cached_property
    def width(self) -> int:
        """Slots of an event of this kind."""
        return self.test_words + len(self.slots)


@dataclass(frozen=True)
class Codes:
    """All codes; ``by_name`` finds the code of (type, name)."""

    all: tuple[Code, ...]
    by_name: Mapping[tuple[str, str | None], Code]

    @classmethod
    def of(cls, registry: Registry, zone: ZoneInfo) -> Codes:
        """The codes that a registry's streams need; types without any stream have one too."""
        named = {
            (stream.pattern.type, stream.pattern.name)
            for stream in registry.streams
            if stream.pattern.name is not None
        }
        keys: list[tuple[str, str | None]] = [(type_, None) for type_ in TYPES]
        keys += sorted(named, key=str)
        by_name: dict[str | None, list[tuple[Stream, int]]] = {None: []}
        for stream, place in registry.streams.items():
            by_name.setdefault(stream.pattern.name, []).append((stream, place))
        found = tuple(
            _code(number, key, _of(key, by_name), registry, zone) for number, key in enumerate(keys)
        )
        return cls(found, {(code.type, code.name): code for code in found})

    def find(self, type_: str, name: str | None) -> Code:
        """The code of an event."""
        return self.by_name.get((type_, name)) or self.by_name[type_, None]

    def only(self, streams: Collection[int]) -> Codes:
        """The same codes with no more links, and no more read of an event, than some streams want."""
        found = tuple(_cut(code, streams) for code in self.all)
        return Codes(found, {(code.type, code.name): code for code in found})

    def tables(self) -> dict[str, Records]:
        """The kernel's tables of codes and links."""
        codes = np.zeros(len(self.all), CODE)
        ends = np.cumsum([len(code.links) for code in self.all])
        codes["link_end"] = ends
        codes["link_at"][1:] = ends[:-1]
        return {"codes": codes, "links": np.array([x for code in self.all for x in code.links], LINK)}


def _of(
    key: tuple[str, str | None], by_name: Mapping[str | None, list[tuple[Stream, int]]]
) -> list[tuple[Stream, int]]:
    """The streams that an event of a kind belongs to, with their numbers, in order.

    The session stream comes first: what a session holds is settled before it is counted.
    """
    type_, name = key
    named = [] if name is None else by_name.get(name, [])
    streams = [each for each in (*by_name[None], *named) if each[0].pattern.type in ("any", type_)]
    return sorted(streams, key=lambda each: (each[0] != Stream(ANY), each[1]))


def _code(
    number: int,
    key: tuple[str, str | None],
    streams: Sequence[tuple[Stream, int]],
    registry: Registry,
    zone: ZoneInfo,
) -> Code:
    type_, name = key
    tests = _in_order(s.pattern.where for s, _ in streams if s.pattern.where is not None)
    slots = _in_order(_slot(stream, registry) for stream, _ in streams if stream.kind is not None)
    words = -(-len(tests) // WORD_TESTS)
    links = tuple(
        (
            place,
            tests.index(stream.pattern.where) if stream.pattern.where is not None else -1,
            words + slots.index(_slot(stream, registry)) if stream.kind is not None else -1,
        )
        for stream, place in streams
    )
    return Code(
        number,
        type_,
        name,
        tests,
        slots,
        tuple(event_predicate(test, zone) for test in tests),
        tuple((slot.path, slot.reading.reader(zone)) for slot in slots),
        links,
    )


def _cut(code: Code, streams: Collection[int]) -> Code:
    links = [link for link in code.links if link[0] in streams]
    tests = sorted({test for _, test, _ in links if test >= 0})
    slots = sorted({slot for _, _, slot in links if slot >= 0})
    words = -(-len(tests) // WORD_TESTS)
    return replace(
        code,
        tests=tuple(code.tests[test] for test in tests),
        predicates=tuple(code.predicates[test] for test in tests),
        slots=tuple(code.slots[slot - code.test_words] for slot in slots),
        readers=tuple(code.readers[slot - code.test_words] for slot in slots),
        links=tuple(
            (stream, tests.index(test) if test >= 0 else -1, words + slots.index(slot) if slot >= 0 else -1)
            for stream, test, slot in links
        ),
    )


def _slot(stream: Stream, registry: Registry) -> Slot:
    reading = registry.reading(stream)
    assert reading is not None
    return Slot(stream.path, reading)


def _in_order(found: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(found))


def _reads_context(test: Condition) -> bool:
    return any(isinstance(node, Property) and node.root == "context" for node in walk(test))

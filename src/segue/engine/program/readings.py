"""How JSON values become the kernel's integers.

A *reading* says what is wanted of a value: its number, its moment, its identity, or the answers
to a list of yes-or-no questions about it, one bit each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Protocol
from zoneinfo import ZoneInfo

from segue.domain.event import Json
from segue.domain.number import micro_of
from segue.domain.time import parse_instant
from segue.engine.kernel.layout import MISSING
from segue.language.reading import scalar_key, value_predicate
from segue.language.tree import Compare, In, Kind, Match, Presence

Question = Compare | In | Match | Presence
"""A leaf over one raw value and literals."""

QUESTIONS_MAX = 62
"""Bits of one column; the sign and the spelling of MISSING stay free."""


IDENTITIES_KEPT_MAX = 65_536
"""Texts whose hash is remembered: categories and the like come again and again."""


class Reader(Protocol):
    """A raw JSON value (None when absent) to the kernel's integer."""

    def __call__(self, value: Json, /) -> int: ...


def number_reader(value: Json, /) -> int:
    """Millionths, MISSING for what is no number in range."""
    found = micro_of(value)
    return MISSING if found is None else found


def identity_reader(value: Json, /) -> int:
    """63 bits that are equal for equal scalars, MISSING for anything else."""
    key = scalar_key(value)
    return MISSING if key is None else identity_of(key)


@lru_cache(maxsize=IDENTITIES_KEPT_MAX)
def identity_of(key: str) -> int:
    """63 bits of a keyed-by-nothing hash; two of a person's values collide once in 2**62 pairs."""
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def time_reader(zone: ZoneInfo) -> Reader:
    """Milliseconds of an ISO 8601 text, MISSING for anything else."""

    def read(value: Json, /) -> int:
        found = parse_instant(value, zone) if isinstance(value, str) else None
        return MISSING if found is None else found

    return read


def question_reader(questions: tuple[Question, ...], zone: ZoneInfo) -> Reader:
    """The answers as bits, first question lowest."""
    asked = [(1 << place, value_predicate(question)) for place, question in enumerate(questions)]

    def read(value: Json, /) -> int:
        return sum(bit for bit, holds in asked if holds(value, zone))

    return read


@dataclass(frozen=True, slots=True)
class Reading:
    """What is wanted of a raw value: a kind, or questions."""

    kind: Kind = Kind.UNKNOWN
    questions: tuple[Question, ...] = ()

    def reader(self, zone: ZoneInfo) -> Reader:
        """The function that reads."""
        if self.questions:
            return question_reader(self.questions, zone)
        if self.kind is Kind.NUMBER:
            return number_reader
        if self.kind is Kind.TIME:
            return time_reader(zone)
        assert self.kind is Kind.SCALAR, self.kind
        return identity_reader

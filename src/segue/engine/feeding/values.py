"""One property of many events at once: each distinct value is read once, by what reads it everywhere else.

So the fast reading of history is the plain one by construction; only numbers, of which most differ, are
read by the array, and a law holds that reading to :func:`segue.domain.number.micro_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from segue.domain.event import Json
from segue.domain.number import NUMBER_MAX
from segue.engine.kernel.layout import MISSING, Doubles, Ints

SPELLINGS_KEPT_MAX = 1_000_000
"""Texts of one property that are remembered from batch to batch."""

Places = npt.NDArray[np.int32]
_NO_ANSWERS = np.zeros(0, np.int64)


class Book:
    """Distinct values as they turn up, None first, and what readers said of each."""

    def __init__(self, values: Iterable[Json] = ()) -> None:
        self.values: list[Json] = [None, *values]
        self._answers: dict[Hashable, Ints] = {}

    def answers(self, asked: Hashable, read: Callable[[Json], int]) -> Ints:
        """What a reader says of each value; by ``asked`` it is known again."""
        known = self._answers.get(asked, _NO_ANSWERS)
        if len(known) < len(self.values):
            more = [read(value) for value in self.values[len(known) :]]
            known = self._answers[asked] = np.concatenate((known, np.array(more, np.int64)))
        return known


@dataclass(frozen=True)
class Distinct:
    """``book.values[places[i]]`` is the value of event i; None where there is none."""

    places: Places
    book: Book

    @property
    def distinct(self) -> Distinct:
        """Itself."""
        return self


@dataclass(frozen=True)
class Numbers:
    """A number for each event; NaN where there is none."""

    doubles: Doubles

    @cached_property
    def distinct(self) -> Distinct:
        """The same, each value once."""
        some = ~np.isnan(self.doubles)
        found, inverse = np.unique(self.doubles[some], return_inverse=True)
        places = np.zeros(len(self.doubles), np.int32)
        places[some] = inverse + 1
        return Distinct(places, Book(found.tolist()))


Values = Distinct | Numbers


def absent(count: int) -> Distinct:
    """Of a property that no event has."""
    return Distinct(np.zeros(count, np.int32), Book())


def numbers(column: npt.NDArray[np.generic]) -> Numbers:
    """Of a column of numbers; masked is missing."""
    doubles = np.ma.getdata(column).astype(np.float64)
    if isinstance(column, np.ma.MaskedArray):
        doubles[np.ma.getmaskarray(column)] = np.nan
    doubles[~np.isfinite(doubles)] = np.nan
    return Numbers(doubles)


def truths(column: npt.NDArray[np.generic]) -> Distinct:
    """Of a column of truths; masked is missing."""
    places = np.ma.getdata(column).astype(np.int32) + 1
    if isinstance(column, np.ma.MaskedArray):
        places[np.ma.getmaskarray(column)] = 0
    return Distinct(places, Book((False, True)))


class Spellings:
    """Texts that stand for values, by turns of batches; ``read`` gives the value of a new one."""

    def __init__(self, read: Callable[[Any], Json]) -> None:
        self._read = read
        self._begin()

    def _begin(self) -> None:
        self.book = Book()
        self._places: dict[str | bytes, int] = {}

    def begin(self) -> None:
        """Another batch: what is known is known still, unless it is too much."""
        if len(self._places) > SPELLINGS_KEPT_MAX:
            self._begin()

    def places(self, texts: Iterable[str | bytes]) -> Places:
        """The place of the value of each text."""
        known, values = self._places, self.book.values
        found = []
        for text in texts:
            place = known.get(text)
            if place is None:
                place = known[text] = len(values)
                values.append(self._read(text))
            found.append(place)
        return np.array(found, np.int32)


def spelled(keys: Sequence[str], texts: Iterable[str]) -> dict[str, list[bytes]]:
    """How the values of some top-level keys are spelled in each JSON object; empty where one is absent."""
    objects = [_decode(text) for text in texts]
    return {key: [bytes(each.get(key, _ABSENT)) for each in objects] for key in keys}


def value_of(spelling: bytes) -> Json:
    """A value by its spelling, which is empty when it is absent."""
    return msgspec.json.decode(spelling) if spelling else None


_ABSENT = msgspec.Raw(b"")
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def micro(doubles: Doubles) -> Ints:
    """Millionths, rounded half to even; MISSING for NaN and beyond the range."""
    found = np.full(len(doubles), MISSING, np.int64)
    fit = np.abs(doubles) <= NUMBER_MAX
    found[fit] = np.rint(doubles[fit] * 1e6).astype(np.int64)
    return found


def answers_side_by_side(
    columns: Sequence[Distinct], holds: Callable[..., bool], at: Ints
) -> npt.NDArray[np.bool_]:
    """Whether something holds of the values that the events at some places have in some columns."""
    places = np.zeros(len(at), np.int64)
    combined: list[tuple[Json, ...]] = [()]
    for column in columns:
        values = column.book.values
        pairs, places = np.unique(places * len(values) + column.places[at], return_inverse=True)
        firsts, seconds = np.divmod(pairs, len(values))
        combined = [
            (*combined[first], values[second])
            for first, second in zip(firsts.tolist(), seconds.tolist(), strict=True)
        ]
    return np.array([holds(*values) for values in combined], np.bool_)[places]

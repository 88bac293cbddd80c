"""Columns as compiled code leaves them, read like lists: an item becomes an object when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, Self, TypeVar, overload

import numpy as np
import numpy.typing as npt

from segue.log.lane.cuts import Places, put_together

T = TypeVar("T")


class Column(Sequence[T], Generic[T]):
    """Items side by side; equal to every sequence of the same items."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def _items(self, chosen: slice) -> list[T]:
        raise NotImplementedError

    def _part(self, chosen: slice) -> Self:
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> T | Self:
        if isinstance(index, slice):
            return self._part(index)
        found: list[T] = self._items(slice(index, index + 1 or None))
        return found[0]

    def __iter__(self) -> Iterator[T]:
        return iter(self._items(slice(None)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


class Ints(Column[int]):
    """Whole numbers."""

    __slots__ = ("array",)

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def _items(self, chosen: slice) -> list[int]:
        found: list[int] = self.array[chosen].tolist()
        return found

    def _part(self, chosen: slice) -> Self:
        return type(self)(self.array[chosen])


class Picked(Column[T]):
    """Items of which there are few: ``words[code]`` for each code."""

    __slots__ = ("codes", "words")

    def __init__(self, codes: npt.NDArray[Any], words: Sequence[T]) -> None:
        self.codes = codes
        self.words = words

    def __len__(self) -> int:
        return len(self.codes)

    def _items(self, chosen: slice) -> list[T]:
        return list(map(self.words.__getitem__, self.codes[chosen].tolist()))

    def _part(self, chosen: slice) -> Self:
        return type(self)(self.codes[chosen], self.words)


class Slices(Column[T]):
    """Pieces of one padded text, each made by ``made``: bytes or text."""

    __slots__ = ("made", "starts", "stops", "text")

    def __init__(self, text: bytes, starts: Places, stops: Places, made: Callable[[bytes], T]) -> None:
        self.text = text
        self.starts = starts
        self.stops = stops
        self.made = made

    def __len__(self) -> int:
        return len(self.starts)

    def _items(self, chosen: slice) -> list[T]:
        text, made = self.text, self.made
        bounds = zip(self.starts[chosen].tolist(), self.stops[chosen].tolist(), strict=True)
        return [made(text[start:stop]) for start, stop in bounds]

    def _part(self, chosen: slice) -> Self:
        return type(self)(self.text, self.starts[chosen], self.stops[chosen], self.made)


def picked(column: Sequence[T | None]) -> Picked[T | None]:
    """Items as codes of the distinct ones; None is the first of these."""
    if isinstance(column, Picked):
        return column
    place = {word: code for code, word in enumerate(dict.fromkeys([None, *column]))}
    return Picked(np.fromiter(map(place.__getitem__, column), np.int32, len(column)), list(place))


def ints(column: Iterable[int], kind: Any) -> npt.NDArray[Any]:
    """Whole numbers as an array."""
    if isinstance(column, Ints):
        return column.array.astype(kind, copy=False)
    return np.fromiter(column, kind)


def codes(column: Sequence[T], words: Sequence[T], kind: Any) -> npt.NDArray[Any]:
    """The place of each item among some words, as an array."""
    if isinstance(column, Picked) and column.words is words:
        return column.codes.astype(kind, copy=False)
    place = {word: at for at, word in enumerate(words)}
    return np.fromiter(map(place.__getitem__, column), kind, len(column))


def pieces(column: Sequence[bytes] | Sequence[str]) -> tuple[bytes, Places, Places]:
    """Texts as places in a padded one: (that, where each begins, where it ends)."""
    if isinstance(column, Slices):
        return column.text, column.starts, column.stops
    return put_together([each if isinstance(each, bytes) else each.encode() for each in column])

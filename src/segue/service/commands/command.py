"""What a command is: a function from a service and its arguments to JSON objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.domain.event import Json

if TYPE_CHECKING:
    from segue.service.service import Service

Progress = Callable[[int, int], None]
"""Told now and then how much is done and how much there is, in the same unit."""
Run = Callable[["Service", Mapping[str, Json], Progress], Iterator[Json]]
"""Yields the rows of a listing, or the one object that a command answers with."""


@dataclass(frozen=True, slots=True)
class Command:
    """One entry of the list. ``beside_serve`` says whether a running server runs it for others."""

    run: Run
    beside_serve: bool = True


def silent(done: int, total: int) -> None:
    """Progress that nobody watches."""

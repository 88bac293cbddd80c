"""``segue segments``: what is defined, and how many are in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run(service: Service, _arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """One row a segment, by name."""
    for view in sorted(service.segments(), key=lambda view: view.name):
        yield view.to_json()

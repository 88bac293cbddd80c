"""``segue verify``: every membership recomputed from the log by the slow reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run(service: Service, _arguments: Mapping[str, Json], progress: Progress) -> Iterator[Json]:
    """One object: how many segments were looked at, and each difference."""
    differences = [each.to_json() for each in service.verify(progress)]
    segments = len(service.workspace.segments)
    yield {"segments": segments, "count": len(differences), "differences": differences}

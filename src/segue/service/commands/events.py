"""``segue events``: what was seen against what is planned, and a plan made of what was seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run_list(service: Service, _arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """One row for each name of a track event that was seen or is planned."""
    from segue.service.events.seen import listed

    yield from (each.to_json() for each in listed(service.log, service.workspace))


def run_infer(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``write`` (true: into the workspace): the plans, as YAML, and where they were written."""
    from segue.service.events.inferring import inferred, write

    found = inferred(service.log, service.workspace)
    file = write(service.folder, found) if found.plans and arguments.get("write") is True else None
    yield {
        "events": [plan.to_json() for plan in found.plans],
        "yaml": found.text,
        "file": None if file is None else str(file),
    }

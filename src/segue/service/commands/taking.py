"""``segue import``: the events of one file, durable and evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.ingest.files.mapping import read_mapping
from segue.service.commands.arguments import text, text_or_none
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service

DEFAULT_SOURCE = "default"
"""That of events posted without a key too: an event that came both ways is the same event."""


def run(service: Service, arguments: Mapping[str, Json], progress: Progress) -> Iterator[Json]:
    """``file``, ``source``, ``map``: what became of the rows, and of which models nobody was scored anew."""
    path = Path(text(arguments, "file"))
    said = text_or_none(arguments, "map")
    mapping = None if said is None else read_mapping(said)
    source = text_or_none(arguments, "source") or DEFAULT_SOURCE
    tally = service.import_file(path, mapping, source, progress)
    yield {"file": str(path), **tally.to_json(), **_scored(service)}


def _scored(service: Service) -> dict[str, Json]:
    """Score everybody anew; of models that could not, why."""
    if not service.workspace.models:
        return {}
    from segue.service.learning.rescoring import rescore

    refused = rescore(service).refused
    return {"not_scored": dict(sorted(refused.items()))} if refused else {}

"""``segue adopt``: a group that a model found becomes a segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.arguments import text, text_or_none
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``model``, ``cluster``, ``segment``: the segment that was written."""
    from segue.service.learning.adopting import adopt

    name, cluster = text(arguments, "model"), text(arguments, "cluster")
    yield adopt(service, name, cluster, text_or_none(arguments, "segment")).to_json()

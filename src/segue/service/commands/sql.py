"""``segue sql``: a segment as one SELECT for DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.arguments import text
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``name``: the segment and its SELECT."""
    name = text(arguments, "name")
    yield {"segment": name, "sql": service.sql(name)}

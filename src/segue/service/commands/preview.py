"""``segue preview``: whom a condition would select, before it is a segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.arguments import moment_or_none, text
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``when`` (the condition), ``as_of``: one preview."""
    as_of = moment_or_none(service, arguments, "as_of")
    yield service.preview(text(arguments, "when"), as_of).to_json()

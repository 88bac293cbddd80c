"""``segue scores import``: scores that were computed elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.arguments import moment_or_none, text, text_or_none
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run_summary(service: Service, _arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """A row for each upload model: its version in force, if any, and for how many users it has a value."""
    from segue.service.learning.uploading import held

    yield from held(service)


def run_import(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``model``, ``file``, ``as_of``, ``by``, ``why``: what became of the scores."""
    from segue.service.learning.handed import of_file
    from segue.service.learning.uploading import Terms, uploaded, uploading

    name = text(arguments, "model")
    spec = uploading(service, name)
    moment = moment_or_none(service, arguments, "as_of")
    terms = Terms(moment, text_or_none(arguments, "by"), text_or_none(arguments, "why"))
    yield uploaded(service, name, of_file(spec.gives, Path(text(arguments, "file"))), terms).to_json()

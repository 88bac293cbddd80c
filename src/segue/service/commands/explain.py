"""``segue explain``: why a user is in a segment, or what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.arguments import in_words, moment_or_none, text
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``user``, ``segment``, ``as_of``: one explanation."""
    as_of = moment_or_none(service, arguments, "as_of")
    found = service.explain(text(arguments, "user"), text(arguments, "segment"), as_of)
    yield {"text": found.render()} if in_words(arguments) else found.to_json()

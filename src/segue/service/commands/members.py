"""``segue members``: who is in a segment, now or as of a moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.arguments import moment_or_none, text, whole_or_none
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``name``, ``as_of``, ``limit``: one row a member, by user id."""
    members = service.members(text(arguments, "name"), moment_or_none(service, arguments, "as_of"))
    for member in islice(members, whole_or_none(arguments, "limit")):
        yield member.to_json()

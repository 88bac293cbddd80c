"""``segue changes``: who entered and left, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.arguments import text_or_none, whole_or_none
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``name`` (None is every segment), ``after`` (a change's seq), ``limit``: one row a change.

    E701 when there is no such segment, nor ever a change of one.
    """
    segment = text_or_none(arguments, "name")
    if segment is not None and next(service.changes(0, segment, 1), None) is None:
        service.segment(segment)
    after = whole_or_none(arguments, "after") or 0
    for change in service.changes(after, segment, whole_or_none(arguments, "limit")):
        yield change.to_json()

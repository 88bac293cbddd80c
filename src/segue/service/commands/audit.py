"""``segue audit``: who did what, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.event import Json
from segue.service.commands.arguments import text_or_none, whole_or_none, word
from segue.service.commands.command import Progress

if TYPE_CHECKING:
    from segue.service.service import Service


def run(service: Service, arguments: Mapping[str, Json], _progress: Progress) -> Iterator[Json]:
    """``what`` (only entries of this kind), ``limit`` (only the last so many): one row for each."""
    from segue.learned.registry import Registry
    from segue.service.audit import KINDS, audit

    what = word(arguments, "what", *KINDS) if text_or_none(arguments, "what") is not None else None
    limit = whole_or_none(arguments, "limit")
    done = audit(service.log, service.access, Registry(service.data))
    found = [entry for entry in done if what in (None, entry.what)]
    skipped = 0 if limit is None else max(0, len(found) - limit)
    yield from (entry.to_json() for entry in found[skipped:])

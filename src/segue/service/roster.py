"""A page of a segment's members: found without putting all of them in order first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest

from segue.service.service import Service
from segue.service.views import Member


@dataclass(frozen=True, slots=True)
class Roster:
    """``members`` in order of user id, of ``total``; ``more`` says that others follow."""

    members: Sequence[Member]
    total: int
    more: bool


def roster(service: Service, name: str, as_of: int | None, after: str | None, limit: int) -> Roster:
    """Who is in a segment now, or as of a moment (ms), after a user id; E701 when there is no such segment.

    Whoever comes and goes between two pages moves nobody from one page to the other.
    """
    engine = service.engine_as_of(name, as_of)
    with service.core.turn:
        rows, since = engine.members(name)
    ids = service.core.intake.identity.ids
    named = zip((ids[row] for row in rows.tolist()), since.tolist(), strict=True)
    following = named if after is None else ((user, at) for user, at in named if user > after)
    found = nsmallest(limit + 1, following)
    members = [Member(user, at) for user, at in found[:limit]]
    return Roster(members, len(rows), len(found) > limit)

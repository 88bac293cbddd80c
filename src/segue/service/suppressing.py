"""Suppression: nothing more of a user is stored, and no segment sees them, until it is taken back.

It holds from the moment the record is on disk, for posts that wait to be written too.
"""

from __future__ import annotations

from segue.ingest.identity import leaving
from segue.segments.override import check_user
from segue.service.core import Core


def suppress(core: Core, user_id: str) -> bool:
    """Store nothing more of someone, under any of their ids; whether that is new. E461 when it is no id."""
    check_user(user_id)
    core.drain()
    with core.gate:
        identity = core.intake.identity
        if identity.suppresses(user_id):
            return False
        row = identity.row_of(user_id)
        names = [user_id] if row is None else [user_id, *identity.names_of(row)]
        left = {leaving(name) for name in names} | _left_by_forgetting(core, leaving(user_id))
        done = core.record("suppress", {"left": sorted(left), "on": True, "rows": _rows(row)})
        identity.suppress(left)
    done.result()
    return True


def admit(core: Core, user_id: str) -> bool:
    """Take a suppression back, for all ids that it was for; whether there was one."""
    core.drain()
    with core.gate:
        identity = core.intake.identity
        if not identity.suppresses(user_id):
            return False
        left = leaving(user_id)
        done = core.record("suppress", {"left": [left], "on": False, "rows": _admitted(core, left)})
        identity.admit(left)
    done.result()
    return True


def _rows(row: int | None) -> list[int]:
    return [] if row is None else [row]


def _admitted(core: Core, left: str) -> list[int]:
    """Whom the suppressions hide that this id is one of, and no other one."""
    standing: list[tuple[set[str], set[int]]] = []
    for record in core.log.records("suppress"):
        named = set(record.body["left"])
        if record.body["on"]:
            standing.append((named, set(record.body["rows"])))
        else:
            standing = [each for each in standing if not each[0] & named]
    seen = set[int]().union(*(rows for named, rows in standing if left in named))
    return sorted(seen.difference(*(rows for named, rows in standing if left not in named)))


def _left_by_forgetting(core: Core, left: str) -> set[str]:
    """What the other ids left of someone who was forgotten."""
    found: set[str] = set()
    for record in core.log.records("forget"):
        if left in record.body["left"]:
            found.update(record.body["left"])
    return found

"""Forgetting: all that is held of someone is erased from every file, and what is left tells nobody who.

The record of it comes first and makes late events refused; then the log is written anew without them. A
crash in between is made good at the next open: the record is there, and it says which rows.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from segue.domain.event import Json
from segue.ingest.identity import leaving
from segue.log import lines, outbox_file
from segue.log.forget import Also
from segue.segments.edit_lists import take_off
from segue.service.accounts_left import accounts_of, left_to
from segue.service.core import Core
from segue.service.quality.numbers import steadily
from segue.service.unfinished import addresses_of


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Whether there was anything; ``lists`` are files of the workspace that named them and do no more.

    ``still_listed`` name them still: they are written in a way that cannot be edited by machine.
    """

    found: bool
    lists: tuple[str, ...] = ()
    still_listed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """As it is written everywhere."""
        return {"forgotten": self.found, "lists": [*self.lists], "still_listed": [*self.still_listed]}


def forget(core: Core, folder: Path, user_id: str) -> Forgotten:
    """Erase all that is held of someone under any of their ids, from the workspace's lists too."""
    core.drain()
    # Until the record is written nobody may join the profile: what joined would be erased by half.
    with core.gate:
        identity = core.intake.identity
        row = identity.row_of(user_id)
        rows = set() if row is None else identity.rows_of(row)
        shown = {identity.user_id(each) for each in rows}
        names = frozenset((user_id, *(() if row is None else _own_names(core, row))))
        also = Also(names, steadily(lambda: addresses_of(core.log, rows)))
        recorded = None if row is None else _recorded(core, row, rows)
    listed, still = take_off(folder, names)
    if recorded is None:
        return Forgotten(_forget_mentions(core, also) or bool(listed), tuple(listed), tuple(still))
    seq, done = recorded
    done.result()
    with core.turn:
        core.engine.lose(names)
        for listener in core.forget_listeners:
            listener(rows)
    core.forget_snapshots()
    outbox_file.erase(core.log.folder, rows, names)
    lines.erase(core.log.folder, shown)
    core.log.forget(rows, seq, also)
    kept = core.log.identity().user_ids
    for each in rows:
        identity.ids[each] = kept[each]
    return Forgotten(True, tuple(listed), tuple(still))


def _own_names(core: Core, row: int) -> list[str]:
    """The ids that lead to a profile and to no other: a visitor's may have become part of someone else."""
    identity = core.intake.identity
    theirs = (None, identity.survivor(row))
    return [name for name in identity.names_of(row) if identity.row_of(name) in theirs]


def _recorded(core: Core, row: int, rows: set[int]) -> tuple[int, Future[None]]:
    """The seq of the record, and when it has taken effect. Hold the gate."""
    identity, seq, at = core.intake.identity, core.log.next_seq, core.stamp()
    accounts = steadily(lambda: accounts_of(core.log, rows))
    core.engine.left_to_accounts[seq] = steadily(lambda: left_to(core.log, accounts, rows, at))
    forgetting = identity.forgetting(row, seq, at)
    body = {"rows": sorted(rows), "left": forgetting.left, "unseen": forgetting.unseen}
    done = core.record("forget", body)
    identity.forget(row, seq, at)
    return seq, done


def _forget_mentions(core: Core, also: Also) -> bool:
    """Erase what is held of ids that no profile has; whether there was any. The record comes last here:
    it cannot say what is left to do, and a crash before it leaves a request to be made again.
    """
    if not core.log.mentioned(also):
        return False
    with core.turn:
        core.engine.lose(also.names)
    core.forget_snapshots()
    core.log.forget(set(), core.log.next_seq - 1, also)
    with core.gate:
        left, at = sorted(map(leaving, also.names)), core.stamp()
        core.intake.identity.refuse_before(left, at)
        done = core.record("forget", {"rows": [], "left": left, "unseen": []})
    done.result()
    return True

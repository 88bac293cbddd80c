"""Histories taken in by the real door and kept in a real log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from segue.domain.event import Event
from segue.ingest.decode import decode_events
from segue.ingest.dedupe import Seen
from segue.ingest.identity import Identity
from segue.ingest.intake import Intake
from segue.language.interpret import Flip
from segue.log.changes import ChangePage
from segue.log.sqlite import SqliteLog


def keep(log: SqliteLog, bodies: Sequence[dict[str, Any]], closed: int = 0) -> None:
    """Append events as an import does; the first ``closed`` of them end up in a history file."""
    door = Intake(Identity(), Seen())
    for part in (bodies[:closed], bodies[closed:]):
        log.close_stretch(1)
        decoded = decode_events([json.dumps(body).encode() for body in part])
        taken = door.accept(decoded, "test", log.next_seq)
        assert not taken.rejected
        if len(taken.batch):
            log.append([taken.batch])
        door.settle()


def page_of(flips: Sequence[Flip], user_ids: Sequence[str], first_seq: int = 1) -> ChangePage:
    """Flips as the change log tells them."""
    return ChangePage(
        seqs=list(range(first_seq, first_seq + len(flips))),
        rows=[flip.row for flip in flips],
        user_ids=[user_ids[flip.row] for flip in flips],
        segments=[flip.segment for flip in flips],
        entered=[flip.entered for flip in flips],
        at=[flip.at for flip in flips],
        causes=[flip.cause for flip in flips],
        message_ids=[flip.message_id for flip in flips],
    )


def told(event: Event) -> tuple[Any, ...]:
    """An event without its place in the log."""
    return (event.row, event.type, event.name, event.timestamp, event.received_at, event.message_id)

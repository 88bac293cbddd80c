"""The intake as a log left it."""

from __future__ import annotations

from collections.abc import Iterable

from segue.ingest.dedupe import Seen
from segue.ingest.identity import Forgetting, Identity
from segue.ingest.intake import Intake
from segue.log.history import connect
from segue.log.sqlite import SqliteLog


def open_intake(log: SqliteLog, since: int | None, forgettings: Iterable[Forgetting] = ()) -> Intake:
    """Everyone, and what was received at ``since`` (ms) or later; None is ever, as an import needs it."""
    with connect() as connection:
        seen = Seen.of_log(*log.message_hashes(connection, since))
    return Intake(Identity.restored(log.identity(), forgettings), seen)

"""The intake as a log left it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from segue.ingest.dedupe import Seen
from segue.ingest.identity import Forgetting, Identity
from segue.ingest.intake import Intake
from segue.log.history import connect
from segue.log.sqlite import SqliteLog


def open_intake(log: SqliteLog, since: int | None, forgettings: Iterable[Forgetting] = ()) -> Intake:
    """Everyone, and what was received at ``since`` (ms) or later; None is ever, as an import needs it."""
    with ThreadPoolExecutor(1) as beside:
        seen = beside.submit(_seen, log, since)
        identity = Identity.restored(log.identity(), forgettings)
        return Intake(identity, seen.result())


def _seen(log: SqliteLog, since: int | None) -> Seen:
    """Beside the identities: nearly all of it runs outside of Python, and on as many cores as there are."""
    with connect() as connection:
        connection.execute("RESET threads")
        return Seen.of_log(*log.message_hashes(connection, since))

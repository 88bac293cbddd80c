"""Who is suppressed, as the log's records say it. They hold what an id leaves, never the id."""

from __future__ import annotations

from segue.ingest.identity import Identity
from segue.log.sqlite import SqliteLog


def restore_suppressions(log: SqliteLog, identity: Identity) -> None:
    """Suppress whoever the records suppress, in their order."""
    for record in log.records("suppress"):
        if record.body["on"]:
            identity.suppress(record.body["left"])
        else:
            for left in record.body["left"]:
                identity.admit(left)

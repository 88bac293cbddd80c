"""The intake as a log left it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait

from segue.ingest import remembered
from segue.ingest.dedupe import Seen
from segue.ingest.identity import Forgetting, Identity
from segue.ingest.intake import Intake
from segue.log.history import connect
from segue.log.sqlite import SqliteLog

KEPT_AFTER = 20_000
"""Log positions after which the fingerprints are worth another writing."""


class Opening:
    """The intake while it is being made: everyone at once, which events were seen by and by.

    The fingerprints are had beside whatever else is to be done before something is taken in: nearly all
    of that runs outside of Python, and on as many cores as there are.
    """

    def __init__(self, log: SqliteLog, since: int | None, forgettings: Iterable[Forgetting] = ()) -> None:
        """Begin; only events received at ``since`` (ms) or later need be known, None is ever."""
        self._log = log
        self._keeps = True
        beside = ThreadPoolExecutor(1)
        self._seen = beside.submit(_seen, log, since)
        beside.shutdown(wait=False)
        try:
            self.intake = Intake(Identity.restored(log.identity(), forgettings), Seen())
        except BaseException:
            self.give_up()
            raise

    def give_up(self) -> None:
        """Nothing will be taken in: come to rest, so that the log can be closed."""
        wait([self._seen])

    def ready(self) -> Intake:
        """Wait until something can be taken in."""
        self.intake.seen, _ = self._seen.result()
        return self.intake

    def keep(self) -> None:
        """Leave the fingerprints for the next start, when many are new; nothing is taken in any more."""
        _, upto = self._seen.result()
        last = self._log.next_seq - 1
        if not self._keeps or last - upto < KEPT_AFTER:
            return
        try:
            remembered.save(self._log.folder, self.intake.seen, last)
        except OSError:
            # An aid only: a disk too full for it keeps its room for the log.
            remembered.erase(self._log.folder)

    def forget(self) -> None:
        """Someone was forgotten, of whom the table in memory knows still: it is not kept any more."""
        self._keeps = False
        remembered.erase(self._log.folder)


def open_intake(log: SqliteLog, since: int | None, forgettings: Iterable[Forgetting] = ()) -> Intake:
    """Everyone, and what was received at ``since`` (ms) or later; None is ever, as an import needs it."""
    return Opening(log, since, forgettings).ready()


def _seen(log: SqliteLog, since: int | None) -> tuple[Seen, int]:
    """The table, and the log position up to which it lay on disk."""
    seen, upto = remembered.load(log.folder, since or 0, log.next_seq - 1)
    with connect() as connection:
        connection.execute("RESET threads")
        seen.learn(*log.message_hashes(connection, since, upto))
    return seen, upto

"""What a crash left unevaluated, evaluated before anybody is erased.

The forgotten leave their segments, and others the ones they were in by what those said of an account. That
can be told as long as the log still holds it all: once they are erased nobody knows that they were ever in.
"""

from __future__ import annotations

from segue.ingest.identity import leaving
from segue.log.batch import Entry, Record
from segue.log.sqlite import SqliteLog
from segue.service.accounts_left import accounts_of, left_to
from segue.service.core import Core


def catch_up(log: SqliteLog, clock: str) -> None:
    """Evaluate what is durable, if it forgets anyone and that is not evaluated yet."""
    waiting = log.records("forget", log.progress().log_seq)
    if any(record.body["rows"] for record in waiting):
        _CatchingUp(log, clock).restore(lambda _done, _total: None)


class _CatchingUp(Core):
    """Evaluates forgettings as they were when they were asked for; it takes nothing in."""

    def evaluate(self, entry: Entry) -> None:
        if not isinstance(entry, Record) or entry.kind != "forget":
            super().evaluate(entry)
            return
        forgotten = [each for each in self.log.records("forget") if each.seq <= entry.seq]
        rows = {row for record in forgotten for row in record.body["rows"]}
        if rows:
            accounts = accounts_of(self.log, rows)
            left = left_to(self.log, accounts, rows, entry.at, entry.seq)
            self.engine.left_to_accounts[entry.seq] = left
        super().evaluate(entry)
        known = {*self.engine.feed.awaited, *(user for users in self.engine.lists.values() for user in users)}
        self.engine.lose({name for name in known if leaving(name) in entry.body["left"]})

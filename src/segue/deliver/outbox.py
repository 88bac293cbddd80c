"""The outbox: every message that triggers have decided on, where it goes, and what became of it.

    waiting ──► pending ──► sent
       │           │   └──► dead ──► pending (replayed)
       └───────────┴──► passed

The dispatcher puts deliveries in, together with the number of the last firing it has worked off, in one
transaction: a crash leaves both or neither, so that no firing is lost and none goes out under two ids. One
queue for each destination takes what is pending and says what became of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from segue.log import outbox_file
from segue.segments.triggers.definition import STREAM

_COLUMNS = (
    'number, id, trigger, destination, channel, "row", user_id, at, moment, state, reason, body, due,'
    " attempts, since, changed"
)


class State(Enum):
    """Where a delivery stands."""

    WAITING = "waiting"
    """Until ``due``: then the policy of its trigger is asked again, and its body is written."""
    PENDING = "pending"
    SENT = "sent"
    PASSED = "passed"
    """The policy of its trigger kept it back; ``reason`` says why."""
    DEAD = "dead"
    """Its destination refused it for good, or took it within no attempt; ``reason`` says how."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One firing for one destination. Times are in ms.

    ``id`` is the same on every retry, and of no other message to this destination: receivers tell repeats by
    it. It is that of the firing; see :func:`message_id`. ``number`` is the order in which a destination gets
    them. ``at`` is when the trigger fired, ``moment`` when it was to have its effect, after a delay or quiet
    hours. ``due`` is the wall clock's time of the next attempt, ``since`` when it became pending first,
    ``changed`` of the last that was noted.
    """

    id: str
    trigger: str
    destination: str
    row: int
    user_id: str
    at: int
    moment: int
    state: State
    channel: str = ""
    reason: str = ""
    body: bytes = b""
    due: int = 0
    attempts: int = 0
    since: int = 0
    changed: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt: SENT, DEAD, or PENDING again from ``due`` (wall ms) on."""

    number: int
    state: State
    reason: str = ""
    due: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries somebody asks for; what is None does not matter."""

    destination: str | None = None
    trigger: str | None = None
    user_id: str | None = None
    state: State | None = None
    id: str | None = None


_ANY = Wanted()


def message_id(firing: str, trigger: str) -> str:
    """The id of a message that shares its destination with another trigger's about the same change."""
    return f"{firing}.{trigger}"


def firing_id(message: str) -> str:
    """The id of the firing that a message is about."""
    return message.partition(".")[0]


def wall_ms() -> int:
    """The wall clock, in ms."""
    return time.time_ns() // 1_000_000


class Outbox:
    """The outbox of a data folder. Every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        """Open the file, or make it; E602, E603 or E604."""
        self._store = outbox_file.opened(folder)
        self.listeners: list[Callable[[frozenset[str]], None]] = []
        """Told which destinations have something pending, once it is stored; they must not wait or raise."""

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    # ---- the dispatcher's side ---------------------------------------------------------------

    def cursor(self) -> int:
        """The number of the last firing that was worked off; 0 before the first."""
        with self._store.reading() as connection:
            found: int = connection.execute("SELECT firing FROM cursor").fetchone()[0]
            return found

    def put(self, deliveries: Sequence[Delivery], cursor: int | None = None) -> None:
        """Store deliveries and, with them, how far firings were worked off.

        One that is there already (same id, trigger and destination) stays as it is, unless it was waiting:
        then it becomes the new one, with a new number.
        """
        now = wall_ms()
        with self._store.transaction() as connection:
            connection.executemany(
                "DELETE FROM deliveries"
                " WHERE id = ? AND trigger = ? AND destination = ? AND state = 'waiting'",
                ((each.id, each.trigger, each.destination) for each in deliveries),
            )
            connection.executemany(
                f"INSERT INTO deliveries ({_COLUMNS}) VALUES ({', '.join('?' * 16)})"
                " ON CONFLICT (id, trigger, destination) DO NOTHING",
                (_row(each, now) for each in deliveries),
            )
            if cursor is not None:
                connection.execute("UPDATE cursor SET firing = max(firing, ?)", (cursor,))
        self._tell(each.destination for each in deliveries if each.state is State.PENDING)

    def waiting(self, now: int, limit: int) -> list[Delivery]:
        """What has waited long enough by ``now`` (ms, the workspace's clock), first what was due first."""
        query = "WHERE state = 'waiting' AND due <= ? ORDER BY due, number LIMIT ?"
        return self._found(query, (now, limit))

    def next_waiting(self) -> int | None:
        """When the next one that waits is due; None when none waits."""
        with self._store.reading() as connection:
            found: int | None = connection.execute(
                "SELECT min(due) FROM deliveries WHERE state = 'waiting'"
            ).fetchone()[0]
            return found

    def contacts(self, rows: Sequence[int], after: int) -> list[Delivery]:
        """What is or was to be sent of some profiles, with a moment past ``after``, without its body."""
        marks = ", ".join("?" * len(rows))
        columns = _COLUMNS.replace("body", "x''")
        with self._store.reading() as connection:
            found = connection.execute(
                f"SELECT {columns} FROM deliveries"
                f" WHERE \"row\" IN ({marks}) AND state IN ('pending', 'sent', 'dead') AND moment > ?"
                " ORDER BY number",
                (*rows, after),
            )
            return [_delivery(row) for row in found]

    def carriers(self, firing: str, destination: str) -> set[str]:
        """The triggers whose message to a destination has a firing's id as it is, and was not held back."""
        with self._store.reading() as connection:
            found = connection.execute(
                "SELECT trigger FROM deliveries WHERE id = ? AND destination = ? AND state != 'passed'",
                (firing, destination),
            )
            return {trigger for (trigger,) in found}

    # ---- the queues' side --------------------------------------------------------------------

    def pending(self, destination: str, now: int, limit: int) -> list[Delivery]:
        """What may go to a destination at ``now`` (wall ms), in the order in which it is to go.

        A delivery stands back while an earlier one of the same user to the same destination waits for
        another attempt.
        """
        query = """
            WHERE destination = ? AND state = 'pending' AND due <= ? AND NOT EXISTS (
                SELECT 1 FROM deliveries AS earlier WHERE earlier.destination = deliveries.destination
                AND earlier."row" = deliveries."row" AND earlier.state = 'pending'
                AND earlier.number < deliveries.number AND earlier.due > deliveries.due)
            ORDER BY due, number LIMIT ?"""
        return self._found(query, (destination, now, limit))

    def next_due(self, destination: str) -> int | None:
        """The earliest time (wall ms) at which something may go to a destination; None for nothing."""
        with self._store.reading() as connection:
            found: int | None = connection.execute(
                "SELECT min(due) FROM deliveries WHERE destination = ? AND state = 'pending'", (destination,)
            ).fetchone()[0]
            return found

    def note(self, outcomes: Iterable[Outcome]) -> None:
        """Store what became of attempts, all at once; of what is not pending any more, nothing."""
        now = wall_ms()
        with self._store.transaction() as connection:
            connection.executemany(
                "UPDATE deliveries SET state = ?, reason = ?, due = ?, attempts = attempts + 1, changed = ?"
                " WHERE number = ? AND state = 'pending'",
                ((each.state.value, each.reason, each.due, now, each.number) for each in outcomes),
            )

    def hold_back(self, destination: str, held: Mapping[int, int]) -> None:
        """Of these profiles nothing goes to a destination before a time of theirs (wall ms)."""
        if not held:
            return
        with self._store.transaction() as connection:
            connection.executemany(
                "UPDATE deliveries SET due = ?"
                " WHERE destination = ? AND \"row\" = ? AND state = 'pending' AND due < ?",
                ((due, destination, row, due) for row, due in held.items()),
            )

    def expire(self, destination: str, since: int, reason: str) -> int:
        """What has been pending since that moment (wall ms) or longer is dead; how many there were."""
        with self._store.transaction() as connection:
            return connection.execute(
                "UPDATE deliveries SET state = 'dead', reason = ?, changed = ?"
                " WHERE destination = ? AND state = 'pending' AND due <= ? AND since <= ?",
                (reason, wall_ms(), destination, since, since),
            ).rowcount

    def replay(self, wanted: Wanted) -> int:
        """Make the dead ones among some pending anew; how many there were."""
        now = wall_ms()
        where, values = _where(replace(wanted, state=State.DEAD))
        with self._store.transaction() as connection:
            found = connection.execute(f"SELECT DISTINCT destination FROM deliveries {where}", values)
            destinations = [row[0] for row in found]
            count = connection.execute(
                "UPDATE deliveries SET state = 'pending', reason = '', due = ?, since = ?, attempts = 0,"
                f" changed = ? {where}",
                (now, now, now, *values),
            ).rowcount
        self._tell(destinations)
        return count

    # ---- reading -----------------------------------------------------------------------------

    def deliveries(
        self, wanted: Wanted = _ANY, before: int | None = None, limit: int = 1_000
    ) -> list[Delivery]:
        """Deliveries, newest first, with a number below ``before``."""
        where, values = _where(wanted, before)
        return self._found(f"{where} ORDER BY number DESC LIMIT ?", (*values, limit))

    def streamed(self, after: int, limit: int, user_ids: Collection[str] | None = None) -> list[Delivery]:
        """What went to the live stream with a number past ``after``, in order; of some users, or of all."""
        users = "" if user_ids is None else f" AND user_id IN ({', '.join('?' * len(user_ids))})"
        query = f"WHERE number > ? AND destination = ? AND state = 'sent'{users} ORDER BY number LIMIT ?"
        return self._found(query, (after, STREAM, *(user_ids or ()), limit))

    def last(self) -> int:
        """The number of the newest delivery that there ever was; 0 before the first."""
        with self._store.reading() as connection:
            found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'").fetchone()
            return 0 if found is None else int(found[0])

    def counts(self) -> dict[tuple[str, State], int]:
        """How many deliveries stand where, by destination."""
        with self._store.reading() as connection:
            found = connection.execute("SELECT destination, state, count(*) FROM deliveries GROUP BY 1, 2")
            return {(destination, State(state)): count for destination, state, count in found}

    def backlog(self) -> dict[str, tuple[int, int]]:
        """How many deliveries are pending, and how many are dead, by destination."""
        with self._store.reading() as connection:
            found = connection.execute(
                "SELECT destination, sum(state = 'pending'), sum(state = 'dead') FROM ("
                "SELECT destination, state FROM deliveries WHERE state = 'pending' UNION ALL"
                " SELECT destination, state FROM deliveries WHERE state = 'dead') GROUP BY 1"
            )
            return {destination: (pending, dead) for destination, pending, dead in found}

    def by_trigger(self) -> dict[tuple[str, State], int]:
        """How many deliveries stand where, by trigger."""
        with self._store.reading() as connection:
            found = connection.execute("SELECT trigger, state, count(*) FROM deliveries GROUP BY 1, 2")
            return {(trigger, State(state)): count for trigger, state, count in found}

    def prune(self, touched: int, moment: int) -> int:
        """Drop what has ended, was last touched before ``touched`` (wall ms) and is of before ``moment``.

        How many there were.
        """
        with self._store.transaction() as connection:
            return connection.execute(
                "DELETE FROM deliveries WHERE state IN ('sent', 'passed') AND changed < ? AND moment < ?",
                (touched, moment),
            ).rowcount

    # ---- rows --------------------------------------------------------------------------------

    def _found(self, query: str, values: Sequence[object]) -> list[Delivery]:
        with self._store.reading() as connection:
            return [
                _delivery(row)
                for row in connection.execute(f"SELECT {_COLUMNS} FROM deliveries {query}", values)
            ]

    def _tell(self, destinations: Iterable[str]) -> None:
        named = frozenset(destinations)
        if named:
            for listener in self.listeners:
                listener(named)


def _where(wanted: Wanted, before: int | None = None) -> tuple[str, list[object]]:
    terms = {
        "destination = ?": wanted.destination,
        "trigger = ?": wanted.trigger,
        "user_id = ?": wanted.user_id,
        "state = ?": None if wanted.state is None else wanted.state.value,
        "id = ?": wanted.id,
        "number < ?": before,
    }
    given = {term: value for term, value in terms.items() if value is not None}
    return f"WHERE {' AND '.join(given)}" if given else "", [*given.values()]


def _row(each: Delivery, now: int) -> tuple[object, ...]:
    since = now if each.state is State.PENDING else 0
    due = each.due if each.state is State.WAITING else now
    return (
        None, each.id, each.trigger, each.destination, each.channel, each.row, each.user_id, each.at,
        each.moment, each.state.value, each.reason, each.body, due, 0, since, now,
    )  # fmt: skip


def _delivery(row: tuple[Any, ...]) -> Delivery:
    number, identifier, trigger, destination, channel, owner, user_id, at, moment, state, *rest = row
    reason, body, due, attempts, since, changed = rest
    return Delivery(
        identifier, trigger, destination, owner, user_id, at, moment, State(state), channel, reason, body,
        due, attempts, since, changed, number,
    )  # fmt: skip


_open: dict[Path, tuple[Outbox, int]] = {}
_opening = threading.Lock()


@contextmanager
def shared(folder: Path) -> Iterator[Outbox]:
    """The outbox of a data folder, one for all in this process who hold it at the same time."""
    path = folder.resolve()
    with _opening:
        outbox, holders = _open.get(path) or (Outbox(folder), 0)
        _open[path] = outbox, holders + 1
    try:
        yield outbox
    finally:
        with _opening:
            outbox, holders = _open.pop(path)
            if holders > 1:
                _open[path] = outbox, holders - 1
            else:
                outbox.close()

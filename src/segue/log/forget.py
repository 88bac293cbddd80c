"""Erasing profiles from every file of the log."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from segue.domain.errors import SegueError
from segue.domain.event import Json
from segue.domain.ids import ANONYMOUS, FORGOTTEN, NAMELESS
from segue.log import entries, faults, firings, history, moments, quality, stretches, sums
from segue.log.batch import EventBatch, Stretch
from segue.log.pack import ints32, pack_batch, pack_json, unpack_batch, unpack_columns, unpack_json
from segue.log.quality import Count
from segue.log.said import Said
from segue.log.store import Store

_DATABASE = ""


@dataclass(frozen=True, slots=True)
class _Rewritten:
    """A history file without the forgotten; ``new`` None when nothing is left of it."""

    old: Stretch
    new: Stretch | None
    erased: list[int]


@dataclass(frozen=True, slots=True)
class Also:
    """What is known of the forgotten beside their rows: ids as they are shown, and e-mail addresses."""

    names: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()


_NOTHING = Also()


@dataclass(frozen=True, slots=True)
class _Names:
    """Every id under which the forgotten were known: as users (or as shown), and as anonymous ids.

    ``addresses`` are their e-mail addresses in small letters.
    """

    users: set[str]
    anonymous: set[str]
    addresses: frozenset[str] = frozenset()

    def shown(self) -> set[str]:
        """As lists and overrides name them."""
        return self.users | {ANONYMOUS + name for name in self.anonymous}

    def concern(self, value: Json) -> bool:
        """Whether what was sent is of the forgotten: it names them, or it names nobody and speaks of them."""
        if isinstance(value, dict):
            user, visitor, before = (_spelled(value.get(key)) for key in _IDS)
            if user or visitor or before:
                theirs = user in self.users or visitor in self.anonymous
                return theirs or before in self.users | self.anonymous
            value = {key: part for key, part in value.items() if key not in NAMELESS}
        known = self.shown() | self.anonymous
        return any(text in known or text.lower() in self.addresses for text in _texts(value))


_IDS = ("userId", "anonymousId", "previousId")


def _spelled(given: object) -> str | None:
    """An id as the text it stands for."""
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    return None if given is None or isinstance(given, bool) else str(given)


def _texts(value: Json) -> Iterator[str]:
    """Every text and number within a JSON value, as text."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
    else:
        text = _spelled(value)
        if text is not None:
            yield text.strip()


def forget(store: Store, rows: set[int], seq: int, also: Also = _NOTHING) -> None:
    """Erase these rows up to ``seq``, and what is not theirs but ``also`` of them.

    The new history files are written first, then one transaction changes every table, then the old files
    go and the database is written anew; what a crash leaves of the last two :func:`finish` does at the
    next open.
    """
    if rows or also.names:
        rewritten = list(_rewrite_stretches(store, rows, seq)) if rows else []
        spoken, reached = _known_before(store, rows, seq, also)
        with store.transaction() as connection:
            _erase_tables(connection, store.folder, rows, seq, rewritten, also, spoken)
            moments.keep(connection, reached, pack_json({}))
    finish(store)


def _known_before(
    store: Store, rows: set[int], seq: int, also: Also
) -> tuple[set[str], list[tuple[int, int]]]:
    """(the ids by which people speak of the forgotten, the moments that would be lost with them)."""
    with store.reading() as connection:
        spoken = _spoken_of(connection, rows, also)
        told = [(each.seq, each.at, each.goes) for each in _records(connection, spoken, seq)]
    return spoken, moments.lost_moments(store, told, rows, seq)


def mentioned(store: Store, also: Also) -> bool:
    """Whether a record or something set aside is of these ids, although no profile is."""
    names = _all_names(set(also.names), set(), also.addresses)
    with store.reading() as connection:
        for number, blob in connection.execute("SELECT seq, body FROM records WHERE kind <> 'score'"):
            body = unpack_json(blob, f"the record at seq {number}")
            if _without(body, names.shown(), "") != body:
                return True
        held = connection.execute("SELECT raw FROM quarantine")
        return any(_concerns(raw, names) for (raw,) in held)


def finish(store: Store) -> None:
    """Remove the leavings of an erasure that was decided: freed pages, the SQLite log, replaced files.

    The files go last: once the SQLite log is empty, no reader sees the register that names them.
    """
    with store.reading() as connection:
        pending = connection.execute("SELECT path FROM erasing").fetchall()
    if not pending:
        return
    store.vacuum()
    for (name,) in pending:
        if name != _DATABASE:
            (store.folder / history.FOLDER / name).unlink(missing_ok=True)
    with store.transaction() as connection:
        connection.execute("DELETE FROM erasing")


def try_to_finish(store: Store) -> None:
    """:func:`finish`, but left for the next time when the disk has no room to write the database anew."""
    try:
        finish(store)
    except SegueError as error:
        if error.diagnostics[0].code != faults.NOT_WRITTEN:
            raise


def _rewrite_stretches(store: Store, rows: set[int], seq: int) -> Iterator[_Rewritten]:
    with store.reading() as connection:
        found = entries.registered(connection, 0, seq)
    for stretch in found:
        rewritten = _rewrite(store.folder, stretch, rows, seq)
        if rewritten is not None:
            yield rewritten


def _rewrite(folder: Path, stretch: Stretch, rows: set[int], seq: int) -> _Rewritten | None:
    """The stretch without these rows; None when it has none of them."""
    file = history.quoted(history.sound(folder, stretch))
    hit = f'"row" IN ({",".join(map(str, rows))}) AND seq <= {seq}'
    with history.connect() as target:
        erased = target.execute(f"SELECT seq FROM read_parquet({file}) WHERE {hit}").fetchall()
        if not erased:
            return None
        kept = f"SELECT * FROM read_parquet({file}) WHERE NOT ({hit})"
        count, low, high = history.summary(target, f"({kept})")
        new = None
        if count:
            path = history.fresh_path(folder, stretch.from_seq)
            history.copy_to(target, kept, path)
            new = replace(stretch, path=path.name, count=count, received_min=low, received_max=high)
    return _Rewritten(stretch, new, [number for (number,) in erased])


def _erase_tables(
    connection: sqlite3.Connection,
    folder: Path,
    rows: set[int],
    seq: int,
    rewritten: list[_Rewritten],
    also: Also,
    spoken: set[str],
) -> None:
    names = _names_of(connection, rows, also)
    for change in rewritten:
        connection.execute("DELETE FROM stretches WHERE path = ?", (change.old.path,))
        if change.new is not None:
            stretches.add(connection, folder, change.new)
        connection.executemany("INSERT INTO erased VALUES (?)", [(number,) for number in change.erased])
    events = _erase_batches(connection, rows, seq) + sum(len(change.erased) for change in rewritten)
    _erase_identity(connection, rows)
    _erase_records(connection, spoken, seq)
    firings.erase(connection, rows)
    _erase_scores(connection, rows, seq)
    held = _erase_quarantine(connection, names)
    erased = ((quality.ERASED, events), (quality.QUARANTINE_ERASED, held))
    quality.add(connection, [Count(quality.NO_DAY, "", what, "", count) for what, count in erased])
    stretches.turn_over(connection)
    leavings = [_DATABASE, *(change.old.path for change in rewritten)]
    connection.executemany("INSERT OR IGNORE INTO erasing VALUES (?)", [(name,) for name in leavings])


def _names_of(connection: sqlite3.Connection, rows: set[int], also: Also) -> _Names:
    chosen = ",".join(map(str, rows))
    shown = _column(connection, f'SELECT user_id FROM profiles WHERE "row" IN ({chosen})')
    linked = _column(connection, f'SELECT anonymous_id FROM links WHERE "row" IN ({chosen})')
    renamed = _column(connection, f'SELECT previous_id FROM aliases WHERE "row" IN ({chosen})')
    return _all_names(shown | renamed | also.names, linked | renamed, also.addresses)


def _spoken_of(connection: sqlite3.Connection, rows: set[int], also: Also) -> set[str]:
    """The ids by which people speak of the forgotten. An anonymous id is whose it was seen with last, and
    not theirs if it leads to another's profile: what was decided about it is of that one.
    """
    chosen = ",".join(map(str, rows))
    shown = _column(connection, f'SELECT user_id FROM profiles WHERE "row" IN ({chosen})')
    renamed = _column(connection, f'SELECT previous_id FROM aliases WHERE "row" IN ({chosen})')
    linked = _column(
        connection,
        f'SELECT anonymous_id FROM links WHERE "row" IN ({chosen}) AND NOT EXISTS (SELECT 1 FROM links later'
        " WHERE later.anonymous_id = links.anonymous_id AND later.seq > links.seq)",
    )
    names = shown | renamed | also.names | {ANONYMOUS + name for name in linked}
    asked, left = ",".join("?" * len(names)), [*names]
    others = connection.execute(
        f'SELECT user_id FROM profiles WHERE user_id IN ({asked}) AND "row" NOT IN ({chosen})'
        f' UNION SELECT previous_id FROM aliases WHERE previous_id IN ({asked}) AND "row" NOT IN ({chosen})',
        [*left, *left],
    )
    return names - {name for (name,) in others}


def _all_names(users: set[str], anonymous: set[str], addresses: frozenset[str]) -> _Names:
    bare = {name.removeprefix(ANONYMOUS) for name in users if name.startswith(ANONYMOUS)}
    lowered = frozenset(each.strip().lower() for each in addresses)
    return _Names(users=users, anonymous=anonymous | bare, addresses=lowered)


def _column(connection: sqlite3.Connection, query: str) -> set[str]:
    return {value for (value,) in connection.execute(query)}


def _erase_batches(connection: sqlite3.Connection, rows: set[int], seq: int) -> int:
    """Write anew the batches that hold these rows, each as the runs of events that stay; how many went."""
    count = 0
    numbers = connection.execute("SELECT first_seq FROM batches WHERE first_seq <= ?", (seq,)).fetchall()
    for (first_seq,) in numbers:
        (blob,) = connection.execute(
            "SELECT columns FROM batches WHERE first_seq = ?", (first_seq,)
        ).fetchone()
        owners = ints32(unpack_columns(blob, first_seq).rows)
        gone = [at for at, row in enumerate(owners) if row in rows and first_seq + at <= seq]
        if gone:
            _erase_from_batch(connection, first_seq, gone)
            count += len(gone)
    return count


def _erase_from_batch(connection: sqlite3.Connection, first_seq: int, gone: list[int]) -> None:
    found = connection.execute("SELECT columns, raws FROM batches WHERE first_seq = ?", (first_seq,))
    batch = unpack_batch(first_seq, *found.fetchone())
    connection.execute("DELETE FROM batches WHERE first_seq = ?", (first_seq,))
    connection.executemany("INSERT INTO erased VALUES (?)", [(first_seq + at,) for at in gone])
    connection.executemany(
        "INSERT INTO batches VALUES (?, ?, ?, ?)",
        [(part.first_seq, part.last_seq, *pack_batch(part)) for part in _between(batch, gone)],
    )


def _between(batch: EventBatch, gone: list[int]) -> Iterator[EventBatch]:
    """The runs of events between those that go."""
    start = 0
    for at in [*gone, len(batch)]:
        if at > start:
            yield batch.part(start, at)
        start = at + 1


def _erase_identity(connection: sqlite3.Connection, rows: set[int]) -> None:
    chosen = ",".join(map(str, rows))
    theirs = {
        "profiles": f'"row" IN ({chosen})',
        "links": f'"row" IN ({chosen})',
        "aliases": f'"row" IN ({chosen})',
        "merges": f"absorbed IN ({chosen}) OR survivor IN ({chosen})",
    }
    for table, where in theirs.items():
        sums.take_off(connection, table, where)
    connection.executemany(
        "UPDATE profiles SET user_id = ?, created_seq = NULL, created_at = NULL"
        ' WHERE "row" = ? AND created_at IS NOT NULL',
        [(FORGOTTEN + secrets.token_hex(8), row) for row in rows],
    )
    sums.take_in(connection, "profiles", theirs.pop("profiles"))
    for table, where in theirs.items():
        connection.execute(f"DELETE FROM {table} WHERE {where}")


@dataclass(frozen=True, slots=True)
class _Record:
    """A record without the names of the forgotten; ``goes`` says that it is about them alone."""

    seq: int
    at: int
    cleaned: Json
    is_other: bool
    goes: bool


def _records(connection: sqlite3.Connection, names: set[str], seq: int) -> Iterator[_Record]:
    nobody = FORGOTTEN + secrets.token_hex(8)
    found = connection.execute("SELECT seq, at, kind, body FROM records WHERE seq <= ? ORDER BY seq", (seq,))
    for number, at, kind, blob in found:
        if kind == "score":
            yield _Record(number, at, None, is_other=False, goes=False)
            continue
        body = unpack_json(blob, f"the record at seq {number}")
        cleaned = _without(body, names, nobody)
        yield _Record(number, at, cleaned, cleaned != body, cleaned != body and kind == "override")


def _erase_records(connection: sqlite3.Connection, names: set[str], seq: int) -> None:
    """Overrides of the forgotten go; in every other record their ids become one that is nobody's."""
    for record in [each for each in _records(connection, names, seq) if each.is_other]:
        if record.goes:
            connection.execute("DELETE FROM records WHERE seq = ?", (record.seq,))
            connection.execute("INSERT INTO erased VALUES (?)", (record.seq,))
        else:
            body = pack_json(record.cleaned)
            connection.execute("UPDATE records SET body = ? WHERE seq = ?", (body, record.seq))


def _erase_scores(connection: sqlite3.Connection, rows: set[int], seq: int) -> None:
    """What models said of the forgotten goes."""
    numbers = connection.execute("SELECT seq FROM records WHERE kind = 'score' AND seq <= ?", (seq,))
    gone = np.fromiter(rows, np.int32, len(rows))
    for (number,) in numbers.fetchall():
        found = connection.execute("SELECT body FROM records WHERE seq = ?", (number,))
        said = Said.of_body(unpack_json(found.fetchone()[0], f"the record at seq {number}"))
        kept = ~np.isin(said.rows, gone)
        if not kept.all():
            body = pack_json(said.chosen(kept).to_body())
            connection.execute("UPDATE records SET body = ? WHERE seq = ?", (body, number))


def _without(value: Json, names: set[str], nobody: str) -> Json:
    """A JSON value in which no text and no key is one of the names."""
    if isinstance(value, str):
        return nobody if value in names else value
    if isinstance(value, list):
        return [_without(item, names, nobody) for item in value]
    if isinstance(value, dict):
        return {
            (nobody if key in names else key): _without(item, names, nobody) for key, item in value.items()
        }
    return value


def _erase_quarantine(connection: sqlite3.Connection, names: _Names) -> int:
    """Erase what was set aside of the forgotten; how much it was."""
    found = connection.execute("SELECT id, raw FROM quarantine").fetchall()
    gone = [(number,) for number, raw in found if _concerns(raw, names)]
    connection.executemany("DELETE FROM quarantine WHERE id = ?", gone)
    return len(gone)


def _concerns(raw: bytes, names: _Names) -> bool:
    """Whether what was sent is of the forgotten; of what cannot be read, whether it spells one of them."""
    try:
        return names.concern(json.loads(raw))
    except (ValueError, RecursionError):
        known = names.users | names.anonymous
        spellings = {json.dumps(name).encode() for name in known}
        spellings |= {b'"%s"' % name.encode() for name in known}
        spellings |= {address.encode() for address in names.addresses}
        return any(spelling in raw.lower() or spelling in raw for spelling in spellings)

"""``catalog.db``: the items now, and every change of one with the version that brought it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from segue.domain.event import Json
from segue.domain.limits import ITEMS_MAX
from segue.domain.time import format_instant
from segue.experiences.recommend.catalogue import faults
from segue.experiences.recommend.catalogue.item import Item
from segue.log import faults as data_faults
from segue.log.store import Store

FILE = "catalog.db"
_FORMAT = 1
_TABLES = (
    """CREATE TABLE versions (
        version INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, source TEXT NOT NULL)""",
    """CREATE TABLE items (
        id TEXT PRIMARY KEY, version INTEGER NOT NULL, first_at INTEGER NOT NULL, body BLOB NOT NULL
        ) WITHOUT ROWID""",
    """CREATE TABLE changes (
        version INTEGER NOT NULL, id TEXT NOT NULL, before BLOB, after BLOB, PRIMARY KEY (version, id)
        ) WITHOUT ROWID""",
    "CREATE INDEX changes_of_item ON changes (id, version)",
    "CREATE TABLE told (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL)",
)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """An item of the catalogue, with the version that it is of and when (ms) it first came."""

    item: Item
    version: int
    first_at: int


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What a version did to one item; ``before`` is None for a new one, ``after`` for one that went."""

    version: int
    at: int
    id: str
    before: Item | None
    after: Item | None

    def to_json(self) -> dict[str, Json]:
        """As the command shows it."""
        sides = {"before": self.before, "after": self.after}
        found: dict[str, Json] = {"id": self.id, "version": self.version, "at": format_instant(self.at)}
        return found | {name: None if each is None else each.to_json() for name, each in sides.items()}


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import did. ``version`` is the catalogue's then: it rises only when an item changed."""

    version: int
    added: int
    changed: int
    removed: int
    same: int

    def to_json(self) -> dict[str, Json]:
        """As the command prints it."""
        return asdict(self)


class Catalogue:
    """The items of a data folder. Several processes may have it open: the server reads, a command writes."""

    def __init__(self, data: Path) -> None:
        """E602, E603 or E604 when the file cannot be had."""
        data.mkdir(parents=True, exist_ok=True)
        self._store = Store(data, FILE, _bring_up)

    def close(self) -> None:
        """Give the file free."""
        self._store.close()

    @property
    def version(self) -> int:
        """Rises with every import that changed anything; 0 while there was none."""
        with self._store.reading() as connection:
            return _version(connection)

    @property
    def told(self) -> int | None:
        """The version up to which triggers were told of changes; None while nobody asked for them."""
        with self._store.reading() as connection:
            row = connection.execute("SELECT version FROM told").fetchone()
        return None if row is None else int(row[0])

    def tell(self, version: int) -> None:
        """Triggers were told of everything up to a version."""
        with self._store.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO told VALUES (1, ?)", (version,))

    def take(self, items: Iterable[Item], at: int, source: str, whole: bool = False) -> Taken:
        """Put items in the place of those with the same id, in one version of the moment ``at`` (ms).

        ``whole`` says that these are all: others go. Of two with one id the last one counts. E846 beyond
        the bound, E841 when nothing would be left.
        """
        with self._store.transaction() as connection:
            return _Taking(connection, at, source).take(items, whole)

    def remove(self, identifier: str, at: int, source: str) -> bool:
        """Take an item out, in a version of its own; whether it was there."""
        with self._store.transaction() as connection:
            return _Taking(connection, at, source).drop(identifier)

    def items(self) -> tuple[int, list[Listed]]:
        """(version, every item by id), as of one moment."""
        with self._store.reading() as connection:
            rows = connection.execute("SELECT body, version, first_at FROM items ORDER BY id")
            return _version(connection), [Listed(Item.of_body(body), *rest) for body, *rest in rows]

    def item(self, identifier: str) -> Listed | None:
        """One item."""
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT body, version, first_at FROM items WHERE id = ?", (identifier,)
            ).fetchone()
        return None if row is None else Listed(Item.of_body(row[0]), *row[1:])

    def changes(self, after: int = 0, identifier: str | None = None) -> Iterator[ItemChange]:
        """What versions after a number changed, in order; of one item, or of all."""
        only, values = ("AND id = ?", [identifier]) if identifier is not None else ("", [])
        query = (
            "SELECT c.version, v.at, c.id, c.before, c.after FROM changes c JOIN versions v USING (version)"
            f" WHERE c.version > ? {only} ORDER BY c.version, c.id"
        )
        with self._store.reading() as connection:
            for version, at, name, before, after_body in connection.execute(query, (after, *values)):
                yield ItemChange(version, at, name, _item(before), _item(after_body))


def _item(body: bytes | None) -> Item | None:
    return None if body is None else Item.of_body(body)


def _version(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("SELECT coalesce(max(version), 0) FROM versions").fetchone()[0]
    return found


class _Taking:
    """One import, inside its transaction."""

    def __init__(self, connection: sqlite3.Connection, at: int, source: str) -> None:
        self._connection = connection
        self._version = _version(connection) + 1
        self._at = at
        self._source = source

    def take(self, items: Iterable[Item], whole: bool) -> Taken:
        fresh: dict[str, bytes] = {}
        for item in items:
            fresh[item.id] = item.body()
            if len(fresh) > ITEMS_MAX:
                raise faults.too_many()
        if whole and not fresh:
            raise faults.nothing_left()
        before = self._held(fresh.keys())
        changed = {name: body for name, body in fresh.items() if before.get(name) != body}
        gone = self._others(fresh.keys()) if whole else {}
        if not changed and not gone:
            return Taken(self._version - 1, 0, 0, 0, len(fresh))
        self._begin()
        self._put(changed, before)
        self._remove(gone)
        if self._connection.execute("SELECT count(*) FROM items").fetchone()[0] > ITEMS_MAX:
            raise faults.too_many()
        added = sum(name not in before for name in changed)
        return Taken(self._version, added, len(changed) - added, len(gone), len(fresh) - len(changed))

    def drop(self, identifier: str) -> bool:
        gone = self._held([identifier])
        if gone:
            self._begin()
            self._remove(gone)
        return bool(gone)

    def _begin(self) -> None:
        self._connection.execute(
            "INSERT INTO versions VALUES (?, ?, ?)", (self._version, self._at, self._source)
        )

    def _held(self, names: Iterable[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        every = list(names)
        for start in range(0, len(every), _AT_ONCE):
            some = every[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            found.update(
                self._connection.execute(f"SELECT id, body FROM items WHERE id IN ({marks})", some).fetchall()
            )
        return found

    def _others(self, names: Iterable[str]) -> dict[str, bytes]:
        held = dict(self._connection.execute("SELECT id, body FROM items").fetchall())
        for name in names:
            held.pop(name, None)
        return held

    def _put(self, changed: dict[str, bytes], before: dict[str, bytes]) -> None:
        self._connection.executemany(
            "INSERT INTO items VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET version = excluded.version, body = excluded.body",
            ((name, self._version, self._at, body) for name, body in changed.items()),
        )
        self._connection.executemany(
            "INSERT INTO changes VALUES (?, ?, ?, ?)",
            ((self._version, name, before.get(name), body) for name, body in changed.items()),
        )

    def _remove(self, gone: dict[str, bytes]) -> None:
        self._connection.executemany("DELETE FROM items WHERE id = ?", ((name,) for name in gone))
        self._connection.executemany(
            "INSERT INTO changes VALUES (?, ?, ?, NULL)",
            ((self._version, name, body) for name, body in gone.items()),
        )


def _bring_up(connection: sqlite3.Connection, folder: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > _FORMAT:
        raise data_faults.newer(folder, found, _FORMAT)
    if found == 0:
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_FORMAT}")
    connection.execute("COMMIT")


def catalogued(data: Path) -> bool:
    """Whether a data folder has a catalogue."""
    return (data / FILE).is_file()

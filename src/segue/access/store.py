"""``access.db``: what is kept of keys and secrets, in a file that only its owner may read."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from segue.access.keys import Key, Kind, grant_of
from segue.access.tokens import Secret
from segue.domain.errors import SegueError
from segue.log import faults

FILE = "access.db"
_FORMAT = 1
_BUSY_S = 30.0
_OWNER_ONLY = 0o600
_TABLES = """
CREATE TABLE keys (
    id TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, tail TEXT NOT NULL, kind TEXT NOT NULL,
    name TEXT NOT NULL, parts TEXT NOT NULL, created INTEGER NOT NULL, enabled INTEGER NOT NULL,
    expires INTEGER, revoked INTEGER, checksum BLOB NOT NULL);
CREATE TABLE secrets (
    kid TEXT PRIMARY KEY, value BLOB NOT NULL, created INTEGER NOT NULL, retires INTEGER,
    checksum BLOB NOT NULL);
"""
_PUT_KEY = "INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_SECRET = "INSERT OR REPLACE INTO secrets VALUES (?, ?, ?, ?, ?)"
Row = tuple[Any, ...]


class Store:
    """The file in a data folder. A folder without it has no keys; the first one written makes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE

    def read(self) -> tuple[list[Key], list[Secret]]:
        """Keys in the order of their making, secrets likewise; E602 or E603 when the file is none of ours."""
        if not self._path.exists():
            return [], []
        with self._connected() as connection:
            (state,) = connection.execute("PRAGMA integrity_check").fetchone()
            if state != "ok":
                raise faults.damaged(self._path, state.partition("\n")[0])
            keys = connection.execute("SELECT * FROM keys ORDER BY created, rowid")
            found = [_key(_sound(row)) for row in keys]
            secrets = connection.execute("SELECT * FROM secrets ORDER BY created, rowid")
            return found, [Secret(*_sound(row)) for row in secrets]

    def write(
        self, keys: tuple[Key, ...] = (), secrets: tuple[Secret, ...] = (), drop: tuple[str, ...] = ()
    ) -> None:
        """Puts keys and secrets in the place of those with the same id, drops secrets by kid: all or none."""
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for key in keys:
                connection.execute(_PUT_KEY, _summed(_row(key)))
            for secret in secrets:
                values = (secret.kid, secret.value, secret.created, secret.retires)
                connection.execute(_PUT_SECRET, _summed(values))
            connection.executemany("DELETE FROM secrets WHERE kid = ?", ((kid,) for kid in drop))
            connection.execute("COMMIT")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with self._spoken():
            self._make_private()
            with closing(sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA secure_delete = ON")
                self._bring_up(connection)
                yield connection

    def _make_private(self) -> None:
        """SQLite gives its side files the mode of the file."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
        with suppress(PermissionError):  # it belongs to another, who has decided
            os.fchmod(descriptor, _OWNER_ONLY)
        os.close(descriptor)

    def _bring_up(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > _FORMAT:
            raise faults.newer(self._folder, found, _FORMAT)
        if found == 0:
            connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_FORMAT}; COMMIT")

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise faults.not_written(self._path, error.strerror or str(error)) from error
        except (sqlite3.Error, ValueError, KeyError) as error:
            said = faults.of_sqlite(self._folder, error) if isinstance(error, sqlite3.Error) else None
            if said is None or said.diagnostics[0].code == faults.DAMAGED:
                raise faults.damaged(self._path, str(error)) from error
            raise said from error


def _summed(row: Row) -> Row:
    """With a checksum behind it: one bit on the disk must not turn a revoked key into a valid one."""
    return (*row, hashlib.blake2b(repr(row).encode(), digest_size=16).digest())


def _sound(row: Row) -> Row:
    """Without its checksum; ValueError when that is another's."""
    if _summed(row[:-1]) != row:
        raise ValueError("a row is not what was written")
    return row[:-1]


def _key(row: Row) -> Key:
    identifier, digest, tail, kind, name, parts, created, enabled, expires, revoked = row
    try:
        grant = grant_of(str(name), Kind(kind), json.loads(str(parts)))
    except SegueError as error:
        raise ValueError(error.diagnostics[0].message) from error
    assert isinstance(digest, bytes)
    assert isinstance(created, int)
    ends = [each if isinstance(each, int) else None for each in (expires, revoked)]
    return Key(str(identifier), digest, str(tail), grant, created, bool(enabled), *ends)


def _row(key: Key) -> Row:
    grant = key.grant
    return (
        key.id, key.digest, key.tail, grant.kind.value, grant.name, json.dumps(grant.to_json()), key.created,
        int(key.enabled), key.expires, key.revoked,
    )  # fmt: skip

"""Markers of one person in everything that a data folder can hold, and a search that misses none of them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import zstandard

from segue.domain.time import format_instant

USER, VISITOR, EMAIL, VALUE, MESSAGE = (
    "Zq5user", "Zq5visitor", "zq5mail@person.example", "Zq5value", "Zq5message",
)  # fmt: skip
MARKERS = (USER, VISITOR, EMAIL, VALUE, MESSAGE)
OLD = f"{USER}-old"
START_MS = 1_790_000_000_000
_FRAME = b"\x28\xb5\x2f\xfd"


def call(number: int, kind: str, at: int = START_MS, **fields: Any) -> dict[str, Any]:
    event = {"event": "Order"} if kind == "track" else {}
    message = {"messageId": f"{MESSAGE}-{number}"}
    return {"type": kind, "timestamp": format_instant(at + number), **event, **message, **fields}


def events_of_the_person(first: int, at: int = START_MS) -> list[dict[str, Any]]:
    """One of each kind that tells of them."""
    return [
        call(first, "track", at, anonymousId=VISITOR, properties={"note": VALUE, "list": [{"deep": VALUE}]}),
        call(
            first + 1,
            "identify",
            at,
            userId=USER,
            anonymousId=VISITOR,
            traits={"email": EMAIL, "name": VALUE},
        ),
        call(first + 2, "track", at, userId=USER, context={"ip": VALUE, "traits": {"email": EMAIL}}),
        call(first + 3, "group", at, userId=USER, groupId="acme", traits={"boss": VALUE}),
        call(first + 4, "alias", at, userId=USER, previousId=OLD),
        call(first + 5, "page", at, userId=OLD, name=VALUE),
        call(first + 6, "screen", at, anonymousId=VISITOR, name=VALUE),
    ]


def bad_events_of_the_person() -> list[Any]:
    """What goes to quarantine: with an id, with an address alone, and what is no JSON."""
    return [
        {"type": "track", "userId": USER, "properties": {"note": VALUE}},
        {"type": "track", "anonymousId": VISITOR, "event": "Blocked", "properties": {"note": VALUE}},
        {"type": "identify", "messageId": MESSAGE, "traits": {"email": EMAIL.upper(), "note": VALUE}},
        f'{{"type": "track", "userId": "{USER}", "note": "{VALUE}",',
    ]


def found_in(folder: Path) -> dict[str, set[str]]:
    """Which markers a folder holds, by file: as they are, compressed, in tables or in Parquet."""
    spelled = {marker: marker.lower().encode() for marker in MARKERS}
    found: dict[str, set[str]] = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            texts = b"\n".join(_texts(file)).lower()
            held = {marker for marker, text in spelled.items() if text in texts}
            if held:
                found[str(file.relative_to(folder))] = held
    return found


def _texts(file: Path) -> Iterator[bytes]:
    data = file.read_bytes()
    yield data
    yield from _unpacked(data)
    if data[:16] == b"SQLite format 3\0":
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            yield from _cells(database)
    elif file.suffix == ".parquet":
        with duckdb.connect() as connection:
            yield repr(connection.execute(f"SELECT * FROM '{file}'").fetchall()).encode()


def _cells(database: sqlite3.Connection) -> Iterator[bytes]:
    """Every value of every table, blobs unpacked too."""
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        for row in database.execute(f'SELECT * FROM "{table}"'):
            for value in row:
                if isinstance(value, bytes):
                    yield value
                    yield from _unpacked(value)
                elif isinstance(value, str):
                    yield value.encode()


def _unpacked(data: bytes) -> Iterator[bytes]:
    for match in re.finditer(re.escape(_FRAME), data):
        try:
            yield zstandard.ZstdDecompressor().decompressobj().decompress(data[match.start() :])
        except zstandard.ZstdError:
            continue


def free_pages(folder: Path) -> int:
    """How many pages of the log's database nothing uses, in which something may lie that no table shows."""
    with closing(sqlite3.connect(f"file:{folder / 'log.db'}?mode=ro", uri=True)) as database:
        found: int = database.execute("PRAGMA freelist_count").fetchone()[0]
    return found

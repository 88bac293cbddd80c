"""Events for the log's tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from segue.log import history
from segue.log.batch import Entry, EventBatch, Record, Stretch
from segue.log.body import decode_body
from segue.log.sqlite import SqliteLog


def batch(
    first_seq: int, events: Sequence[dict[str, Any]], rows: Iterable[int] = (), source: str = "web"
) -> EventBatch:
    """Events one millisecond apart, received a second after they happened."""
    raws = [json.dumps(event, separators=(",", ":")).encode() for event in events]
    seqs = range(first_seq, first_seq + len(events))
    return EventBatch(
        first_seq=first_seq,
        source=source,
        rows=list(rows) or [0] * len(events),
        types=[event.get("type", "track") for event in events],
        names=[event.get("event") for event in events],
        timestamps=[1_000 + seq for seq in seqs],
        received=[2_000 + seq for seq in seqs],
        message_ids=[event.get("messageId", f"m{seq}") for event, seq in zip(events, seqs, strict=True)],
        group_ids=[event.get("groupId") for event in events],
        raws=raws,
        bodies=[decode_body(raw) for raw in raws],
    )


def tracks(first_seq: int, count: int, row: int = 0) -> EventBatch:
    """``count`` plain events of one profile."""
    return batch(first_seq, [{"type": "track", "event": "E", "userId": f"u{row}"}] * count, [row] * count)


def stretch_of(log: SqliteLog, events: EventBatch) -> Stretch:
    """A history file of these events, as a bulk import writes it, not yet registered."""
    path = log.history_path(events.first_seq)
    count, low, high, shape = history.write_file(path, [events])
    created, links, aliases, merges = (
        [(events.first_seq + mark[0], *mark[1:]) for mark in getattr(events, name)]
        for name in ("created", "links", "aliases", "merges")
    )
    first, last = events.first_seq, events.last_seq
    return Stretch(path.name, first, last, count, low, high, shape, created, links, aliases, merges)


def told(log: SqliteLog, after: int = 0, upto: int | None = None) -> list[tuple[object, ...]]:
    """What the log reads back, one tuple an event, record or mark, wherever it is stored."""
    lines: list[tuple[object, ...]] = []
    for entry in log.replay(after, upto):
        if isinstance(entry, Record):
            lines.append(("record", entry.seq, entry.at, entry.kind, entry.body))
        else:
            events = range(len(entry))
            lines.extend(("event", entry.event(at), entry.source, entry.raws[at]) for at in events)
            lines.extend(marks(entry))
    return lines


def marks(entry: EventBatch | Stretch) -> list[tuple[object, ...]]:
    """The marks of an entry, each with its kind and its seq."""
    first = entry.first_seq if isinstance(entry, EventBatch) else 0
    return [
        (name, first + place, *rest)
        for name in ("created", "links", "aliases", "merges")
        for place, *rest in getattr(entry, name)
    ]


def seqs(entries: Iterable[Entry]) -> list[int]:
    """The seqs that entries cover, in the order they came."""
    found: list[int] = []
    for entry in entries:
        if isinstance(entry, Record):
            found.append(entry.seq)
        elif isinstance(entry, Stretch):
            found.extend(range(entry.from_seq, entry.to_seq + 1))
        else:
            found.extend(range(entry.first_seq, entry.last_seq + 1))
    return found


def opened(folder: Path) -> SqliteLog:
    """The log in a folder."""
    return SqliteLog.open(folder / ".segue", running="test")

"""Events on their way out: as they were sent, with what Segue knows of when they were."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from segue.domain.event import Json
from segue.domain.time import format_instant
from segue.log.batch import EventBatch


def events_as_sent(batch: EventBatch) -> Iterator[dict[str, Json]]:
    """Each event with its fields as sent plus type, messageId, timestamp, originalTimestamp, receivedAt.

    The timestamp is the corrected one, and ``sentAt`` is left out: importing it elsewhere must not
    correct the clock a second time.
    """
    return (event_as_sent(batch, at) for at in range(len(batch)))


def event_as_sent(batch: EventBatch, at: int) -> dict[str, Json]:
    """The event at a place of a batch."""
    return as_sent(
        batch.raws[at], batch.types[at], batch.message_ids[at], batch.timestamps[at], batch.received[at]
    )


def as_sent(raw: bytes, kind: str, message_id: str, timestamp: int, received: int) -> dict[str, Json]:
    """The event of these bytes; ``timestamp`` (corrected) and ``received`` are in ms."""
    sent: dict[str, Json] = msgspec.json.decode(raw)
    original = sent.get("originalTimestamp") or sent.get("timestamp")
    sent.pop("sentAt", None)
    sent |= {
        "type": kind,
        "messageId": message_id,
        "timestamp": format_instant(timestamp),
        "originalTimestamp": original or format_instant(timestamp),
        "receivedAt": format_instant(received),
    }
    return sent

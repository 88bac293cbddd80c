"""Events on their way out: as they were sent, with what Segue knows of when and whose."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from segue.domain.event import Event, Json
from segue.domain.time import format_instant
from segue.log.batch import EventBatch


def events_as_sent(batch: EventBatch) -> Iterator[dict[str, Json]]:
    """Each event with its fields as sent plus type, messageId, timestamp, originalTimestamp, receivedAt.

    The timestamp is the corrected one, and ``sentAt`` is left out: importing it elsewhere must not
    correct the clock a second time.
    """
    for index, raw in enumerate(batch.raws):
        sent = msgspec.json.decode(raw)
        original = sent.get("originalTimestamp") or sent.get("timestamp")
        sent.pop("sentAt", None)
        sent |= {
            "type": batch.types[index],
            "messageId": batch.message_ids[index],
            "timestamp": format_instant(batch.timestamps[index]),
            "originalTimestamp": original or format_instant(batch.timestamps[index]),
            "receivedAt": format_instant(batch.received[index]),
        }
        yield sent


def exported_event(event: Event) -> dict[str, Json]:
    """One event of a profile, as it is shown to the person it is about."""
    found: dict[str, Json] = {
        "type": event.type,
        "messageId": event.message_id,
        "timestamp": format_instant(event.timestamp),
        "receivedAt": format_instant(event.received_at),
    }
    for name, value in (
        ("event", event.name),
        ("groupId", event.group_id),
        ("properties", dict(event.properties)),
        ("traits", dict(event.traits)),
        ("context", dict(event.context)),
    ):
        if value:
            found[name] = value
    return found

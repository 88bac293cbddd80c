"""What msgspec takes to decode one event: the yardstick of the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from benchmarks.figures import Figure, best_of
from benchmarks.shop import EVENT_JSON
from segue.log.body import decode_body

COUNT = 100_000


class Event(msgspec.Struct, gc=False):
    """An event with its open objects decoded too."""

    type: str
    userId: str  # noqa: N815
    messageId: str  # noqa: N815
    timestamp: str
    event: str | None = None
    properties: dict[str, Any] = {}
    context: dict[str, Any] = {}


decode_event = msgspec.json.Decoder(Event).decode


def decoding_ns() -> float:
    """The whole event to typed fields, in ns."""
    return best_of(7, lambda: [decode_event(EVENT_JSON) for _ in range(COUNT)]) / COUNT * 1e9


def run() -> Iterator[Figure]:
    """Time for an event of about 350 bytes."""
    yield Figure("bytes of the event", len(EVENT_JSON), "bytes")
    yield Figure("typed decoding, properties and context too", decoding_ns(), "ns/event")
    shallow = best_of(7, lambda: [decode_body(EVENT_JSON) for _ in range(COUNT)]) / COUNT * 1e9
    yield Figure("typed decoding, properties and context left as text", shallow, "ns/event")

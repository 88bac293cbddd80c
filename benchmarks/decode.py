"""What msgspec takes to decode one event: the yardstick of the others."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from benchmarks.figures import Figure, best_of
from benchmarks.shop import EVENTS
from segue.log.body import decode_body
from segue.log.lane.cuts import cut_lines
from segue.log.lane.octets import PAD

COUNT = 10_000


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


def lines() -> list[bytes]:
    """A batch of events of about 350 bytes each, as browsers send them."""
    chance = random.Random(5)
    return [
        json.dumps(
            {
                "type": "track",
                "event": chance.choice(EVENTS),
                "userId": f"user-{chance.randrange(10**7):07}",
                "messageId": f"{chance.getrandbits(128):032x}",
                "timestamp": f"2026-11-20T12:34:{chance.randrange(60):02}.{chance.randrange(1000):03}Z",
                "properties": {
                    "amount": chance.randrange(100, 20_000) / 100,
                    "currency": "EUR",
                    "sku": f"SKU-{chance.randrange(5000):06}",
                    "items": chance.randrange(1, 9),
                },
                "context": {"ip": "203.0.113.7", "locale": "de-DE", "library": {"name": "segue.js"}},
            }
        ).encode()
        for _ in range(COUNT)
    ]


def decoding_ns(decode: Callable[[bytes], object] = decode_event) -> float:
    """A whole batch into a list, in ns an event."""
    batch = lines()
    return best_of(15, lambda: [decode(line) for line in batch]) / COUNT * 1e9


def scanning_ns() -> float:
    """What the lane takes to say where the parts of each event stand, in ns an event."""
    text = b"\n".join(lines()) + b"\n" + PAD
    return best_of(15, lambda: cut_lines(text, 0, 1, COUNT)) / COUNT * 1e9


def run() -> Iterator[Figure]:
    """Time for an event of about 350 bytes."""
    yield Figure("bytes of an event", sum(map(len, lines())) / COUNT, "bytes")
    yield Figure("typed decoding, properties and context too", decoding_ns(), "ns/event")
    yield Figure("typed decoding, both left as text", decoding_ns(decode_body), "ns/event")
    yield Figure("the lane's scan, nothing taken out of the text", scanning_ns(), "ns/event")

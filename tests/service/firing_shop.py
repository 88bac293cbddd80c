"""A workspace with triggers, and events at minutes after a start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from segue.domain.time import MINUTE, SECOND, format_instant
from segue.ingest.decode import decode_events
from segue.log.firings import Firing
from segue.service.service import Service

START = 1_790_000_000_000
OWNED = {"owner": "a@b.example", "description": "Of a test."}
SEGMENTS = [
    {"segment": "buyers", **OWNED, "when": 'count("Order") >= 2'},
    {"segment": "fresh", **OWNED, "when": 'count("Order", last 10m) > 0'},
]

FEATURES = [
    {"feature": "orders", **OWNED, "value": 'count("Order")'},
    {"feature": "last_total", **OWNED, "value": 'latest("Order".total)'},
]
DESTINATIONS = [
    {"destination": name, **OWNED, "kind": "file", "path": f"{name}.jsonl"} for name in ("crm", "mail")
]


class Shop:
    """A workspace with triggers; events are posted at minutes after the start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0
        self.service: Service | None = None
        for each in ("segments", "features", "triggers", "destinations"):
            (folder / each).mkdir()
        (folder / "features" / "f.yaml").write_text(yaml.safe_dump(FEATURES))
        (folder / "destinations" / "d.yaml").write_text(yaml.safe_dump(DESTINATIONS))
        (folder / "segments" / "s.yaml").write_text(yaml.safe_dump(SEGMENTS))

    def triggers(self, *triggers: dict[str, Any]) -> None:
        """These are the triggers from now on."""
        text = yaml.safe_dump([{**OWNED, "to": "stream", **each} for each in triggers])
        (self.folder / "triggers" / "t.yaml").write_text(text)
        if self.service is None:
            self.open()
        else:
            self.service.apply()

    def open(self) -> None:
        self.service = Service.open(self.folder, self.folder / "data")

    def restart(self) -> None:
        assert self.service is not None
        self.service.close()
        self.open()

    def raw(self, user: str, minute: float, event: str, ahead: float, **properties: Any) -> bytes:
        self.number += 1
        received = START + int(minute * MINUTE)
        body = {
            "type": "track",
            "event": event,
            "userId": user,
            "messageId": f"m{self.number}",
            "receivedAt": format_instant(received),
            "timestamp": format_instant(received + int(ahead * SECOND)),
            "properties": properties,
        }
        return json.dumps(body).encode()

    def identify(self, user: str, minute: float, **traits: Any) -> None:
        """Traits of a user."""
        self.number += 1
        body = {
            "type": "identify",
            "userId": user,
            "messageId": f"m{self.number}",
            "receivedAt": format_instant(START + int(minute * MINUTE)),
            "timestamp": format_instant(START + int(minute * MINUTE)),
            "traits": traits,
        }
        self.take([json.dumps(body).encode()])

    def order(
        self, user: str, minute: float, event: str = "Order", ahead: float = 0, **properties: Any
    ) -> None:
        self.take([self.raw(user, minute, event, ahead, **properties)])

    def take(self, raws: list[bytes]) -> None:
        """Events in one batch."""
        assert self.service is not None
        core = self.service.core
        with core.gate:
            taken = core.intake.accept(decode_events(raws), "tests", core.log.next_seq)
            core.append([taken.batch], [])

    def firings(self) -> list[Firing]:
        assert self.service is not None
        return self.service.log.firings(0, 1_000)

    def told(self) -> list[tuple[str, str, str, float]]:
        """(trigger, user, action, minute) of all that fired."""
        assert self.service is not None
        user_id = self.service.core.intake.identity.user_id
        return [
            (each.trigger, user_id(each.row), each.action, (each.at - START) / MINUTE)
            for each in self.firings()
            if each.row is not None
        ]


def trigger(name: str, on: str, **more: Any) -> dict[str, Any]:
    """A trigger as it stands in a file."""
    return {"trigger": name, "on": on, **more}

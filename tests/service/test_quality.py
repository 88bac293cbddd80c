"""What became of events is counted, by source and day, and the counts are kept with the events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segue.ingest.decode import decode_batch
from segue.log.quality import Count
from segue.service.service import Service

EVENTS = """
- event: Order Completed
  description: Placed an order.
  mode: block
  properties:
    revenue: {type: number, required: true}
- event: Login
  description: Came in.
  properties:
    method: {type: text, enum: [password, key]}
"""


def write_workspace(folder: Path, events: str = EVENTS) -> Path:
    (folder / "events").mkdir(parents=True, exist_ok=True)
    (folder / "events" / "all.yaml").write_text(events, encoding="utf-8")
    (folder / "segue.yaml").write_text("timezone: UTC\n", encoding="utf-8")
    return folder


def track(name: str, number: int, /, **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "userId": f"u{number}", "messageId": f"m{number}", **fields}


def post(service: Service, events: Sequence[dict[str, Any]], source: str = "web") -> Any:
    return service.post(decode_batch(json.dumps({"batch": list(events)}).encode()), source).result()


def counted(service: Service) -> dict[tuple[str, str, str], int]:
    """All counts by source, outcome and detail."""
    counts: Sequence[Count] = service.log.quality()[0]
    return {(each.source, each.what, each.detail): each.count for each in counts if each.count}


EXPECTED = {
    ("web", "rows", ""): 8,
    ("web", "kept", ""): 4,
    ("web", "duplicate", ""): 1,
    ("web", "quarantined", "E472"): 1,
    ("web", "quarantined", "E473"): 1,
    ("web", "quarantined", "E521"): 1,
    ("web", "violation", "Order Completed: revenue E472"): 1,
    ("web", "violation", "Order Completed: revenue E473"): 1,
    ("web", "violation", "Login: method E474"): 1,
    ("web", "unknown_event", ""): 1,
}


def test_everything_that_comes_in_is_counted(tmp_path: Path) -> None:
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    events = [
        track("Order Completed", 1, properties={"revenue": 5}),
        track("Order Completed", 2, properties={}),
        track("Order Completed", 3, properties={"revenue": "5"}),
        track("Login", 4, properties={"method": "smoke"}),
        track("Login", 4, properties={"method": "smoke"}),
        track("Login", 5, properties={"method": "key"}),
        track("Logout", 6),
        {"type": "track", "event": "Login", "messageId": "m7"},
    ]
    with Service.open(workspace, data, clock="wall") as service:
        service.start()
        tally = post(service, events)
        assert tally.adds_up()
        assert counted(service) == EXPECTED
    with Service.open(workspace, data, clock="wall") as service:
        assert counted(service) == EXPECTED
        held = {each.event.code: each for each in service.quarantine()}
        assert held["E473"].event.message == 'Order Completed: revenue is "5", not of type number'
        service.quarantine_replay(held["E473"].id, json.dumps(track("Order Completed", 3, properties={"revenue": 5})).encode())  # noqa: E501 # fmt: skip
        assert counted(service)["web", "kept", ""] == 5
        assert counted(service)["web", "rows", ""] == 9

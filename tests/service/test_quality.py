"""What became of events is counted, by source and day, and the counts are kept with the events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

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
    return {(each.source, each.what, each.detail): each.number for each in counts if each.number}


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


TABLE_PLAN = """
- event: bought
  description: Words.
  properties:
    price: {type: number, required: true}
    size: {type: text, enum: [S, M]}
    code: {type: text, pattern: "[A-Z]+"}
    many: {type: integer}
- event: sold
  description: Words.
  additional: true
  properties:
    price: {type: text}
- event: lent
  description: Words.
  mode: off
  properties:
    never: {required: true}
"""
TABLE = """\
user_id,event,timestamp,price,size,code,many,note
a,bought,2026-11-01,1.5,S,AB,3,
a,bought,2026-11-02,,S,AB,3,
a,bought,2026-11-03,2,L,AB,3,
a,bought,2026-11-04,2,M,ab,3,
a,bought,2026-11-05,2,M,,3,why
a,sold,2026-11-06,2,X,AB,3,why
a,lent,2026-11-07,2,X,AB,3,why
a,given,2026-11-08,2,X,AB,3,why
"""
TABLE_BREACHES = {
    "bought: price E472": 1, "bought: size E474": 1, "bought: code E475": 1,
    "bought: properties E471": 1, "sold: price E473": 1,
}  # fmt: skip


@pytest.mark.parametrize("mode", ["off", "warn", "block"])
def test_a_table_is_held_to_the_plan(tmp_path: Path, mode: str) -> None:
    """Blocked rows go by the careful road and are set aside, with the same verdicts."""
    workspace = write_workspace(tmp_path / "workspace", TABLE_PLAN)
    (workspace / "segue.yaml").write_text(f"events: {{mode: {mode}}}\n", encoding="utf-8")
    (tmp_path / "table.csv").write_text(TABLE, encoding="utf-8")
    with Service.open(workspace, tmp_path / "data") as service:
        tally = service.import_file(tmp_path / "table.csv", None, "shop", lambda _done, _total: None)
        found = counted(service)
    assert tally.adds_up()
    broken = {} if mode == "off" else TABLE_BREACHES
    assert {key[2]: number for key, number in found.items() if key[1] == "violation"} == broken
    assert tally.unknown_event == (0 if mode == "off" else 1)
    assert tally.violation == len(broken)
    assert tally.quarantined == (6 if mode == "block" else 0)
    assert found["shop", "kept", ""] == tally.accepted == 8 - tally.quarantined

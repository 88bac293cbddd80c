"""Events seen against events planned, and a plan made of what was seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from segue.domain.time import format_instant
from segue.ingest.planned.plan import TrackingPlan
from segue.segments.workspace import load_workspace
from segue.service.events.shape import shape_of
from tests.api.serving import serving
from tests.cli.segue import here

START_MS = 1_790_000_000_000
SEGMENTS = """
- segment: buyers
  owner: crm@shop.example
  description: Words.
  when: count("Order Completed" where gift == true) >= 1 or sum("Refunded".total) > 5
"""


def order(number: int, **properties: Any) -> dict[str, Any]:
    return {
        "type": "track", "event": "Order Completed", "userId": f"u{number}", "messageId": f"m{number}",
        "timestamp": format_instant(START_MS + number),
        "properties": {
            "order_id": f"{number:08x}-0000-4000-8000-000000000000",
            "total": number if number % 2 else number + 0.5,
            "currency": ("EUR", "GBP")[number % 2],
            "customer_email": f"u{number}@shop.example",
            "at": format_instant(START_MS + number),
            "note": None if number % 3 else "x" * number,
            "mixed": number if number % 2 else "text",
            "products": [{"sku": f"s{number}", "price": 1.5}] * (number % 3),
            "cart": {"size": number, "tags": {"a": True}},
            **properties,
        },
    }  # fmt: skip


UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
EXPECTED = {
    "order_id": {"type": "text", "required": True, "pattern": UUID},
    "total": {"type": "number", "required": True},
    "currency": {"type": "text", "required": True, "enum": ["EUR", "GBP"]},
    "customer_email": {"type": "text", "required": True, "pii": True},
    "at": {"type": "time", "required": True},
    "note": {"type": "text"},
    "mixed": {"required": True},
    "products": {
        "type": "list", "required": True,
        "items": {"type": "object", "properties": {
            "sku": {"type": "text", "required": True}, "price": {"type": "number", "required": True},
        }},
    },
    "cart": {
        "type": "object", "required": True,
        "properties": {
            "size": {"type": "number", "required": True},
            "tags": {
                "type": "object", "required": True, "properties": {"a": {"type": "truth", "required": True}},
            },
        },
    },
    "gift": {},
}  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A shop without a plan, with thirty orders."""
    folder = tmp_path / "workspace"
    (folder / "segments").mkdir(parents=True)
    (folder / "segments" / "all.yaml").write_text(SEGMENTS, encoding="utf-8")
    (folder / "segue.yaml").write_text("timezone: UTC\n", encoding="utf-8")
    events = [order(at) for at in range(30)] + [
        {"type": "track", "event": "Bare", "userId": "u", "messageId": "b"}
    ]
    events[-1]["timestamp"] = format_instant(START_MS)
    (tmp_path / "events.jsonl").write_text(
        "".join(json.dumps(each) + "\n" for each in events), encoding="utf-8"
    )
    assert here("import", tmp_path / "events.jsonl", "--workspace", folder).status == 0
    return folder


def test_a_plan_is_written_from_what_was_seen(workspace: Path) -> None:
    ended = here("events", "infer", "--workspace", workspace)
    assert ended.status == 0, ended.err
    (planned, bare, asked) = yaml.safe_load(
        (workspace / "events" / "inferred.yaml").read_text(encoding="utf-8")
    )
    assert planned["event"] == "Order Completed"
    assert planned["description"].startswith("Seen 30 times on 20")
    assert planned["properties"] == EXPECTED
    assert (bare["event"], bare.get("properties")) == ("Bare", None)
    assert asked == {"event": "Refunded", "description": "Not seen yet; a condition asks for it."}
    assert here("check", "--workspace", workspace).status == 0
    assert "4" not in here("events", "infer", "--workspace", workspace).out
    assert [path.name for path in (workspace / "events").iterdir()] == ["inferred.yaml"]


def test_what_it_was_made_of_keeps_to_it(workspace: Path) -> None:
    """The control is an event of another kind."""
    here("events", "infer", "--workspace", workspace)
    plan = load_workspace(workspace, environment={}).tracking_plan()
    texts = [json.dumps(order(at)["properties"]).encode() for at in range(30)]
    assert isinstance(plan, TrackingPlan)
    assert plan.verdicts(["Order Completed"] * 30, texts) == []
    assert plan.verdicts(["Order Completed"], [json.dumps(order(1, total="9")["properties"]).encode()]) != []


def test_names_are_listed_against_the_plan(workspace: Path) -> None:
    (workspace / "events").mkdir()
    plan = "- {event: order completed, description: d}\n- {event: Refunded, description: d}\n"
    (workspace / "segue.yaml").write_text("events: {mode: 'off'}\n", encoding="utf-8")
    (workspace / "events" / "plan.yaml").write_text(plan, encoding="utf-8")
    rows = here("events", "--workspace", workspace, "--json").rows
    assert [(row["event"], row["status"], row["count"]) for row in rows] == [
        ("Order Completed", "not planned", 30), ("Bare", "not planned", 1),
        ("Refunded", "never seen", 0), ("order completed", "never seen", 0),
    ]  # fmt: skip
    assert rows[0]["did_you_mean"] == "order completed"
    assert "order completed" in here("events", "--workspace", workspace).out


def test_nothing_is_written_when_it_is_printed(workspace: Path) -> None:
    printed = here("events", "infer", "--print", "--workspace", workspace)
    assert yaml.safe_load(printed.out)[0]["properties"] == EXPECTED
    assert not (workspace / "events").exists()


def test_an_empty_log_has_nothing_to_plan(tmp_path: Path) -> None:
    (tmp_path / "segue.yaml").write_text("timezone: UTC\n", encoding="utf-8")
    assert here("events", "--workspace", tmp_path, "--json").rows == []
    assert here("events", "infer", "--workspace", tmp_path).status == 0
    assert not (tmp_path / "events").exists()


def test_beside_a_server_too(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.track("ann", "Order Completed", total=5)
        assert [row["event"] for row in server.control("events")] == ["Order Completed"]
        (found,) = server.control("events infer", write=True)
        assert Path(found["file"]).name == "inferred.yaml"
    assert load_workspace(tmp_path / "workspace", environment={}).plan.keys() == {"Order Completed"}


def test_an_object_whose_keys_are_data_is_free() -> None:
    found = shape_of({"by_user": {f"u{at}": 1}} for at in range(150)).properties()
    assert found is not None
    assert found["by_user"].properties is None


def test_few_texts_are_no_choice_when_they_were_seen_seldom() -> None:
    (few,) = (shape_of({"a": "xy"[at % 2]} for at in range(19)).properties() or {}).values()
    (many,) = (shape_of({"a": "xy"[at % 2]} for at in range(20)).properties() or {}).values()
    assert (few.enum, many.enum) == ((), ("x", "y"))

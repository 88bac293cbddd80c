"""From an event to a receiver and back to ``GET /v1/deliveries``, with a real server and real receivers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from segue.domain.signature import verify
from tests.api.serving import Running, eventually, serving, write_workspace
from tests.deliver.sinks.receiver import Receiver, Reply

SETTINGS = "timezone: UTC\nprivate_targets: 127.0.0.0/8\n"
DESTINATIONS = """
- destination: crm
  kind: webhook
  owner: crm@shop.example
  description: Hears of buyers.
  address: {url}
  secrets: CRM_SECRET
- destination: lines
  kind: file
  owner: crm@shop.example
  description: Keeps them.
  path: crm/buyers.jsonl
"""
TRIGGER = """
trigger: greet
owner: crm@shop.example
description: Greets buyers.
on: segment("buyers") entered
to: [crm, lines]
"""
Row = dict[str, Any]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("delivering")
    workspace = write_workspace(folder / "workspace")
    (workspace / "segue.yaml").write_text(SETTINGS, encoding="utf-8")
    texts = {"destinations": DESTINATIONS.format(url=receiver.url), "triggers": TRIGGER}
    for name, text in texts.items():
        (workspace / name).mkdir()
        (workspace / name / "all.yaml").write_text(text, encoding="utf-8")
    with serving(folder, environment={"CRM_SECRET": "word"}) as running:
        yield running


def listed(server: Running, **query: str) -> list[Row]:
    answer = server.http.get("/v1/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    found: list[Row] = answer.json()["deliveries"]
    return found


def settled(server: Running, count: int, **query: str) -> list[Row]:
    """So many deliveries, once none of them is pending."""

    def found() -> list[Row] | None:
        rows = listed(server, **query)
        return rows if len(rows) == count and not any(row["state"] == "pending" for row in rows) else None

    return eventually(found)


def test_an_event_becomes_a_signed_request_and_a_line(server: Running, receiver: Receiver) -> None:
    server.track("ada", "Order Completed", total=5)
    rows = settled(server, 2, user="ada")
    assert {row["destination"]: row["state"] for row in rows} == {"crm": "sent", "lines": "sent"}
    (change,) = server.http.get("/v1/changes", params={"segment": "buyers"}).json()["changes"]
    (got,) = receiver.taken
    assert verify(got.headers, got.body, ["word"]) == change["id"] == rows[0]["id"]
    line = json.loads((server.data / "deliveries" / "crm" / "buyers.jsonl").read_bytes())
    assert (line["id"], line["user_id"], line["trigger"]) == (change["id"], "ada", "greet")
    assert json.dumps(line["body"], sort_keys=True) == json.dumps(json.loads(got.body), sort_keys=True)
    (shown,) = listed(server, user="ada", destination="crm", body="true")
    assert shown["body"] == got.body.decode()
    assert "body" not in rows[0]


def test_dead_letters_are_replayed(server: Running, receiver: Receiver) -> None:
    receiver.decide = lambda _: Reply(410)
    try:
        server.track("bob", "Order Completed", total=5)
        (dead,) = settled(server, 1, user="bob", destination="crm")
    finally:
        receiver.decide = lambda _: Reply()
    assert (dead["state"], dead["reason"], dead["attempts"]) == ("dead", "answered with 410: gone", 1)
    assert listed(server, state="dead") == [dead]
    metrics = server.http.get("/metrics").text
    assert 'segue_deliveries_dead{destination="crm"} 1.0' in metrics
    assert 'segue_deliveries_total{destination="crm",outcome="dead"} 1.0' in metrics
    answer = server.http.post("/v1/deliveries/replay", json={"user": "bob"})
    assert answer.json() == {"replayed": 1}
    (sent,) = eventually(lambda: listed(server, state="sent", user="bob", destination="crm"))
    assert sent["id"] == dead["id"]
    assert [got.headers["webhook-id"] for got in receiver.taken].count(dead["id"]) == 1
    assert server.control("deliveries replay", user="bob") == [{"replayed": 0}]


def test_pages_leave_out_nothing(server: Running) -> None:
    for at in range(5):
        server.track(f"page-{at}", "Order Completed", total=5)
    eventually(lambda: len(listed(server, trigger="greet", destination="lines", state="sent")) >= 6)
    eventually(lambda: not listed(server, destination="lines", state="pending"))
    whole = listed(server, destination="lines")
    rows: list[Row] = []
    query = {"destination": "lines", "limit": "2"}
    while True:
        page = server.http.get("/v1/deliveries", params=query).json()
        assert len(page["deliveries"]) <= 2
        rows += page["deliveries"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert [row["number"] for row in rows] == [row["number"] for row in whole]
    numbers = [row["number"] for row in whole]
    assert numbers == sorted(numbers, reverse=True)
    assert server.control("deliveries", state="all", destination="lines", limit=3) == whole[:3]


@pytest.mark.parametrize(
    "query", [{"state": "gone"}, {"limit": "0"}, {"cursor": "x"}, {"body": "yes"}, {"cursor": "WyJhIl0"}]
)
def test_questions_that_are_none(server: Running, query: dict[str, str]) -> None:
    answer = server.http.get("/v1/deliveries", params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, "E743")


@pytest.mark.parametrize("body", [{}, {"destination": 5}, {"destination": ""}, {"state": "dead"}, []])
def test_replays_of_nothing_in_particular_are_refused(server: Running, body: Any) -> None:
    answer = server.http.post("/v1/deliveries/replay", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "E744")


def test_an_unknown_filter_finds_nothing(server: Running) -> None:
    assert listed(server, destination="nowhere") == []
    assert server.http.post("/v1/deliveries/replay", json={"id": "none"}).json() == {"replayed": 0}


def test_an_address_that_is_edited_is_used_at_once(server: Running, receiver: Receiver) -> None:
    other = Receiver()
    other.start()
    file = server.folder / "workspace" / "destinations" / "all.yaml"
    file.write_text(DESTINATIONS.format(url=other.url), encoding="utf-8")
    server.control("apply", folder=str((server.folder / "workspace").resolve()))
    before = len(receiver.got)
    server.track("cleo", "Order Completed", total=5)
    settled(server, 2, user="cleo")
    other.stop()
    assert len(other.taken) == 1
    assert len(receiver.got) == before

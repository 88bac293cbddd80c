"""What became of events is counted, by source and day, and the counts are kept with the events."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from segue.domain.time import DAY, HOUR, format_instant
from segue.ingest.decode import decode_batch
from segue.log.batch import EventBatch
from segue.log.quality import Count
from segue.service.quality.anomalies import anomalies
from segue.service.quality.report import report
from segue.service.quality.watch import Watch
from segue.service.service import Service
from tests.cli.segue import here

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
    ("web", "violation", ""): 3,
    ("web", "breach", "Order Completed: revenue E472"): 1,
    ("web", "breach", "Order Completed: revenue E473"): 1,
    ("web", "breach", "Login: method E474"): 1,
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
    assert {key[2]: number for key, number in found.items() if key[1] == "breach"} == broken
    assert tally.unknown_event == (0 if mode == "off" else 1)
    assert tally.violation == len(broken)
    assert tally.quarantined == (6 if mode == "block" else 0)
    assert found["shop", "kept", ""] == tally.accepted == 8 - tally.quarantined


# ---- the account -----------------------------------------------------------------------------


def some_of_everything(service: Service) -> None:
    """Events of every fate that needs no forgetting."""
    post(service, [track("Login", 1), track("Login", 1), track("Order Completed", 2), {"type": "track"}])
    post(service, [track("Login", 3, properties={"method": "key"})], source="app")


def balanced(service: Service) -> tuple[str, ...]:
    return tuple(found.message for found in report(service.core).balance.findings)


def test_the_account_comes_out_even(tmp_path: Path) -> None:
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data, clock="wall") as service:
        service.start()
        some_of_everything(service)
        service.core.drain()
        found = report(service.core).balance
        assert (found.accepted, found.processed, found.in_flight) == (5, 2, 0)
        assert (found.duplicate, found.quarantined) == (1, 2)
        assert found.findings == ()
        service.log.close_stretch(1)
        assert balanced(service) == ()
        assert service.forget("u1")
        assert balanced(service) == ()
    with Service.open(workspace, data, clock="wall") as service:
        assert balanced(service) == ()


def test_what_waits_to_be_evaluated_is_in_flight(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    with Service.open(workspace, tmp_path / "data", clock="wall") as service:
        service.start()
        with service.core.turn:
            post(service, [track("Login", 1), track("Login", 2)])
            found = report(service.core).balance
            assert (found.accepted, found.processed, found.in_flight) == (2, 0, 2)
            assert found.findings == ()


BREAKAGES = {
    "an event lost": "DELETE FROM batches WHERE first_seq = (SELECT max(first_seq) FROM batches)",
    "a count lost": "UPDATE quality SET number = number - 1 WHERE what = 'kept' AND source = 'web'",
    "a row counted twice": "UPDATE quality SET number = number + 1 WHERE what = 'rows' AND source = 'web'",
    "a held event lost": "DELETE FROM quarantine WHERE id = 1",
}


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_an_account_that_does_not_come_out_even_is_told(tmp_path: Path, breakage: str) -> None:
    """The control of all that is above: each loss is seen, by the command too."""
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data, clock="wall") as service:
        service.start()
        some_of_everything(service)
        service.core.drain()
    told = ("quality", "--workspace", workspace, "--data", data)
    assert here(*told).status == 0
    with closing(sqlite3.connect(data / "log.db")) as database, database:
        assert database.execute(BREAKAGES[breakage]).rowcount == 1
    ended = here(*told)
    assert ended.status == 1
    assert "E555" in ended.err
    assert here(*told, "--json").row["balance"]["holds"] is False


def test_a_transaction_that_fails_counts_nothing(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    with Service.open(workspace, tmp_path / "data") as service:
        before = service.log.quality()
        batch = EventBatch(99, "web", [0])
        with pytest.raises(ValueError, match="is next"):
            service.log.append([batch], (), [Count("2026-11-22", "web", "kept", "", 1)])
        assert service.log.quality() == before


def test_a_folder_from_before_there_were_counts_begins_with_what_it_holds(tmp_path: Path) -> None:
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data, clock="wall") as service:
        service.start()
        some_of_everything(service)
    with closing(sqlite3.connect(data / "log.db")) as database, database:
        for table in ("quality", "trigger_names", "firings", "going_back", "imported", "sums"):
            database.execute(f"DROP TABLE {table}")
        database.execute("ALTER TABLE stretches DROP COLUMN digest")
        database.execute("DELETE FROM schema_version WHERE version > 2")
    with Service.open(workspace, data, clock="wall") as service:
        assert balanced(service) == ()
        (line,) = report(service.core).lines
        assert (line.day, line.numbers["accepted"], line.numbers["kept"]) == ("", 4, 2)


# ---- values ----------------------------------------------------------------------------------

SEGMENTS = """
segment: spenders
owner: crm@shop.example
description: Words.
when: sum("Order".total, last 30d) > 5 and avg("Order".cart.size) > 1 and max(page.depth) > 2
"""


def test_values_that_are_no_numbers_are_counted(tmp_path: Path) -> None:
    """Numerals are numbers, and null is absent; both were counted until lists are."""
    workspace = write_workspace(tmp_path / "workspace", "[]")
    (workspace / "segments").mkdir()
    (workspace / "segments" / "one.yaml").write_text(SEGMENTS, encoding="utf-8")
    values: list[Any] = [1, "2.5", None, "many", [3], 1e14, True]
    events = [track("Order", at, properties={"total": value}) for at, value in enumerate(values)]
    events += [
        track("Order", 20, properties={"cart": {"size": "L"}}),
        track("Other", 21, properties={"total": "x"}),
    ]
    events += [{"type": "page", "userId": "u", "messageId": "p", "properties": {"depth": "deep"}}]
    with Service.open(workspace, tmp_path / "data", clock="wall") as service:
        service.start()
        post(service, events)
        expected = {("Order", "total"): 4, ("Order", "cart.size"): 1, ("page", "depth"): 1}
        for _ in range(2):
            found = report(service.core)
            assert {(e.asked.event, ".".join(e.asked.path)): e.number for e in found.non_numeric} == expected
            (line,) = found.lines
            assert line.numbers["non_numeric"] == 6
        post(service, [track("Order", 30, properties={"total": "x"})], source="app")
        assert sum(each.number for each in report(service.core).non_numeric) == 7


def test_times_and_oddities_are_counted(tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000
    workspace = write_workspace(tmp_path / "workspace", "[]")
    events = [
        track("A", 1, timestamp=format_instant(now - HOUR)),
        track("A", 2, timestamp=format_instant(now + HOUR)),
        track("A", 3, timestamp="soon"),
        track("A", 4, properties=[1]),
        {"type": "track", "event": "A", "messageId": "m5"},
        {"type": "alias", "userId": "a", "messageId": "m6"},
        {"type": "group", "userId": "a", "messageId": "m7"},
    ]
    with Service.open(workspace, tmp_path / "data", clock="wall") as service:
        service.start()
        post(service, events)
        (line,) = report(service.core).lines
    expected = {"late": 1, "future": 1, "unparsed_timestamp": 1, "non_object": 1, "missing_id": 3}
    assert {name: line.numbers[name] for name in expected} == expected


# ---- what looks wrong ------------------------------------------------------------------------


def at(day: int, number: int) -> str:
    return format_instant(1_790_000_000_000 - 1_790_000_000_000 % DAY + day * DAY + number * 1_000)


def daily(name: str, counts: Sequence[int]) -> list[dict[str, Any]]:
    """So many events of a name on each day."""
    return [
        {**track(name, number), "messageId": f"{name}-{day}-{number}", "timestamp": at(day, number)}
        for day, count in enumerate(counts)
        for number in range(count)
    ]


def found_in(folder: Path, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    workspace = write_workspace(folder / "workspace", "[]")
    last = {"type": "page", "userId": "clock", "messageId": "clock", "timestamp": at(10, 1)}
    (folder / "events.jsonl").write_text(
        "".join(json.dumps(each) + "\n" for each in [*events, last]), encoding="utf-8"
    )
    with Service.open(workspace, folder / "data") as service:
        service.import_file(folder / "events.jsonl", None, "web", lambda _done, _total: None)
        return [each.to_json() for each in anomalies(service.core)]


def test_unusual_rates_are_found(tmp_path: Path) -> None:
    even = [50, 48, 52, 50, 49, 51, 50, 50, 50]
    events = daily("Steady", [*even, 55]) + daily("Burst", [*even, 200]) + daily("Gone", [*even, 0])
    events += daily("New", [0, 0, 0, 0, 0, 0, 0, 0, 0, 300]) + daily("Rare", [1, 0, 0, 1, 0, 0, 1, 0, 0, 0])
    found = found_in(tmp_path, events)
    assert [(each["kind"], each["event"], each["count"]) for each in found] == [
        ("rate", "Burst", 200), ("rate", "Gone", 0),
    ]  # fmt: skip


def test_shared_addresses_are_found_but_not_those_of_one_person(tmp_path: Path) -> None:
    def identify(user: str, number: int, **more: Any) -> dict[str, Any]:
        return {
            "type": "identify",
            "userId": user,
            "messageId": f"i{number}",
            "timestamp": at(9, number),
            **more,
        }

    events = [
        identify("a", 1, traits={"email": "Ann@shop.example"}),
        identify("b", 2, traits={"email": " ann@shop.example"}),
        identify("c", 3, traits={"email": "c@shop.example"}),
        identify("c", 4, traits={"email": "c@shop.example"}),
        identify("d", 5, traits={"email": "d@shop.example"}),
        {"type": "alias", "userId": "d2", "previousId": "d", "messageId": "x", "timestamp": at(9, 6)},
        identify("d2", 7, traits={"email": "d@shop.example"}),
        identify("e", 8, traits={"email": ""}),
        identify("f", 9, traits={"email": ""}),
    ]
    (found,) = found_in(tmp_path, events)
    assert (found["kind"], found["email"], found["users"]) == ("shared_email", "a…@shop.example", ["a", "b"])
    assert "ann" not in found["text"]


def test_likely_duplicates_are_found(tmp_path: Path) -> None:
    def bought(number: int, **more: Any) -> dict[str, Any]:
        return {
            "type": "track", "event": "Bought", "userId": "a", "messageId": f"b{number}",
            "timestamp": at(9, 1), "properties": {"total": 5}, **more,
        }  # fmt: skip

    events = [
        bought(1), bought(2), bought(3), bought(4, userId="b"), bought(5, properties={"total": 6}),
        bought(6, timestamp=at(9, 2)), bought(7, event="Sold"),
    ]  # fmt: skip
    (found,) = found_in(tmp_path, events)
    assert (found["kind"], found["event"], found["count"], found["user_id"]) == (
        "likely_duplicates",
        "Bought",
        2,
        "a",
    )
    assert found["message_ids"] == ["b1", "b3"]


def test_a_look_is_logged_without_naming_anyone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    people = [
        {
            "type": "identify",
            "userId": f"Ann{number}",
            "messageId": f"i{number}",
            "traits": {"email": "Ann@x.example"},
        }
        for number in range(2)
    ]
    with Service.open(workspace, data, clock="wall") as service:
        service.start()
        post(service, people)
        watch = Watch(service.core, 20)
        watch.start()
        while not caplog.records:
            time.sleep(0.01)
        watch.stop()
    assert caplog.records[0].getMessage() == "shared_email: 2 profiles share an e-mail address"
    assert "ann" not in caplog.text.lower()

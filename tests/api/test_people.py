"""A copy of what is held of a person, by HTTP, on a real server."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.api.serving import eventually, serving

EVENTS = 3_000


def test_a_copy_is_written_as_it_is_read(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        for first in range(0, EVENTS, 1_000):
            batch = [
                {"type": "track", "event": "Looked", "userId": ("ann", "bob")[at % 2], "messageId": f"m{at}"}
                for at in range(first, first + 1_000)
            ]
            assert server.http.post("/v1/batch", json={"batch": batch}).status_code == 200
        server.track("ann", "Order Completed", note="=1+1")
        server.http.post("/v1/track", json={"userId": "ann"})
        eventually(lambda: server.segments_of("ann") == ["buyers"])
        with server.http.stream("GET", "/v1/users/ann/export") as answer:
            assert answer.headers["content-type"] == "application/json"
            assert "content-length" not in answer.headers
            answer.read()
        found = answer.json()
        assert len(found["events"]) == EVENTS // 2 + 1
        assert {event["userId"] for event in found["events"]} == {"ann"}
        assert [change["segment"] for change in found["changes"]] == ["buyers"]
        assert [held["code"] for held in found["quarantined"]] == ["E524"]
        table = server.http.get("/v1/users/ann/export", params={"format": "csv"})
        assert table.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(table.text)))
        assert [row["messageId"] for row in rows] == [event["messageId"] for event in found["events"]]


def test_of_a_stranger_there_is_nothing_and_other_forms_are_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        found = server.http.get("/v1/users/nobody/export").json()
        assert (found["known"], found["events"]) == (False, [])
        refused = server.http.get("/v1/users/nobody/export", params={"format": "xml"})
        assert (refused.status_code, refused.json()["code"]) == (400, "E743")

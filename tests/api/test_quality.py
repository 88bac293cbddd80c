"""Quality and suppression by HTTP, on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.serving import Running, eventually, serving


def lines(server: Running) -> list[dict[str, object]]:
    found: list[dict[str, object]] = server.http.get("/v1/quality").json()["days"]
    return found


def test_the_report(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.track("ann", "Order Completed", total="many")
        server.http.post("/v1/track", json={"event": "Order Completed"})
        eventually(lambda: server.segments_of("ann") == ["buyers"])
        (line,) = lines(server)
        expected = {"accepted": 2, "kept": 1, "quarantined": 1, "missing_id": 1, "non_numeric": 1}
        assert {name: line[name] for name in expected} == expected
        found = server.http.get("/v1/quality", params={"days": 1}).json()
        assert found["balance"]["holds"] is True
        assert (
            found["balance"]["accepted"]
            == found["balance"]["processed"] + found["balance"]["quarantined"]
            == 2
        )
        assert found["quarantined"] == [{"code": "E521", "count": 1}]
        assert server.http.get("/v1/quality/anomalies").json() == {"anomalies": []}


@pytest.mark.parametrize("days", ["0", "-1", "x", "1.5", "٣", "9999999"])
def test_days_are_a_whole_number(tmp_path: Path, days: str) -> None:
    with serving(tmp_path) as server:
        answer = server.http.get("/v1/quality", params={"days": days})
        assert (answer.status_code, answer.json()["code"]) == (400, "E743")


def test_suppression_holds_when_the_answer_is_there_and_outlives_a_kill(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.track("a/nn", "Order Completed")
        eventually(lambda: server.segments_of("a/nn"))
        path = "/v1/users/a%2Fnn/suppression"
        assert server.http.get(path).json() == {"user_id": "a/nn", "suppressed": False}
        assert server.http.put(path).json() == {"user_id": "a/nn", "suppressed": True}
        server.track("a/nn", "Order Completed")
        server.http.get("/v1/pixel/track", params={"userId": "a/nn", "event": "Order Completed"})
        assert server.segments_of("a/nn") == []
        assert server.http.get("/user/segments", params={"user_id": "a/nn"}).json()["known"] is False
        server.process.kill()
        server.process.wait()
    with serving(tmp_path) as server:
        assert server.http.get(path).json()["suppressed"] is True
        server.track("a/nn", "Order Completed")
        assert sum(int(str(line["suppressed"])) for line in lines(server)) == 3
        assert server.http.delete(path).json() == {"user_id": "a/nn", "suppressed": False}
        eventually(lambda: server.segments_of("a/nn") == ["buyers"])
        server.track("a/nn", "Order Completed")
        assert sum(int(str(line["kept"])) for line in lines(server)) == 2

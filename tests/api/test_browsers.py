"""What browsers' SDKs load before they send anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.serving import Running, serving, write_workspace

ORIGIN = {"Origin": "https://shop.example"}


def test_analytics_next_is_told_to_send_here_and_nowhere_else(server: Running) -> None:
    answer = server.http.get("/v1/projects/my_key/settings", headers=ORIGIN)
    found = answer.json()
    host = str(server.http.base_url).removeprefix("http://").rstrip("/")
    assert list(found["integrations"]) == ["Segment.io"]
    own = found["integrations"]["Segment.io"]
    assert (own["apiKey"], own["apiHost"], own["protocol"]) == ("my_key", f"{host}/v1", "http")
    assert found["metrics"] == {"sampleRate": 0}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "private, max-age=120"


def test_a_proxy_tells_the_protocol(server: Running) -> None:
    headers = {"Host": "events.shop.example", "X-Forwarded-Proto": "https"}
    found = server.http.get("/v1/projects/k/settings/", headers=headers).json()
    own = found["integrations"]["Segment.io"]
    assert (own["apiHost"], own["protocol"]) == ("events.shop.example/v1", "https")
    odd = server.http.get("/v1/projects/k/settings", headers={"Host": 'x"/evil'})
    assert (odd.status_code, odd.json()["code"]) == (400, "E743")


def test_rudder_js_is_given_a_source_without_destinations(server: Running) -> None:
    query = "p=npm&v=3.34.1&build=modern&writeKey=k&lockIntegrationsVersion=false"
    answer = server.http.get(f"/sourceConfig/?{query}", headers={"Authorization": "Basic azo=", **ORIGIN})
    source = answer.json()["source"]
    assert (source["enabled"], source["writeKey"], source["destinations"]) == (True, "k", [])
    assert source["id"]
    assert source["config"]["statsCollection"] == {
        "errors": {"enabled": False},
        "metrics": {"enabled": False},
    }
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/sourceConfig/", "/v1/projects/k/settings", "/beacon/v1/batch", "/v1/m"])
def test_preflights(server: Running, path: str) -> None:
    asked = {**ORIGIN, "Access-Control-Request-Headers": "anonymousid,authorization,rsa-recovered"}
    allowed = server.http.options(path, headers=asked)
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert allowed.headers["access-control-allow-headers"] == asked["Access-Control-Request-Headers"]
    assert allowed.headers["access-control-max-age"] == "900"
    assert {"GET", "POST"} <= set(allowed.headers["access-control-allow-methods"].split(", "))


def test_preflights_are_for_events_alone(server: Running) -> None:
    asked = server.http.options("/v1/segments", headers=ORIGIN)
    assert "access-control-allow-origin" not in asked.headers


def test_a_beacon_has_its_key_in_the_query(server: Running) -> None:
    batch = {"batch": [{"type": "track", "userId": "beacon", "event": "Left", "messageId": "b1"}]}
    for _ in range(2):
        answer = server.http.post(
            "/beacon/v1/batch?writeKey=k", content=json.dumps(batch), headers={"Content-Type": "text/plain"}
        )
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert len(server.http.get("/v1/users/beacon/events").json()["events"]) == 1


def test_statistics_of_sdks_are_dropped(server: Running) -> None:
    answer = server.http.post("/v1/m", content='{"series":[]}', headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})


def test_a_misspelt_path_is_refused_as_clients_read_it(server: Running) -> None:
    answer = server.http.post("/v1/batchs", json={"batch": []}, headers=ORIGIN)
    found = answer.json()
    assert (answer.status_code, found["code"], found["success"]) == (404, "E741", False)
    assert isinstance(found["message"], str)
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_script_that_nobody_named(server: Running) -> None:
    for path in ("/analytics.js/v1/k/analytics.min.js", "/analytics-next/bundles/part.js"):
        answer = server.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "E771")
        assert "analytics_js" in answer.json()["detail"]


def test_the_script_that_the_operator_named(tmp_path: Path) -> None:
    folder = write_workspace(tmp_path / "workspace")
    with (folder / "segue.yaml").open("a", encoding="utf-8") as file:
        file.write("analytics_js: scripts/standalone.js\npublic_url: https://events.shop.example/\n")
    with serving(tmp_path) as server:
        missing = server.http.get("/analytics.js/v1/k/analytics.min.js")
        assert (missing.status_code, missing.json()["code"]) == (404, "E771")
        (folder / "scripts").mkdir()
        (folder / "scripts" / "standalone.js").write_text("script()", encoding="utf-8")
        (folder / "scripts" / "part.bundle.1.js").write_text("part()", encoding="utf-8")
        (folder / "secret.js").write_text("secret()", encoding="utf-8")
        (folder / "scripts" / ".hidden.js").write_text("hidden()", encoding="utf-8")
        found = server.http.get("/analytics.js/v1/k/analytics.min.js")
        assert (found.text, found.headers["content-type"]) == ("script()", "text/javascript; charset=utf-8")
        assert server.http.get("/analytics-next/bundles/part.bundle.1.js").text == "part()"
        for other in ("..%2Fsecret.js", ".hidden.js", "segue.yaml", "%2E%2E%2Fsecret.js", "part.js%00"):
            assert server.http.get(f"/analytics-next/bundles/{other}").status_code == 404
        settings = server.http.get("/v1/projects/k/settings")
        own = settings.json()["integrations"]["Segment.io"]
        assert (own["apiHost"], own["protocol"]) == ("events.shop.example/v1", "https")
        assert settings.headers["cache-control"] == "public, max-age=120"

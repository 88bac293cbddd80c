"""Every metric is explained, and the server tells the truth in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from segue.observe import metrics, recording
from tests.api.serving import Running, eventually, serving
from tests.api.stream.hearing import listening

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
OWN = {metric.name: metric for metric in metrics.REGISTRY.collect() if metric.name.startswith("segue_")}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("observed")) as running:
        yield running


def shown(name: str) -> str:
    return f"{name}_total" if OWN[name].type == "counter" else name


def test_every_metric_has_its_line_and_no_line_is_left_over() -> None:
    lines = dict(re.findall(r"^\| `(segue_\w+)` \| (\w+) \|", PAGE, re.MULTILINE))
    assert lines == {shown(name): metric.type for name, metric in OWN.items()}


def test_the_labels_are_those_that_are_explained() -> None:
    lines = dict(re.findall(r"^\| `(segue_\w+)` \| \w+ \| ([^|]*)\|", PAGE, re.MULTILINE))
    for found in vars(metrics).values():
        name = getattr(found, "_name", None)
        if name in OWN:
            assert re.findall(r"\w+", lines[shown(name)]) == list(found._labelnames)


def test_a_stranger_who_invents_sources_invents_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "_sources", set())
    recording.taken((f"key-{number}", "accepted", 1) for number in range(500))
    assert len(recording._sources) == recording.SOURCES_MAX


def collected(server: Running) -> dict[tuple[str, ...], float]:
    """Values by name, and then by the labels in the order of their names."""
    answer = server.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    samples = [sample for each in families for sample in each.samples]
    return {(each.name, *(each.labels[name] for name in sorted(each.labels))): each.value for each in samples}


def test_what_happened_is_counted(server: Running) -> None:
    before = collected(server)

    def risen(*name: str) -> float:
        return collected(server).get(name, 0) - before.get(name, 0)

    events = [
        {"type": "track", "event": "Order Completed", "userId": f"m{at}", "messageId": f"m{at}"}
        for at in range(9)
    ]
    batch = {"batch": [*events, events[0], {"type": "nothing"}]}
    assert server.http.post("/v1/batch", json=batch).status_code == 200
    eventually(lambda: server.segments_of("m8"))
    assert risen("segue_events_total", "accepted", "default") == 9
    assert risen("segue_events_total", "duplicate", "default") == 1
    assert risen("segue_events_total", "quarantined", "default") == 1
    assert risen("segue_durable_seconds_count") == 1
    assert risen("segue_evaluated_seconds_count") == 1
    assert risen("segue_requests_total", "POST", "/v1/batch", "200") == 1
    assert risen("segue_request_seconds_count", "/v1/batch") == 1
    assert risen("segue_segment_members", "buyers") == 9
    assert risen("segue_changes") == 9
    assert collected(server)["segue_ready",] == 1
    assert collected(server)["segue_lag_records",] == 0
    assert collected(server)["segue_log_bytes",] > 4096
    assert collected(server)["process_resident_memory_bytes",] > 1e6


def test_a_path_at_which_nothing_is_has_one_line_for_all(server: Running) -> None:
    before = collected(server).get(("segue_requests_total", "GET", "none", "404"), 0)
    for number in range(5):
        server.http.get(f"/nothing/{number}")
    assert collected(server)["segue_requests_total", "GET", "none", "404"] == before + 5


def test_open_metrics_is_spoken_too(server: Running) -> None:
    answer = server.http.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_streams_and_pushes_are_counted(server: Running) -> None:
    with listening(server, "user_id=pushed") as heard:
        assert collected(server)["segue_streams",] == 1
        server.track("pushed", "Order Completed", total=1)
        heard.change()
        found = collected(server)
    assert found["segue_changes_pushed_total",] == 1
    assert found["segue_pushed_seconds_count",] == 1
    assert found["segue_connections",] >= 2

"""Whoever is forgotten leaves nothing in what was fired for them, nor in what was to be sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from segue.deliver.dispatch import Dispatcher
from segue.deliver.outbox import Outbox, State
from segue.ingest.decode import decode_events
from segue.log import outbox_file
from segue.log.sqlite import SqliteLog
from segue.service.service import Service
from tests.api.serving import eventually, serving
from tests.service.planted import EMAIL, USER, VALUE, call, events_of_the_person, found_in

OWNED = {"owner": "crm@shop.example", "description": "Of a test."}
TEMPLATE = {"mail": "{{user.traits.email}}", "note": "{{event.properties.note}}", "all": "{{user.traits}}"}
TRIGGERS = [
    {"trigger": "seen", **OWNED, "on": "event any", "to": ["hook", "stream"], "payload": TEMPLATE},
    {"trigger": "later", **OWNED, "on": "event any", "to": "hook", "delay": "1h", "payload": TEMPLATE},
    {"trigger": "held", **OWNED, "on": "event any", "to": "hook", "holdout": 0.999, "payload": TEMPLATE},
    {"trigger": "busy", **OWNED, "on": "count(any, last 1h) > 2", "hysteresis": 1, "to": "hook"},
]
HOOK = {
    "destination": "hook",
    **OWNED,
    "kind": "webhook",
    "address": "https://hook.invalid/",
    "secrets": ["HOOK"],
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    for name, written in (("triggers", TRIGGERS), ("destinations", HOOK)):
        (folder / name).mkdir(parents=True)
        (folder / name / "all.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
    return folder


def fill(service: Service) -> None:
    """Events of the person and of somebody else, and what triggers make of them."""
    events = [*events_of_the_person(0), {**call(90, "track", userId="ann"), "messageId": "hers"}]
    core = service.core
    with core.gate:
        taken = core.intake.accept(
            decode_events([json.dumps(each).encode() for each in events]), "tests", core.log.next_seq
        )
        core.append([taken.batch], [])
    outbox = Outbox(service.data)
    while Dispatcher(service, outbox).work():
        pass
    states = {each.state for each in outbox.deliveries()}
    assert states >= {State.PENDING, State.SENT, State.WAITING}
    outbox.close()


def left(data: Path) -> set[str]:
    """Of whom the outbox holds something."""
    outbox = Outbox(data)
    found = {each.user_id for each in outbox.deliveries()}
    outbox.close()
    return found


def test_nothing_is_left_in_the_outbox_and_the_log(workspace: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Service.open(workspace, data) as service:
        fill(service)
        assert {USER, EMAIL, VALUE} <= found_in(data)["outbox.db"]
        before = service.log.firings(0, 1_000)
        assert service.forget(USER)
        after = service.log.firings(0, 1_000)
        assert [each.number for each in after] == [each.number for each in before]
        assert {each.row for each in after} == {None, service.row_of("ann")}
    assert found_in(data) == {}
    assert left(data) == {"ann"}


def test_it_is_the_erasing_of_the_outbox_that_does_it(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_file, "erase", lambda _folder, _rows, _names: None)
    with Service.open(workspace, tmp_path / "data") as service:
        fill(service)
        service.forget(USER)
    assert "outbox.db" in found_in(tmp_path / "data")


def test_a_forgetting_that_was_broken_off_is_ended_at_the_next_start(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class BrokenError(Exception):
        pass

    def broken(*_: object) -> None:
        raise BrokenError

    data = tmp_path / "data"
    with Service.open(workspace, data) as service:
        fill(service)
        with monkeypatch.context() as patched:
            patched.setattr(SqliteLog, "forget", broken)
            patched.setattr(outbox_file, "erase", lambda _folder, _rows, _names: None)
            with pytest.raises(BrokenError):
                service.forget(USER)
        assert "outbox.db" in found_in(data)
    Service.open(workspace, data).close()
    assert found_in(data) == {}
    assert left(data) == {"ann"}


def test_a_running_server_sends_nothing_more_of_them(tmp_path: Path, workspace: Path) -> None:
    assert workspace.exists()
    with serving(tmp_path, environment={"HOOK": "whsec_" + "YWJj" * 8}) as server:
        hers = {**call(90, "track", userId="ann"), "messageId": "hers"}
        for event in (*events_of_the_person(0), hers):
            del event["timestamp"]
            assert server.http.post("/v1/batch", json={"batch": [event]}).status_code == 200
        eventually(lambda: "outbox.db" in found_in(server.data))
        assert server.control("forget", user=USER)[0]["forgotten"]
        assert "outbox.db" not in found_in(server.data)
        server.http.post("/v1/track", json={"userId": "ann", "event": "Order"})
        assert server.stop() == 0
    assert found_in(server.data) == {}
    assert left(server.data) == {"ann"}

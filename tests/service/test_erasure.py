"""Five markers of a person in every file and table: forgetting leaves none, and the rest is as it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from segue.domain.time import DAY, format_instant
from segue.log import forget as log_forget
from segue.log.sqlite import SqliteLog
from segue.log.store import Store
from segue.segments.override import ListEdit, Override
from segue.service.quality.report import report
from segue.service.service import Service
from segue.service.suppressing import suppress
from tests.api.serving import eventually, serving
from tests.service.planted import (
    EMAIL,
    MARKERS,
    OLD,
    START_MS,
    USER,
    VALUE,
    VISITOR,
    bad_events_of_the_person,
    call,
    events_of_the_person,
    found_in,
    free_pages,
)  # fmt: skip
from tests.service.test_forget import save

SEGMENTS = """
- segment: buyers
  owner: crm@shop.example
  description: Words.
  when: count("Order") >= 1 or list("press") or list("friends")
- segment: named
  owner: crm@shop.example
  description: Words.
  when: trait.email is present
"""
EVENTS = """
- event: Blocked
  description: Words.
  mode: block
  properties: {other: {}}
- event: Order
  description: Words.
"""
LISTS = f"""\
# People of the press.
- list: press
  users:
    - ann  # the first
    - {USER}
    - "{OLD}"
    - bob
- list: friends
  users: ["{USER}"]
"""
OTHERS: list[dict[str, Any]] = [
    {"type": "identify", "userId": "ann", "messageId": "o1", "traits": {"email": "ann@person.example"}},
    {"type": "track", "event": "Order", "userId": "bob", "messageId": "o2", "anonymousId": "phone"},
    {"type": "track", "event": "Order", "userId": "cat", "messageId": "o3"},
]
BAD_OTHERS = [{"type": "track", "userId": "ann", "messageId": "o4"}, '{"type": "track", "userId": "bob",']


def write_workspace(folder: Path) -> Path:
    for name, text in (("segments", SEGMENTS), ("events", EVENTS), ("lists", LISTS)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "all.yaml").write_text(text, encoding="utf-8")
    (folder / "lists" / "table.csv").write_text(f"user_id,note\nann,1\n{USER},2\nbob,3\n", encoding="utf-8")
    (folder / "segue.yaml").write_text("timezone: UTC\nevents: {mode: warn}\n", encoding="utf-8")
    return folder


def imported(service: Service, folder: Path, events: Sequence[Any], name: str = "events.jsonl") -> Any:
    lines = [each if isinstance(each, str) else json.dumps(each) for each in events]
    (folder / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    try:
        return service.import_file(folder / name, None, "tests", lambda _done, _total: None)
    finally:
        (folder / name).unlink()


def planted(service: Service, folder: Path) -> None:
    """The markers everywhere: a table's file, a closed stretch, the tail, quarantine, records, a snapshot."""
    moment = format_instant(START_MS)
    for event in OTHERS:
        event.setdefault("timestamp", moment)
    table = [
        "user_id,event,timestamp,note",
        f"{USER},Order,{moment},{VALUE}",
        f"ann,Order,{moment},x",
        f"{USER},,{moment},{VALUE}",
    ]
    imported(service, folder, table, "table.csv")
    imported(service, folder, [*events_of_the_person(1), *OTHERS])
    service.log.close_stretch(1)
    imported(service, folder, [*events_of_the_person(20), *bad_events_of_the_person(), *BAD_OTHERS])
    service.override(Override(USER, "named", False, by="dana", why=f"{VALUE} asked"))
    service.edit_list(ListEdit("press", f"anon:{VISITOR}", True))
    save(service)


def others(service: Service) -> Any:
    """All that is told of the others."""
    names = ("ann", "bob", "cat")
    events = [event for event in service.export_all() if event.get("userId") in names]
    held = [each.event.raw for each in service.quarantine(None)]
    changes = [change.to_json() for change in service.changes() if change.user_id in names]
    users = [{**service.user(name).to_json(), "version": 0} for name in names]
    return events, [raw for raw in held if b"Zq5" not in raw and b"ZQ5" not in raw], changes, users


def require_gone(service: Service, data: Path) -> None:
    assert found_in(data) == {}
    assert free_pages(data) == 0
    assert service.verify(lambda _done, _total: None) == []
    assert report(service.core).balance.findings == ()
    for name in (USER, OLD, f"anon:{VISITOR}"):
        assert not service.user(name).known
        assert service.events(name) == []
    assert "zq5" not in json.dumps([*service.export_all(), service.lists()]).lower()


def test_nothing_is_found_in_any_file_or_table(tmp_path: Path) -> None:
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data) as service:
        planted(service, tmp_path)
        before = found_in(data)
        assert set().union(*before.values()) == set(MARKERS)
        assert {Path(name).parts[0] for name in before} >= {"log.db", "history", "snapshot"}
        told = others(service)
        assert service.forget(OLD)
        require_gone(service, data)
        assert others(service) == told
        save(service)
        require_gone(service, data)
    assert found_in(tmp_path) == {}
    for _ in range(2):
        with Service.open(workspace, data) as service:
            require_gone(service, data)
            assert others(service) == told
            shutil.rmtree(data / "snapshot", ignore_errors=True)


def test_late_events_are_refused_and_suppressed_ones_never_come(tmp_path: Path) -> None:
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data) as service:
        planted(service, tmp_path)
        service.forget(USER)
        late = imported(service, tmp_path, events_of_the_person(50, START_MS - DAY))
        assert (late.refused, late.accepted) == (7, 0)
        suppress(service.core, USER)
    with Service.open(workspace, data) as service:
        later = imported(service, tmp_path, events_of_the_person(70, START_MS + DAY))
        assert (later.suppressed, later.accepted) == (7, 0)
        require_gone(service, data)


def test_the_lists_of_the_workspace_lose_them_and_nothing_else(tmp_path: Path) -> None:
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data) as service:
        planted(service, tmp_path)
        service.forget(USER)
        assert (workspace / "lists" / "all.yaml").read_text(encoding="utf-8") == (
            "# People of the press.\n- list: press\n  users:\n    - ann  # the first\n    - bob\n"
            "- list: friends\n  users: []\n"
        )
        assert (workspace / "lists" / "table.csv").read_text(
            encoding="utf-8"
        ) == "user_id,note\nann,1\nbob,3\n"
        service.apply()
        require_gone(service, data)


def test_who_has_no_profile_is_forgotten_too(tmp_path: Path) -> None:
    """Someone of whom nothing could be taken in, and for whom an override waits."""
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    (workspace / "lists" / "all.yaml").write_text(LISTS.replace(OLD, "dan"), encoding="utf-8")
    with Service.open(workspace, data) as service:
        imported(service, tmp_path, [*bad_events_of_the_person(), *OTHERS, *BAD_OTHERS])
        service.override(Override(USER, "named", True))
        save(service)
        told = others(service)
        assert service.forget(USER)
        assert not service.forget(USER)
        assert service.forget(f"anon:{VISITOR}")
        left = found_in(data)
        assert set().union(*left.values()) <= {EMAIL, VALUE, "Zq5message"}
        assert others(service) == told
        assert not service.forget("nobody")


def test_a_crash_after_the_record_is_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise Killed

    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data) as service:
        planted(service, tmp_path)
        told = others(service)
        with monkeypatch.context() as patched:
            patched.setattr(SqliteLog, "forget", killed)
            with pytest.raises(Killed):
                service.forget(USER)
        assert found_in(data)
        shutil.copytree(data, tmp_path / "torn")
    with Service.open(workspace, tmp_path / "torn") as service:
        require_gone(service, tmp_path / "torn")
        assert others(service) == told


BREAKAGES = {
    "free pages stay": (Store, "vacuum", lambda _store: None),
    "quarantine stays": (log_forget, "_erase_quarantine", lambda *_: 0),
    "records stay": (log_forget, "_erase_records", lambda *_: None),
    "batches stay": (log_forget, "_erase_batches", lambda *_: 0),
    "files stay": (log_forget, "_rewrite_stretches", lambda *_: iter(())),
    "identity stays": (log_forget, "_erase_identity", lambda *_: None),
}


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_each_part_that_is_left_out_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breakage: str
) -> None:
    """The control: the search sees what any one step of the erasure leaves."""
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    place, name, instead = BREAKAGES[breakage]
    with Service.open(workspace, data) as service:
        planted(service, tmp_path)
        monkeypatch.setattr(place, name, instead)
        service.forget(USER)
        assert found_in(data) or free_pages(data)


def test_a_running_server_forgets_what_came_by_every_door(tmp_path: Path) -> None:
    """Posts, pixels and bodies that are no JSON; what it prints and logs is searched too."""
    with serving(tmp_path, "--clock", "log") as server:
        moment = format_instant(START_MS)
        for event in [*events_of_the_person(1), *bad_events_of_the_person()]:
            body = event if isinstance(event, str) else json.dumps(event)
            server.http.post("/v1/batch", content=f'{{"batch": [{body.rstrip(",")}]}}')
        pixel = {"userId": USER, "event": "Order Completed", "timestamp": moment}
        server.http.get("/v1/pixel/track", params=pixel)
        server.http.get(f"/v1/users/{USER}/explain/nothing")
        server.control(
            "override", user=USER, segment="buyers", membership="in", until=None, by=None, why=VALUE
        )
        eventually(lambda: server.segments_of(USER))
        assert set().union(*found_in(server.data).values()) == set(MARKERS)
        answer = server.http.delete(f"/v1/users/{USER}")
        assert answer.json() == {"user_id": USER, "forgotten": True, "lists": [], "still_listed": []}
        assert found_in(server.data) == {}
        assert free_pages(server.data) == 0
        late = server.http.post("/v1/batch", json={"batch": events_of_the_person(30, START_MS - DAY)})
        assert late.json() == {"success": True}
        assert server.http.get(f"/v1/users/{USER}/segments").json()["known"] is False
        assert found_in(server.data) == {}
        assert call(0, "page")["type"] == "page"
        server.stop()
    assert found_in(tmp_path / "data") == {}

"""Forgetting through the service: nothing of the forgotten is in any file, and what stays is whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from segue.domain.change import Cause
from segue.domain.time import DAY, HOUR, format_instant
from segue.segments.override import ListEdit, Override
from segue.service.core import SNAPSHOT_AFTER
from segue.service.service import Service
from tests.service.driven import Driven

START_MS = 1_790_000_000_000
MARK = "Xq7mark"
"""In every id, name and value of the one who is to be forgotten, and of nobody else."""
USER, VISITOR = f"{MARK}-user", f"{MARK}-visitor"
ANN, BOB, CAT = "ann", "bob", "cat"
SEGMENTS = """
- segment: buyers
  owner: crm@shop.example
  description: Has ordered.
  when: count("Order Completed") >= 1 or list("press")
- segment: named
  owner: crm@shop.example
  description: Has a name, or put in by hand.
  when: trait.name is present or group.city is present
"""
LISTS = f"""
list: press
owner: crm@shop.example
description: Put here by hand.
users: ["{USER}", ann]
"""


def write_workspace(folder: Path, lists: str = LISTS) -> Path:
    for name, text in (("segments", SEGMENTS), ("lists", lists)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "all.yaml").write_text(text, encoding="utf-8")
    (folder / "segue.yaml").write_text("timezone: UTC\n", encoding="utf-8")
    return folder


def call(number: int, kind: str, at: int = START_MS, **fields: Any) -> dict[str, Any]:
    moment = format_instant(at + number)
    own = MARK if MARK in str(fields) else "other"
    return {"type": kind, "messageId": f"{own}-{kind}-{number}", "timestamp": moment, **fields}


def of_the_forgotten(at: int = START_MS) -> list[dict[str, Any]]:
    return [
        call(
            1, "track", at, anonymousId=VISITOR, event="Order Completed", properties={"note": f"{MARK} note"}
        ),
        call(2, "identify", at, userId=USER, anonymousId=VISITOR, traits={"name": f"{MARK} name"}),
        call(3, "group", at, userId=USER, groupId="acme", traits={"city": "Ulm"}),
        call(4, "alias", at, userId=USER, previousId=f"{MARK}-old"),
        call(5, "page", at, userId=USER, name=f"{MARK} page", context={"ip": MARK}),
    ]


def of_others() -> list[dict[str, Any]]:
    return [
        call(6, "track", userId="ann", event="Order Completed"),
        call(7, "identify", userId="bob", traits={"name": "Bob"}),
        call(8, "group", userId="bob", groupId="acme", traits={}),
    ]


BAD = {"type": "track", "userId": USER, "messageId": f"{MARK}-bad", "timestamp": format_instant(START_MS)}


def taken(service: Service, folder: Path, events: Sequence[dict[str, Any]]) -> Any:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    try:
        return service.import_file(path, None, "tests", lambda _done, _total: None)
    finally:
        path.unlink()


def save(service: Service) -> None:
    service.core.saved_seq = -SNAPSHOT_AFTER
    service.core.save()


def marked(folder: Path) -> list[str]:
    """The files that hold the mark, in whichever way it is spelled there."""
    spelled = MARK.encode()
    return [str(path) for path in folder.rglob("*") if path.is_file() and spelled in path.read_bytes()]


@pytest.mark.parametrize("snapshot", [False, True])
@pytest.mark.parametrize("stretch", [False, True])
def test_no_file_holds_the_forgotten(tmp_path: Path, snapshot: bool, stretch: bool) -> None:
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data) as service:
        taken(service, tmp_path, [*of_the_forgotten(), BAD])
        taken(service, tmp_path, of_others())
        service.override(Override(USER, "named", False, why=f"{MARK} asked"))
        service.edit_list(ListEdit("press", f"anon:{VISITOR}", True))
        if stretch:
            service.log.close_stretch(1)
        if snapshot:
            save(service)
            assert marked(data / "snapshot")
        before = [change.to_json() for change in service.changes()]
        assert marked(data)

        write_workspace(workspace, LISTS.replace(f'"{USER}", ', ""))
        assert service.forget(USER)
        service.apply()
        require_forgotten(service, data, before)
    assert not marked(data)
    with Service.open(workspace, data) as service:
        require_forgotten(service, data, before)
        come_back(service, tmp_path)
    with Service.open(workspace, data) as service:
        assert service.verify(lambda _done, _total: None) == []
        assert service.user(USER).known
    shutil.rmtree(data)


def require_forgotten(service: Service, data: Path, before: list[dict[str, Any]]) -> None:
    """Nothing shows them, changes keep their numbers, and memberships are true."""
    assert not marked(data)
    assert service.verify(lambda _done, _total: None) == []
    assert not service.forget(USER)
    for name in (USER, f"anon:{VISITOR}", f"{MARK}-old"):
        assert not service.user(name).known
        assert service.events(name) == []
    assert MARK not in json.dumps([*service.export_all(), service.lists()])
    changes = [change.to_json() for change in service.changes()]
    assert [change["seq"] for change in changes] == list(range(1, len(changes) + 1))
    for was, now in zip(before, changes, strict=False):
        gone = MARK in str(was["user_id"])
        assert str(now["user_id"]).startswith("forgotten:") == gone
        rest = {"seq", "id", "segment", "action", "at"} | (set() if gone else {"user_id", "cause"})
        assert {key: was[key] for key in rest} == {key: now[key] for key in rest}
    left = [change for change in changes if change["cause"] == {"type": "forget"}]
    assert left
    assert all(str(change["user_id"]).startswith("forgotten:") for change in left)
    assert [member.user_id for member in service.members("buyers")] == ["ann"]


def come_back(service: Service, folder: Path) -> None:
    """What happened before the forgetting is refused, what happens after it begins a new profile."""
    late = taken(service, folder, of_the_forgotten(START_MS - DAY))
    assert (late.accepted, late.refused) == (0, 5)
    assert not service.user(USER).known
    found = taken(service, folder, [{**call(0, "page", START_MS + DAY, userId=USER), "messageId": "again"}])
    assert found.accepted == 1
    assert service.user(USER).known
    assert service.user(USER).traits == {}


LATELY = """
segment: lately
owner: crm@shop.example
description: Looked at something in the last hour.
when: count("Viewed", last 1h) >= 1
"""


@pytest.mark.parametrize("others", [(), ("ann",)])
def test_who_is_gone_from_the_log_takes_nobody_along(tmp_path: Path, others: Sequence[str]) -> None:
    """Who is no profile when the log is read again changes nothing of others, and they leave in time."""
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    (workspace / "segments" / "lately.yaml").write_text(LATELY, encoding="utf-8")
    seen = [call(number, "track", userId=who, event="Viewed") for number, who in enumerate((USER, *others))]
    with Service.open(workspace, data) as service:
        taken(service, tmp_path, seen)
        assert service.forget(USER)
    with Service.open(workspace, data) as service:
        assert [member.user_id for member in service.members("lately")] == [*others]
        later = {"type": "page", "userId": "late", "messageId": "late"}
        taken(service, tmp_path, [{**later, "timestamp": format_instant(START_MS + 2 * HOUR)}])
        assert service.members("lately") == []
        assert service.verify(lambda _done, _total: None) == []


@pytest.mark.parametrize("stretch", [False, True])
def test_time_that_only_the_forgotten_reached_stays(tmp_path: Path, stretch: bool) -> None:
    """What was received before, and taken in after them, took effect at their moment, and it still did."""
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    (workspace / "segments" / "lately.yaml").write_text(LATELY, encoding="utf-8")
    with Service.open(workspace, data) as service:
        taken(service, tmp_path, [call(0, "track", userId=ANN, event="Viewed")])
        taken(service, tmp_path, [call(HOUR, "track", userId=USER, event="Viewed")])
        taken(service, tmp_path, [call(HOUR // 2, "track", userId=BOB, event="Viewed")])
        taken(service, tmp_path, [call(HOUR // 2 + 1, "track", userId=USER, event="Viewed")])
        taken(service, tmp_path, [call(HOUR // 3, "track", userId=CAT, event="Viewed")])
        if stretch:
            service.log.close_stretch(1)
        since = {member.user_id: member.since for member in service.members("lately")}
        assert since == dict.fromkeys((BOB, CAT, USER), START_MS + HOUR)
        assert service.forget(USER)
        del since[USER]
        assert {member.user_id: member.since for member in service.members("lately")} == since
    with Service.open(workspace, data) as service:
        assert {member.user_id: member.since for member in service.members("lately")} == since
        assert [record.at for record in service.log.records("time")] == [START_MS + HOUR]
        assert service.forget(BOB)
        assert set(service.list_users("press")) == {ANN}
    with Service.open(workspace, data) as service:
        assert [(member.user_id, member.since) for member in service.members("lately")] == [
            (CAT, START_MS + HOUR)
        ]
        assert service.verify(lambda _done, _total: None) == []


def test_what_was_decided_about_a_visitor_is_of_whom_they_became(tmp_path: Path) -> None:
    """Someone else with whom the visitor was seen last may be forgotten: the decision stands."""
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data) as service:
        service.edit_list(ListEdit("press", f"anon:{VISITOR}", True))
        taken(
            service,
            tmp_path,
            [
                call(1, "track", anonymousId=VISITOR, event="Viewed"),
                call(2, "identify", userId=BOB, anonymousId=VISITOR, traits={}),
                call(3, "identify", userId=USER, anonymousId=VISITOR, traits={}),
            ],
        )
        service.override(Override(f"anon:{VISITOR}", "named", True))
        assert service.forget(USER)
    for _ in range(2):
        with Service.open(workspace, data) as service:
            assert [member.user_id for member in service.members("named")] == [BOB]
            assert [member.user_id for member in service.members("buyers")] == [BOB]
            assert service.verify(lambda _done, _total: None) == []


def test_nobody_is_on_a_list_in_the_place_of_the_forgotten(tmp_path: Path) -> None:
    """People spoke of them before anything was received of them: by hand, and in a file."""
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data) as service:
        service.edit_list(ListEdit("press", f"anon:{VISITOR}", True))
        taken(service, tmp_path, of_the_forgotten())
        assert service.forget(USER)
        assert service.list_users("press") == [ANN]
    for _ in range(2):
        with Service.open(workspace, data) as service:
            assert service.list_users("press") == [ANN]


def test_what_a_crash_cut_off_before_it_was_evaluated_is_told_all_the_same(tmp_path: Path) -> None:
    """Whoever is forgotten leaves, and so does who was in by what they said of an account."""
    driven = Driven(tmp_path)
    write_workspace(driven.workspace, LISTS.replace(f'"{USER}", ', ""))
    taken(driven.service, tmp_path, [*of_the_forgotten(), *of_others()[1:]])
    taken(driven.service, tmp_path, [call(9, "group", userId=CAT, groupId="acme")])
    assert [member.user_id for member in driven.service.members("named")] == [USER, BOB, CAT]
    driven.forget_torn(USER)
    with driven.service as service:
        assert [member.user_id for member in service.members("named")] == [BOB]
        left = [(each.user_id, each.segment) for each in service.changes() if each.cause is Cause.FORGET]
        assert sorted((user_id[:10], segment) for user_id, segment in left) == [
            (CAT, "named"), ("forgotten:", "buyers"), ("forgotten:", "named"),
        ]  # fmt: skip
        assert service.verify(lambda _done, _total: None) == []
    assert not marked(driven.data)


def test_forgetting_nobody_changes_nothing(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    with Service.open(workspace, tmp_path / "data") as service:
        taken(service, tmp_path, of_others())
        seq = service.log.next_seq
        assert not service.forget("nobody")
        assert service.log.next_seq == seq


def test_what_they_said_of_an_account_goes_with_them(tmp_path: Path) -> None:
    """Colleagues leave at once what held by their word alone, and keep what others said too."""
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    events = [
        call(1, "group", userId="ann", groupId="acme", traits={"size": 5}),
        call(2, "group", userId=USER, groupId="acme", traits={"city": f"{MARK} Ulm", "size": 6}),
        call(3, "group", userId=USER, groupId="alone", traits={"city": f"{MARK} Ulm"}),
    ]
    with Service.open(workspace, data) as service:
        taken(service, tmp_path, events)
        assert [each.user_id for each in service.members("named")] == [USER, "ann"]
        assert service.forget(USER)
        assert service.members("named") == []
        last = next(change for change in list(service.changes())[::-1] if change.user_id == "ann")
        assert (last.segment, last.entered, last.cause.value) == ("named", False, "forget")
        assert service.verify(lambda _done, _total: None) == []
        assert service.engine.feed.accounts.traits_of("acme") == {"size": 5}
        save(service)
        assert not marked(data)
    for _ in range(2):
        with Service.open(workspace, data) as service:
            assert service.members("named") == []
            assert service.verify(lambda _done, _total: None) == []
            assert service.engine.feed.accounts.traits_of("acme") == {"size": 5}
        shutil.rmtree(data / "snapshot", ignore_errors=True)

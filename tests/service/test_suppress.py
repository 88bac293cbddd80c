"""Suppression: nothing more of a user is stored, no segment sees them, and it can be taken back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from segue.domain.time import DAY, format_instant
from segue.ingest.decode import decode_batch
from segue.segments.override import Override
from segue.service.quality.report import report
from segue.service.service import Service
from segue.service.suppressing import admit, suppress
from tests.cli.segue import here
from tests.service.test_forget import marked, save

START_MS = 1_790_000_000_000
MARK = "Xq7mark"
"""In all that is sent of the suppressed after the suppression, and nowhere else."""
SEGMENTS = """
- segment: buyers
  owner: crm@shop.example
  description: Has ordered.
  when: count("Order") >= 1
- segment: absent
  owner: crm@shop.example
  description: Has not ordered.
  when: not segment("buyers")
"""
EVENTS = """
event: Order
description: Has ordered.
mode: block
properties:
  total: {type: number}
  note: {type: text}
"""


def write_workspace(folder: Path, segments: str = SEGMENTS) -> Path:
    for name, text in (("segments", segments), ("events", EVENTS)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "all.yaml").write_text(text, encoding="utf-8")
    (folder / "segue.yaml").write_text("timezone: UTC\n", encoding="utf-8")
    return folder


def call(kind: str, number: int, /, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "messageId": f"m{number}", "timestamp": format_instant(START_MS + number), **fields}


BEFORE = [
    call("track", 1, event="Order", userId="ann", anonymousId="phone", properties={"total": 5}),
    call("identify", 2, userId="ann", traits={"name": "Ann"}),
    call("alias", 3, userId="ann", previousId="old"),
    call("track", 4, event="Order", userId="bob"),
]
AFTER = [
    call("track", 10, event="Order", userId="ann", properties={"note": MARK}),
    call("track", 11, event="Order", anonymousId="phone", properties={"note": MARK}),
    call("identify", 12, userId="old", traits={"name": MARK}),
    call("alias", 13, userId=f"new{MARK}", previousId="ann"),
    call("track", 14, event="Order", userId="ann", properties={"total": MARK}),
    call("track", 15, userId="ann", properties={"note": MARK}),
    call("group", 16, userId="ann", properties={"note": MARK}),
]
"""The last three would be set aside."""
BROKEN = b'{"type": "track", "userId": "ann", "event": "%s",' % MARK.encode()
FOREIGN = [call("track", 20, event="Order", userId="cat"), call("track", 21, userId="dan")]


def imported(service: Service, folder: Path, events: Sequence[Any], suffix: str = "jsonl") -> Any:
    path = folder / f"events.{suffix}"
    lines = [each if isinstance(each, str) else json.dumps(each) for each in events]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    try:
        return service.import_file(path, None, "tests", lambda _done, _total: None)
    finally:
        path.unlink()


def posted(service: Service, events: Sequence[dict[str, Any]], more: bytes = b"") -> Any:
    texts = [json.dumps(each).encode() for each in events] + ([more] if more else [])
    return service.post(decode_batch(b'{"batch": [' + b", ".join(texts) + b"]}"), "tests").result()


def memberships(service: Service) -> dict[str, list[str]]:
    service.core.drain()
    return {
        name: [each.user_id for each in service.members(name)] for name in sorted(service.workspace.segments)
    }


def sound(service: Service) -> None:
    """What must hold at any time."""
    assert service.verify(lambda _done, _total: None) == []
    assert report(service.core).balance.findings == ()


@pytest.mark.parametrize("suppressed", [True, False])
@pytest.mark.parametrize("door", ["post", "import"])
def test_nothing_more_is_stored_on_any_door(tmp_path: Path, door: str, suppressed: bool) -> None:
    """The control is the same without suppression: then the mark is everywhere."""
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data) as service:
        imported(service, tmp_path, BEFORE)
        if suppressed:
            assert suppress(service.core, "ann")
            assert not suppress(service.core, "old")
        if door == "post":
            service.start()
            tally = posted(service, [*AFTER, *FOREIGN], BROKEN + b"]")
        else:
            tally = imported(service, tmp_path, [*AFTER, *FOREIGN, BROKEN.decode()])
        assert tally.adds_up()
        assert tally.rows == 10
        if suppressed:
            assert (tally.suppressed, tally.accepted, tally.quarantined) == (8, 1, 1)
            assert not marked(data)
        else:
            assert (tally.suppressed, tally.accepted, tally.quarantined) == (0, 5, 5)
            assert marked(data)
        sound(service)
    assert bool(marked(data)) == (not suppressed)


@pytest.mark.parametrize("suppressed", [True, False])
@pytest.mark.parametrize("blocks", [True, False])
def test_nothing_more_is_stored_of_a_table(tmp_path: Path, suppressed: bool, blocks: bool) -> None:
    """By the fast road and, where a plan blocks, by the careful one."""
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    if not blocks:
        (workspace / "events" / "all.yaml").write_text("[]", encoding="utf-8")
    rows = [
        "user_id,event,timestamp,note",
        f"ann,Order,2026-11-01,{MARK}",
        f"ann,,2026-11-01,{MARK}",
        f"ann,Order,1950-11-01,{MARK}",
        "bob,Order,2026-11-01,other",
        "bob,,2026-11-01,other",
    ]
    with Service.open(workspace, data) as service:
        if suppressed:
            suppress(service.core, "ann")
        tally = imported(service, tmp_path, rows, "csv")
        assert tally.adds_up()
        assert (tally.suppressed, tally.accepted, tally.quarantined) == (
            (3, 1, 1) if suppressed else (0, 2, 3)
        )
        assert bool(marked(data)) == (not suppressed)
        sound(service)


@pytest.mark.parametrize("snapshot", [True, False])
def test_no_segment_sees_them_until_it_is_taken_back(tmp_path: Path, snapshot: bool) -> None:
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data) as service:
        imported(service, tmp_path, [*BEFORE, call("page", 5, userId="eve")])
        assert memberships(service) == {"absent": ["eve"], "buyers": ["ann", "bob"]}
        service.override(Override("ann", "absent", True, why="asked"))
        suppress(service.core, "old")
        assert memberships(service) == {"absent": ["eve"], "buyers": ["bob"]}
        sound(service)
        last = list(service.changes())[-2:]
        assert [(each.user_id, each.segment, each.entered) for each in last] == [
            ("ann", "absent", False), ("ann", "buyers", False),
        ]  # fmt: skip
        assert not service.user("ann").known
        assert service.preview('count("Order") >= 1').sample == ["bob"]
        assert "suppressed" in service.explain("ann", "buyers").render()
        if snapshot:
            save(service)
    with Service.open(workspace, data) as service:
        assert not service.user("ann").known
        write_workspace(workspace, SEGMENTS + "- {segment: all, owner: o, description: d, when: true}\n")
        service.apply()
        assert memberships(service) == {"absent": ["eve"], "all": ["bob", "eve"], "buyers": ["bob"]}
        sound(service)
        assert imported(service, tmp_path, AFTER[:1]).suppressed == 1
    with Service.open(workspace, data) as service:
        sound(service)
        assert admit(service.core, "old")
        assert not admit(service.core, "ann")
        assert memberships(service) == {
            "absent": ["ann", "eve"], "all": ["ann", "bob", "eve"], "buyers": ["ann", "bob"],
        }  # fmt: skip
        assert service.user("ann").traits == {"name": "Ann"}
        again = [call("track", 30, event="Order", anonymousId="phone"), call("page", 31, userId="ann")]
        assert imported(service, tmp_path, again).accepted == 2
        sound(service)
    with Service.open(workspace, data) as service:
        assert service.user("ann").known
        assert imported(service, tmp_path, [call("page", 32, userId="ann")]).accepted == 1
        sound(service)


def test_taken_back_by_any_of_their_ids_it_is_over(tmp_path: Path) -> None:
    """An anonymous id that was never a profile of its own is one of them."""
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data) as service:
        imported(service, tmp_path, BEFORE)
        suppress(service.core, "bob")
        suppress(service.core, "ann")
        assert memberships(service) == {"absent": [], "buyers": []}
        assert admit(service.core, "anon:phone")
        assert memberships(service) == {"absent": [], "buyers": ["ann"]}
        sound(service)
    with Service.open(workspace, data) as service:
        assert memberships(service) == {"absent": [], "buyers": ["ann"]}
        assert not admit(service.core, "ann")
        assert admit(service.core, "bob")
        assert memberships(service) == {"absent": [], "buyers": ["ann", "bob"]}
        sound(service)


def test_of_who_was_never_heard_of_nothing_begins(tmp_path: Path) -> None:
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data) as service:
        assert suppress(service.core, f"{MARK}eve")
        assert not marked(data)
    with Service.open(workspace, data) as service:
        assert imported(service, tmp_path, [call("page", 1, userId=f"{MARK}eve")]).suppressed == 1
        assert not service.user(f"{MARK}eve").known
        assert not marked(data)
        assert admit(service.core, f"{MARK}eve")
        assert imported(service, tmp_path, [call("page", 2, userId=f"{MARK}eve")]).accepted == 1


def test_who_was_forgotten_can_be_kept_from_coming_back(tmp_path: Path) -> None:
    """Under every id that they had, although nothing but a leaving of each is kept."""
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    later = [
        {**call("page", number), "timestamp": format_instant(START_MS + DAY), **who}
        for number, who in enumerate(({"userId": "ann"}, {"userId": "old"}, {"anonymousId": "phone"}), 50)
    ]
    with Service.open(workspace, data) as service:
        imported(service, tmp_path, BEFORE)
        assert service.forget("ann")
        assert suppress(service.core, "ann")
    with Service.open(workspace, data) as service:
        tally = imported(service, tmp_path, later)
        assert (tally.suppressed, tally.accepted) == (3, 0)
        sound(service)
        assert admit(service.core, "ann")
        assert (
            imported(
                service, tmp_path, [{**each, "messageId": "n" + each["messageId"]} for each in later]
            ).accepted
            == 3
        )
        sound(service)


def test_a_suppressed_user_can_be_forgotten(tmp_path: Path) -> None:
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data) as service:
        imported(service, tmp_path, BEFORE)
        suppress(service.core, "ann")
        assert service.forget("ann")
        sound(service)
        assert imported(service, tmp_path, [call("page", 9, userId="ann")]).suppressed == 1
    with Service.open(workspace, data) as service:
        sound(service)
        assert imported(service, tmp_path, [call("page", 10, userId="ann")]).suppressed == 1
        assert memberships(service) == {"absent": [], "buyers": ["bob"]}


def test_another_person_on_the_same_device_goes_on(tmp_path: Path) -> None:
    workspace, data = write_workspace(tmp_path / "workspace"), tmp_path / "data"
    with Service.open(workspace, data) as service:
        imported(service, tmp_path, BEFORE)
        suppress(service.core, "ann")
        tally = imported(
            service, tmp_path, [call("track", 9, event="Order", userId="eve", anonymousId="phone")]
        )
        assert tally.accepted == 1
        assert memberships(service)["buyers"] == ["bob", "eve"]
        sound(service)


def test_the_command(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    with Service.open(workspace, workspace / ".segue") as service:
        imported(service, tmp_path, BEFORE)
    assert here("suppress", "ann", "--workspace", workspace).out == "ann is suppressed\n"
    assert here("suppress", "ann", "--workspace", workspace, "--json").row == {
        "user_id": "ann", "suppressed": True, "changed": False,
    }  # fmt: skip
    assert [row["user_id"] for row in here("members", "buyers", "--workspace", workspace, "--json").rows] == [
        "bob"
    ]
    assert (
        here("suppress", "ann", "--off", "--workspace", workspace).out == "ann is not suppressed any more\n"
    )
    assert len(here("members", "buyers", "--workspace", workspace, "--json").rows) == 2


@pytest.mark.parametrize("user", ["", "  ", "a" * 2_000])
def test_what_is_no_id_is_not_suppressed(tmp_path: Path, user: str) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    ended = here("suppress", user, "--workspace", workspace)
    assert (ended.status, ended.err.partition(" ")[0], ended.out) == (1, "E461", "")

"""A copy of all that is held of a person: complete, theirs alone, and never all of it in memory."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue.domain.time import format_instant
from segue.log.batch import EventBatch
from segue.segments.override import ListEdit, Override
from segue.service import export
from segue.service.export import parts_of_user
from segue.service.export_text import COLUMNS, as_csv, as_json
from segue.service.service import Service
from segue.service.suppressing import suppress
from tests.cli.segue import here
from tests.service.test_forget import write_workspace

START_MS = 1_790_000_000_000
BYTES_MAX = 20_000_000
"""Of Python's own memory while a copy is written; all events at once take several times as much."""


def call(number: int, kind: str = "track", **fields: Any) -> dict[str, Any]:
    event = {"event": "Looked"} if kind == "track" else {}
    return {
        "type": kind,
        "messageId": f"m{number}",
        "timestamp": format_instant(START_MS + number),
        **event,
        **fields,
    }


def imported(service: Service, folder: Path, events: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> Any:
    path = folder / "events.jsonl"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)
    return service.import_file(path, None, "tests", lambda _done, _total: None)


def of_log(service: Service, user: str) -> list[str]:
    """The message ids of a person's events, from the log by itself, in its order."""
    row = service.row_of(user)
    assert row is not None
    rows = service.core.intake.identity.rows_of(row)
    batches = (entry for entry in service.log.replay() if isinstance(entry, EventBatch))
    return [
        name
        for batch in batches
        for name, row in zip(batch.message_ids, batch.rows, strict=True)
        if row in rows
    ]


def copy_of(service: Service, user: str, **options: Any) -> Any:
    return json.loads("".join(as_json(parts_of_user(service, user), **options)))


def grown(service: Service, folder: Path) -> None:
    """Two people over files of history and the tail, one under three ids."""
    imported(service, folder, [call(at, anonymousId="phone", properties={"n": at}) for at in range(5)])
    imported(service, folder, [call(at, userId=("ann", "bob")[at % 2]) for at in range(10, 20)])
    service.log.close_stretch(1)
    imported(
        service, folder, [call(30, "identify", userId="ann", anonymousId="phone", traits={"name": "Ann"})]
    )
    imported(
        service,
        folder,
        [
            call(31, "alias", userId="ann", previousId="old"),
            call(32, userId="old", integrations={"All": True}),
        ],
    )
    service.log.close_stretch(1)
    imported(
        service,
        folder,
        [call(at, userId=("ann", "bob")[at % 2], properties={"ü": "=1+1"}) for at in range(40, 50)],
    )
    imported(service, folder, [{"type": "track", "userId": "old", "timestamp": "2026-11-01"}])


@pytest.mark.parametrize("page", [1, 3, 2_000])
def test_it_is_complete_and_theirs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(export, "PAGE_EVENTS", page)
    workspace = write_workspace(tmp_path / "workspace")
    with Service.open(workspace, tmp_path / "data") as service:
        grown(service, tmp_path)
        service.override(Override("ann", "named", False))
        service.edit_list(ListEdit("press", "old", True))
        for name in ("ann", "old", "anon:phone"):
            found = copy_of(service, name)
            assert [event["messageId"] for event in found["events"]] == of_log(service, "ann")
            assert len(found["events"]) == 18
        everything = [event for event in service.export_all() if event["messageId"] in of_log(service, "ann")]
        assert found["events"] == everything
        assert found["user_id"] == "ann"
        assert set(found["ids"]) == {"ann", "old", "anon:phone", "anon:old"}
        assert found["attributes"]["traits"] == {"name": "Ann"}
        assert found["lists"] == ["press"]
        assert found["overrides"] == [{"segment": "named", "member": False, "until": None}]
        assert [held["code"] for held in found["quarantined"]] == ["E524"]
        assert {change["user_id"] for change in found["changes"]} <= {"ann", "anon:phone"}
        assert copy_of(service, "ann", lines=False) == copy_of(service, "ann", lines=True)
        suppress(service.core, "ann")
        found = copy_of(service, "ann")
        assert (found["known"], found["suppressed"], len(found["events"])) == (True, True, 18)


def test_a_copy_that_misses_a_page_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of completeness: equality with the log sees one page too few."""
    read, pages = export._page, iter([True, True, False])
    monkeypatch.setattr(export, "PAGE_EVENTS", 5)
    monkeypatch.setattr(export, "_page", lambda *which: read(*which) if next(pages, False) else [])
    with Service.open(write_workspace(tmp_path / "workspace"), tmp_path / "data") as service:
        grown(service, tmp_path)
        assert [event["messageId"] for event in copy_of(service, "ann")["events"]] != of_log(service, "ann")


def test_of_who_was_never_heard_of_nothing_is_held(tmp_path: Path) -> None:
    with Service.open(write_workspace(tmp_path / "workspace"), tmp_path / "data") as service:
        found = copy_of(service, "nobody")
        assert (found["known"], found["changes"], found["quarantined"], found["events"]) == (
            False,
            [],
            [],
            [],
        )


def test_the_table_says_the_same(tmp_path: Path) -> None:
    with Service.open(write_workspace(tmp_path / "workspace"), tmp_path / "data") as service:
        grown(service, tmp_path)
        rows = list(csv.DictReader(io.StringIO("".join(as_csv(parts_of_user(service, "ann"))))))
        events = copy_of(service, "ann")["events"]
    assert list(rows[0]) == [*COLUMNS, "other"]
    assert [row["messageId"] for row in rows] == [event["messageId"] for event in events]
    assert [json.loads(row["properties"] or "null") for row in rows] == [
        event.get("properties") for event in events
    ]
    assert json.loads(next(row["other"] for row in rows if row["other"])) == {"integrations": {"All": True}}


@pytest.mark.parametrize("value", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_spreadsheet_runs_nothing_of_it(value: str) -> None:
    (_, row) = csv.reader(
        io.StringIO("".join(as_csv([("event", {"type": "track", "userId": value})])), newline="")
    )
    assert row[COLUMNS.index("userId")] == f"'{value}"


@pytest.mark.parametrize("many", [30_000, pytest.param(100_000, marks=pytest.mark.torture)])
def test_a_person_of_many_events_takes_little_memory(tmp_path: Path, many: int) -> None:
    """The control: to keep the parts takes more than the bound before all of them are there."""
    events = (call(at, userId="ann", properties={"page": at, "text": "x" * 40}) for at in range(many))
    with Service.open(write_workspace(tmp_path / "workspace"), tmp_path / "data") as service:
        assert imported(service, tmp_path, events).accepted == many
        assert sum(kind == "event" for kind, _ in parts_of_user(service, "ann")) == many
        service.log.close_stretch(1)
        found, peak = _peak(lambda: sum(kind == "event" for kind, _ in parts_of_user(service, "ann")))
        assert found == many
        assert peak < BYTES_MAX
        _, peak = _peak(lambda: len(list(parts_of_user(service, "ann"))))
        assert peak > 1.5 * BYTES_MAX


def _peak(work: Any) -> tuple[int, int]:
    """(what it gives, the most that Python's own memory grew)."""
    tracemalloc.start()
    try:
        found = work()
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_command(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    with Service.open(workspace, workspace / ".segue") as service:
        grown(service, tmp_path)
    told = ("export", "ann", "--workspace", workspace)
    printed = here(*told)
    assert here(*told, "--json").row == json.loads(printed.out)
    assert len(printed.out.splitlines()) > 18
    rows = list(csv.DictReader(io.StringIO(here(*told, "--format", "csv").out)))
    assert len(rows) == 18
    everyone = list(
        csv.DictReader(io.StringIO(here("export", "--all", "--format", "csv", "--workspace", workspace).out))
    )
    assert len(everyone) == len(here("export", "--all", "--workspace", workspace).rows) == 28


@pytest.mark.parametrize("stretch", [False, True])
def test_sources_that_use_the_same_ids_arrive_whole_elsewhere(tmp_path: Path, stretch: bool) -> None:
    """Elsewhere all of it is one source, in which an id counts once; importing it again changes nothing."""
    workspace = write_workspace(tmp_path / "workspace")
    path = tmp_path / "events.jsonl"
    with (
        Service.open(workspace, tmp_path / "data") as service,
        Service.open(workspace, tmp_path / "b") as other,
    ):
        for source, event in (("web", "Looked"), ("app", "Order Completed"), ("tills", "Order Completed")):
            calls = [call(1, event=event, userId=source), call(2 if source == "web" else 3, userId=source)]
            path.write_text("".join(json.dumps(each) + "\n" for each in calls), encoding="utf-8")
            service.import_file(path, None, source, lambda _done, _total: None)
            if stretch:
                service.log.close_stretch(1)
        sent = list(service.export_all())
        assert [event["messageId"] for event in sent] == ["m1", "m2", "m1~2", "m3", "m1~3", "m3~2"]
        assert imported(other, tmp_path, sent).accepted == 6
        assert imported(other, tmp_path, list(service.export_all())).duplicate == 6
        assert [each.user_id for each in other.members("buyers")] == ["app", "tills"]
        assert sorted(map(json.dumps, other.export_all())) == sorted(map(json.dumps, sent))

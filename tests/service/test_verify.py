"""`verify` takes nothing from the engine for true: what the engine lost of people's decisions is seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segue.engine.kernel import layout as k
from segue.segments.override import ListEdit, Override
from segue.service.service import Service
from segue.service.suppressing import suppress

SEGMENTS = [
    {"segment": "often", "owner": "a@b.example", "description": "-", "when": 'count("Seen") >= 2'},
    {"segment": "listed", "owner": "a@b.example", "description": "-", "when": 'list("press")'},
]
START = "2026-01-01T00:00:00Z"


def sent(*events: dict[str, Any]) -> str:
    usual = {"type": "track", "event": "Seen", "timestamp": START}
    return "".join(
        json.dumps(usual | event | {"messageId": f"m{at}"}) + "\n" for at, event in enumerate(events)
    )


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Ann and Bob have come twice; Ann was somebody else's visitor before. Both are on the list."""
    folder = tmp_path / "workspace"
    (folder / "segments").mkdir(parents=True)
    (folder / "lists").mkdir()
    (folder / "segue.yaml").write_text("timezone: UTC\n")
    (folder / "segments/all.json").write_text(json.dumps(SEGMENTS))
    (folder / "lists/all.json").write_text(json.dumps(
        {"list": "press", "owner": "a@b.example", "description": "-", "users": ["ann"]}
    ))  # fmt: skip
    (tmp_path / "events.jsonl").write_text(sent(
        {"anonymousId": "v"}, {"anonymousId": "v"}, {"userId": "ann", "anonymousId": "v"},
        {"userId": "bob"}, {"userId": "bob"}, {"userId": "eve"}, {"userId": "eve"},
    ))  # fmt: skip
    with Service.open(folder, tmp_path / "data") as service:
        service.import_file(tmp_path / "events.jsonl", None, "file", lambda _done, _total: None)
        service.edit_list(ListEdit("press", "bob", True))
        service.override(Override("ann", "often", False))
        suppress(service.core, "eve")
        yield service


def found(service: Service) -> set[tuple[str | None, str | None, bool | None]]:
    """Who differs where, and what the engine says."""
    differences = service.verify(lambda _done, _total: None)
    assert {each.kind for each in differences} <= {"membership", "changes"}
    return {(each.user_id, each.segment, each.engine) for each in differences if each.kind == "membership"}


def test_nothing_differs_when_nothing_is_lost(service: Service) -> None:
    assert found(service) == set()


@pytest.mark.parametrize("users", [["anon:v", "ann"], ["ann", "anon:v"]])
def test_a_list_that_names_someone_by_another_id_has_them_still(service: Service, users: list[str]) -> None:
    """Whoever goes from the file is taken off first: both ids lead to one profile."""
    for user in users:
        listed = {"list": "press", "owner": "a@b.example", "description": "-", "users": [user]}
        (service.folder / "lists/all.json").write_text(json.dumps(listed))
        service.apply()
        assert [member.user_id for member in service.members("listed")] == ["ann", "bob"]
        assert found(service) == set()


def test_what_was_taken_back_of_an_id_takes_nothing_from_who_joins_it(service: Service) -> None:
    """Nothing had been received of Dan then; Bob turns out to be Dan, and is on the list as before."""
    for on in (True, False):
        service.edit_list(ListEdit("press", "dan", on))
        service.override(Override("dan", "often", False if on else None))
    file = service.folder.parent / "more.jsonl"
    alias = {"type": "alias", "userId": "dan", "previousId": "bob", "timestamp": START, "messageId": "alias"}
    file.write_text(json.dumps(alias) + "\n")
    service.import_file(file, None, "file", lambda _done, _total: None)
    for name in ("listed", "often"):
        assert "dan" in [member.user_id for member in service.members(name)]
    assert found(service) == set()


def row_of(service: Service, user: str) -> int:
    row = service.row_of(user)
    return service.core.intake.identity.rows[user] if row is None else row


def lose_list(service: Service) -> None:
    service.engine.feed.listed("bob", row_of(service, "bob"), "press", False)


def lose_override(service: Service) -> None:
    service.engine.feed.overridden("ann", row_of(service, "ann"), "often", None)


def lose_suppression(service: Service) -> None:
    service.engine.feed.suppress([row_of(service, "eve")], False)


@pytest.mark.parametrize(
    ("lose", "expected"),
    [
        (lose_list, {("bob", "listed", False)}),
        (lose_override, {("ann", "often", True)}),
        (lose_suppression, {("eve", "often", True)}),
    ],
)
def test_what_the_engine_lost_is_seen(
    service: Service, lose: Callable[[Service], None], expected: set[tuple[str, str, bool]]
) -> None:
    engine = service.engine
    lose(service)
    engine.feed.end_record(engine.evaluated_seq, k.BY_LIST)
    engine.machine.run(engine.feed.take_batch(), engine.now)
    assert found(service) == expected

"""What is followed like a segment for something else is seen nowhere as one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from segue.domain.watch import is_watch, watch_name
from segue.ingest.decode import decode_events
from segue.language.checker import check_condition, check_operand
from segue.segments.workspace import Workspace
from segue.service.service import Service

WATCH, VALUE = watch_name("trigger", "t"), watch_name("model", "m", "orders")


def watched(workspace: Workspace) -> Workspace:
    return replace(
        workspace,
        watches={WATCH: check_condition('count("Order") >= 2 and segment("buyers")', workspace.scope)},
        watched_values={VALUE: check_operand('count("Order")', workspace.scope)},
    )


@pytest.fixture
def service(tmp_path: Path) -> Service:
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "buyers.yaml").write_text(
        'segment: buyers\nowner: a@b.example\ndescription: Ordered.\nwhen: count("Order") >= 1\n'
    )
    return Service.open(tmp_path, tmp_path / "data")


def order(service: Service, number: int) -> None:
    raw = f'{{"type":"track","event":"Order","userId":"u","messageId":"m{number}"}}'.encode()
    batch = service.core.intake.accept(
        decode_events([raw]), "test", service.log.next_seq, 1_000 * number
    ).batch
    with service.core.gate:
        service.core.append([batch], [])


def test_a_name_is_a_watchs_or_a_segments() -> None:
    assert is_watch(WATCH)
    assert is_watch(VALUE)
    assert not is_watch("buyers")


def test_a_watch_holds_and_nobody_sees_it_as_a_segment(service: Service) -> None:
    with service:
        service.core.define(watched(service.workspace), lambda _done, _of: None)
        order(service, 1)
        order(service, 2)
        row = service.row_of("u")
        assert row is not None
        assert dict(service.engine.held(row)) == {"buyers": 1_000, WATCH: 2_000}
        assert service.engine.memberships(row) == [("buyers", 1_000)]
        assert service.engine.everyone() == {row: frozenset({"buyers"})}
        assert [(change.seq, change.segment) for change in service.changes()] == [(1, "buyers")]
        assert service.user("u").features == {}
        assert service.preview('count("Order") >= 2').overlap == {"buyers": 1}
        assert service.verify(lambda _done, _of: None) == []


def test_a_watch_that_comes_later_knows_the_past_and_makes_no_news(service: Service) -> None:
    with service:
        order(service, 1)
        order(service, 2)
        service.core.define(watched(service.workspace), lambda _done, _of: None)
        row = service.row_of("u")
        assert row is not None
        assert dict(service.engine.held(row)) == {"buyers": 1_000, WATCH: 2_000}
        assert [change.segment for change in service.changes()] == ["buyers"]

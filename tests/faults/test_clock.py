"""The wall clock is set forward and back under load: time inside goes on, and nothing fires twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

from segue.domain.time import DAY, HOUR
from segue.log.batch import EventBatch, Record
from segue.service.service import Service
from tests.api.serving import Running, eventually, serving, write_workspace
from tests.faults.clock import set_off, settable
from tests.service.crashing import order, require_whole

STEPS = (0, HOUR, 0, DAY, DAY - HOUR, DAY + 1_000, -HOUR, 2 * DAY)
SHORT_WINDOW = """
segment: recent
owner: crm@shop.example
description: Has ordered within half an hour, so that it empties when the clock jumps.
when: count("Order Completed", last 30m) >= 1
"""
CLOCK_TAKEN_AS_IT_IS = """
import segue.service.core as core
core.Core.stamp = lambda self: core.wall_ms()
"""
"""The control: receipts are stamped with whatever the clock says."""


def under_a_jumping_clock(folder: Path, before: str = "") -> None:
    write_workspace(folder / "workspace")
    (folder / "workspace" / "segments" / "recent.yaml").write_text(SHORT_WINDOW, encoding="utf-8")
    clock = folder / "clock"
    with serving(folder, before=settable(clock) + before) as server:
        ended = threading.Event()
        sender = threading.Thread(target=send, args=(server, ended))
        sender.start()
        for step in STEPS:
            set_off(clock, step)
            time.sleep(0.3)
        ended.set()
        sender.join()
        server.stop()


def send(server: Running, ended: threading.Event) -> None:
    number = 0
    while not ended.is_set():
        batch = [order(number + at) for at in range(20)]
        server.http.post("/v1/batch", json={"batch": batch})
        number += 20


def receipts(folder: Path) -> list[int]:
    """Of everything in the log, in its order, in ms."""
    with Service.open(folder / "workspace", folder / "data") as service:
        found: list[int] = []
        for entry in service.log.replay():
            found += list(entry.received) if isinstance(entry, EventBatch) else [entry.at]
            assert isinstance(entry, EventBatch | Record)
        return found


def test_time_inside_never_runs_backwards_and_no_window_fires_twice(tmp_path: Path) -> None:
    under_a_jumping_clock(tmp_path)
    found = receipts(tmp_path)
    assert found == sorted(found)
    assert found[-1] - found[0] > DAY
    require_whole(tmp_path / "workspace", tmp_path / "data")
    with Service.open(tmp_path / "workspace", tmp_path / "data") as service:
        changes = [change for change in service.changes() if change.segment == "recent"]
    assert [change.at for change in changes] == sorted(change.at for change in changes)
    assert Counter(change.entered for change in changes)[False] > 0
    turns: dict[str, list[bool]] = {}
    for change in changes:
        turns.setdefault(change.user_id, []).append(change.entered)
    assert all(first != second for each in turns.values() for first, second in pairwise([False, *each]))


def test_a_clock_that_is_taken_as_it_is_runs_backwards(tmp_path: Path) -> None:
    under_a_jumping_clock(tmp_path, CLOCK_TAKEN_AS_IT_IS)
    found = receipts(tmp_path)
    assert found != sorted(found)


def test_what_is_due_is_pushed_when_the_clock_jumps(tmp_path: Path) -> None:
    write_workspace(tmp_path / "workspace")
    (tmp_path / "workspace" / "segments" / "recent.yaml").write_text(SHORT_WINDOW, encoding="utf-8")
    clock = tmp_path / "clock"
    with serving(tmp_path, before=settable(clock)) as server:
        server.track("u", "Order Completed", total=1)
        eventually(lambda: "recent" in server.segments_of("u"))
        set_off(clock, HOUR)
        eventually(lambda: "recent" not in server.segments_of("u"))
        left = server.http.get("/v1/changes?segment=recent").json()["changes"]
        assert [each["action"] for each in left] == ["entered", "left"]

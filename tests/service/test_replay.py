"""Events that were set aside come in after all: many at once, and as of the time when they were received."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from segue.domain.errors import SegueError
from segue.domain.time import DAY, HOUR, format_instant
from segue.ingest.decode import decode_batch, decode_single
from segue.service.quality.report import report
from segue.service.quarantining import AT_ONCE, as_of_receipt, replay_all
from segue.service.service import Service
from tests.cli.segue import here
from tests.service.test_quality import EVENTS, post, track, write_workspace

RECEIVED_MS = 1_790_000_000_000


@pytest.mark.parametrize("many", [3, 2 * AT_ONCE + 7])
def test_a_mended_plan_lets_in_what_it_held_back(tmp_path: Path, many: int) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    with Service.open(workspace, tmp_path / "data", clock="wall") as service:
        service.start()
        held = [track("Order Completed", at, properties={"revenue": at, "gift": True}) for at in range(many)]
        worse = [
            track("Order Completed", many + at, properties={"revenue": "x", "gift": True}) for at in range(2)
        ]
        for source in ("web", "app"):
            post(service, [*held[:2000], *worse], source)
        assert replay_all(service.core, "E471").to_json() == {
            "replayed": 0, "still": 2 * many, "accepted": 0, "duplicate": 0,
        }  # fmt: skip
        write_workspace(workspace, EVENTS.replace("revenue: {type", "gift:\n    revenue: {type"))
        service.apply()
        found = replay_all(service.core, "E471")
        assert found.to_json() == {"replayed": 2 * many, "still": 0, "accepted": 2 * many, "duplicate": 0}
        assert replay_all(service.core, "E473").to_json()["still"] == 4
        account = report(service.core).balance
        assert account.findings == ()
        assert report(service.core).breaches["Order Completed: revenue E473"] == 4
        assert service.log.quarantine_counts() == {"replayed": 2 * many, "open": 4}


def test_the_command_takes_one_or_all_of_a_kind(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path / "workspace")
    with Service.open(workspace, workspace / ".segue", clock="wall") as service:
        service.start()
        post(service, [track("Order Completed", 1, properties={"revenue": 1, "gift": True})])
    write_workspace(workspace, "[]")
    told = ("quarantine", "replay", "--workspace", workspace)
    assert here(*told).status == 2
    assert here(*told, "1", "--code", "E471").status == 2
    assert here(*told, "--code", "E471").out == "E471: 1 taken in, 0 bad still\n"
    assert here(*told, "--code", "E471", "--json").row["replayed"] == 0


@pytest.mark.parametrize(
    ("fields", "happened"),
    [
        ({"timestamp": format_instant(RECEIVED_MS - HOUR)}, RECEIVED_MS - HOUR),
        ({}, RECEIVED_MS),
        ({"timestamp": "soon"}, RECEIVED_MS),
        ({"originalTimestamp": format_instant(RECEIVED_MS - HOUR)}, RECEIVED_MS - HOUR),
        (
            {
                "timestamp": format_instant(RECEIVED_MS - 3 * HOUR),
                "sentAt": format_instant(RECEIVED_MS - 2 * HOUR),
            },
            RECEIVED_MS - HOUR,
        ),
        ({"sentAt": format_instant(RECEIVED_MS)}, RECEIVED_MS),
    ],
)
def test_an_event_keeps_the_time_it_had(fields: dict[str, Any], happened: int) -> None:
    event = json.loads(as_of_receipt(json.dumps({"type": "track", **fields}).encode(), RECEIVED_MS))
    assert event["timestamp"] == format_instant(happened)
    assert "sentAt" not in event


@pytest.mark.parametrize("raw", [b"{", b"[1]", b"5", b"\xff"])
def test_what_is_no_event_is_left_as_it_is(raw: bytes) -> None:
    assert as_of_receipt(raw, RECEIVED_MS) == raw


def test_a_replay_days_later_does_not_move_the_event(tmp_path: Path) -> None:
    """The control is the event as it was sent, whose clock would be corrected by the later receipt."""
    workspace = write_workspace(tmp_path / "workspace")
    now = time.time_ns() // 1_000_000
    sent = {"timestamp": format_instant(now - HOUR), "sentAt": format_instant(now)}
    with Service.open(workspace, tmp_path / "data", clock="wall") as service:
        service.start()
        post(service, [track("Order Completed", 1, properties={}, **sent)])
        (held,) = service.quarantine()
        with service.log._store.transaction() as connection:
            connection.execute("UPDATE quarantine SET received_at = received_at - ?", (3 * DAY,))
        mended = track("Order Completed", 1, properties={"revenue": 5}, **sent)
        service.quarantine_replay(held.id, json.dumps(mended).encode())
        service.core.drain()
        (event,) = service.events("u1")
        assert abs(event.timestamp - (now - 3 * DAY - HOUR)) < HOUR
        post(service, [track("Login", 2, **sent)])
        service.core.drain()
        (event,) = service.events("u2")
        assert abs(event.timestamp - (now - HOUR)) < HOUR / 2


def test_what_the_path_and_the_batch_told_is_known_when_it_is_replayed(tmp_path: Path) -> None:
    """The type of a single call stands in its path, the time of sending beside a batch."""
    workspace = write_workspace(tmp_path / "workspace")
    now = time.time_ns() // 1_000_000
    blocked = {"userId": "u1", "event": "Order Completed", "messageId": "m1"}
    batch: dict[str, Any] = {
        "batch": [track("Order Completed", 2, timestamp=format_instant(now + DAY - HOUR))]
    }
    batch["sentAt"] = format_instant(now + DAY)
    with Service.open(workspace, tmp_path / "data", clock="wall") as service:
        service.start()
        service.post(decode_single(json.dumps(blocked).encode(), "track"), "web").result()
        service.post(decode_batch(json.dumps(batch).encode()), "web").result()
        write_workspace(workspace, "[]")
        service.apply()
        assert replay_all(service.core, "E472").to_json()["replayed"] == 2
        service.core.drain()
        assert [each.type for each in service.events("u1")] == ["track"]
        (event,) = service.events("u2")
        assert abs(event.timestamp - (now - HOUR)) < HOUR / 2


def test_a_replay_of_what_is_there_already_leaves_room_for_what_comes_next(tmp_path: Path) -> None:
    """An empty batch used to take the place of the next one."""
    workspace = write_workspace(tmp_path / "workspace")
    with Service.open(workspace, tmp_path / "data", clock="wall") as service:
        service.start()
        post(service, [track("Order Completed", 1, properties={}), track("Login", 1)])
        (held,) = service.quarantine()
        tally = service.quarantine_replay(held.id, json.dumps(track("Login", 1)).encode())
        assert (tally.accepted, tally.duplicate) == (0, 1)
        assert post(service, [track("Login", 2)]).accepted == 1
        assert report(service.core).balance.findings == ()


def test_an_event_that_was_taken_in_is_not_taken_in_again(tmp_path: Path) -> None:
    """What is mended has no message id here; each replay used to count it once more."""
    workspace = write_workspace(tmp_path / "workspace")
    mended = json.dumps({"type": "track", "userId": "u1", "event": "Login"}).encode()
    with Service.open(workspace, tmp_path / "data", clock="wall") as service:
        service.start()
        post(service, [track("Order Completed", 1, properties={})])
        (held,) = service.quarantine()
        assert service.quarantine_replay(held.id, mended).accepted == 1
        with pytest.raises(SegueError, match="taken in already") as refused:
            service.quarantine_replay(held.id, mended)
        assert [each.code for each in refused.value.diagnostics] == ["E798"]
        service.log.quarantine_mark([held.id], "open")  # as a crash before the mark leaves it
        assert service.quarantine_replay(held.id, mended).duplicate == 1
        service.core.drain()
        assert len(list(service.events("u1"))) == 1
        assert report(service.core).balance.findings == ()

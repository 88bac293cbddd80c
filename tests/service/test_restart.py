"""A start after definitions changed goes on from the snapshot that was there before they did."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from segue.domain.time import format_instant
from segue.engine.engine import Engine
from segue.ingest.decode import decode_events
from segue.service import core
from segue.service.service import Service

START_MS = 1_790_000_000_000
SEGMENT = """
- segment: {name}
  owner: crm@shop.example
  description: So many views.
  when: count("{event}", last 1h) >= {least}
"""


def write(folder: Path, *segments: tuple[str, str, int]) -> None:
    (folder / "segments").mkdir(parents=True, exist_ok=True)
    text = "".join(SEGMENT.format(name=name, event=event, least=least) for name, event, least in segments)
    (folder / "segments/all.yaml").write_text(text, encoding="utf-8")
    (folder / "segue.yaml").write_text("timezone: UTC\n", encoding="utf-8")


def post(service: Service, first: int, count: int) -> None:
    lines = []
    for number in range(first, first + count):
        moment = format_instant(START_MS + 1_000 * number)
        name = "Viewed" if number % 3 else "Bought"
        said = {"messageId": str(number), "userId": f"u{number % 7}", "event": name, "type": "track"}
        lines.append(json.dumps(said | {"timestamp": moment, "receivedAt": moment}))
    service.post(decode_events([line.encode() for line in lines]), "test").result()


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The replays of whole programs, by the log position they reach."""
    found: list[int] = []
    replayed = Engine.replayed

    def watched(engine: Engine, compiled: Any, upto: int, *rest: Any, **more: Any) -> Engine:
        if not more.get("fleeting"):
            found.append(upto)
        return replayed(engine, compiled, upto, *rest, **more)

    monkeypatch.setattr(Engine, "replayed", watched)
    monkeypatch.setattr(core, "SNAPSHOT_AFTER", 1)
    return found


def everyone(service: Service) -> dict[str, list[tuple[str, int]]]:
    names = [each.name for each in service.segments()]
    return {name: [(each.user_id, each.since) for each in service.members(name)] for name in names}


def test_a_start_after_an_edit_and_a_crash_shows_no_program_the_whole_log(
    tmp_path: Path, whole: list[int]
) -> None:
    folder, data = tmp_path / "workspace", tmp_path / "data"
    write(folder, ("viewing", "Viewed", 2))
    with Service.open(folder, data) as service:
        service.start()
        post(service, 0, 60)
    write(folder, ("viewing", "Viewed", 2), ("buying", "Bought", 3))
    service = Service.open(folder, data)
    service.start()
    post(service, 60, 60)
    service.core.drain()
    told, changes = everyone(service), list(service.changes())
    crash(service)
    with Service.open(folder, data) as service:
        assert everyone(service) == told
        assert list(service.changes()) == changes
        assert service.verify(lambda _done, _total: None) == []
    assert whole == []
    shutil.rmtree(data / "snapshot")
    with Service.open(folder, data) as service:
        assert everyone(service) == told
    assert len(whole) == 1


def crash(service: Service) -> None:
    """End without a snapshot of how far it came."""
    committer, service._committer = service._committer, None
    assert committer is not None
    committer.stop()
    service.core.stop()
    service.log.close()

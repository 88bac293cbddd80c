"""What was answered as shown is in the log, also when the process ends in the same moment."""

from __future__ import annotations

from pathlib import Path

from segue.service.service import Service
from tests.experiences.page import ask, shop


def test_an_exposure_outlives_the_process(tmp_path: Path) -> None:
    shown = 0
    with shop(tmp_path) as server:
        for number in range(20):
            found = ask(server, f"u{number}", "side", "foot")["slots"]
            shown += len(found)
        server.process.kill()
        server.process.wait()
    with Service.open(tmp_path / "workspace", tmp_path / "data") as service:
        events = [event for number in range(20) for event in service.events(f"u{number}")]
        assert len(events) == shown == 40
        assert len({event.message_id for event in events}) == 40
        assert {event.name for event in events} == {"Experience Viewed", "Experience Withheld"}

"""Models are trained again by their own schedule, and a refusal is told once an hour, not once a second."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.domain.time import DAY, HOUR
from segue.learned.registry import Registry
from segue.service.core import wall_ms
from segue.service.learning import retraining
from segue.service.learning.retraining import Retraining
from segue.service.service import Service
from tests.service.learning.behaving import BUYS, shop, written_anew

WEEKLY = f"{BUYS.rstrip()}\nschedule: every 7d\n"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with shop(tmp_path) as opened:
        yield opened


def numbers(service: Service) -> list[int]:
    return [each.number for each in Registry(service.data).versions("buys")]


def later(monkeypatch: pytest.MonkeyPatch, ms: int) -> None:
    monkeypatch.setattr(retraining, "wall_ms", lambda: wall_ms() + ms)


def test_without_a_schedule_nothing_is_trained(service: Service) -> None:
    Retraining()(service)
    assert numbers(service) == []


def test_the_first_version_is_made_at_once_and_the_next_when_it_is_due(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    written_anew(service, WEEKLY)
    again = Retraining()
    for moment, expected in ((0, [1]), (DAY, [1]), (6 * DAY, [1]), (7 * DAY + HOUR, [1, 2])):
        later(monkeypatch, moment)
        again(service)
        assert numbers(service) == expected
    assert Registry(service.data).champion("buys") is not None


def test_what_is_refused_is_told_and_tried_again_after_an_hour(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written_anew(service, WEEKLY.replace("users: 100,", "users: 1000000,"))
    again = Retraining()
    with caplog.at_level(logging.WARNING, "segue.learning"):
        for moment, told in ((0, 1), (1_000, 1), (HOUR + 1_000, 2)):
            later(monkeypatch, moment)
            again(service)
            assert len(caplog.records) == told
    assert "E862" in caplog.text
    assert numbers(service) == []

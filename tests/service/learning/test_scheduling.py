"""While a server runs, whoever an event touched is scored at once, and everybody when it is time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from segue.domain.time import DAY, MINUTE, format_instant
from segue.ingest.decode import decode_events
from segue.log.batch import Entry, Record
from segue.log.said import Said
from segue.segments.override import ListEdit, Override, ScoreOverride
from segue.service.core import wall_ms
from segue.service.learning.overriding import override_score
from segue.service.learning.rescoring import rescore
from segue.service.learning.scheduling import Learner, Touched, touched_by
from segue.service.learning.scoring import write
from segue.service.service import Service
from tests.service.learning.scored import (
    MODELS,
    START_MS,
    call,
    chance,
    enthrone,
    folder,
    line,
    order,
    score_of,
    take,
)

WAIT_SECONDS = 60.0
MORE = """
segment: keen
owner: crm@shop.example
description: Ordered twice or more often.
when: count("Order") >= 2
"""


class Ear:
    """Hears score records as they are evaluated."""

    def __init__(self, service: Service) -> None:
        self.scores: list[Said] = []
        self._news = threading.Condition()
        service.core.entry_listeners.append(self._heard)

    def _heard(self, entry: Entry) -> None:
        if isinstance(entry, Record) and entry.kind == "score":
            with self._news:
                self.scores.append(Said.of_body(entry.body))
                self._news.notify_all()

    def wait(self, holds: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(holds, WAIT_SECONDS)


@contextmanager
def learning(service: Service) -> Iterator[Ear]:
    service.start()
    ear, learner = Ear(service), Learner(service)
    learner.start()
    try:
        yield ear
    finally:
        learner.stop()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service.open(folder(tmp_path), tmp_path / "data") as service:
        take(service, [order("ann", 0), order("bob", 0), order("cleo", 0)])
        enthrone(service.data, line())
        yield service


def post(service: Service, *events: dict[str, object]) -> None:
    tally = service.post(decode_events([json.dumps(each).encode() for each in events]), "test").result()
    assert tally.accepted == len(events)


def test_after_a_start_everybody_is_scored(service: Service) -> None:
    with learning(service) as ear:
        ear.wait(lambda: len(ear.scores) == 1)
        assert ear.scores[0].rows.tolist() == [0, 1, 2]


def test_whoever_an_event_touches_is_scored_alone(service: Service) -> None:
    with learning(service) as ear:
        ear.wait(lambda: len(ear.scores) == 1)
        post(service, order("bob", 0, 1), order("bob", 0, 2))
        ear.wait(lambda: len(ear.scores) > 1)
        assert ear.scores[1].rows.tolist() == [1]
        expected = chance({"orders": 3, "recent": 3, "rest": 0, "pro": 0})
        assert score_of(service, "bob") == pytest.approx(expected, abs=1e-6)


def test_when_it_is_time_everybody_is_scored_again(service: Service) -> None:
    with learning(service) as ear:
        ear.wait(lambda: len(ear.scores) == 1)
        post(service, call("page", "dora", 1.5, name="Home"))
        ear.wait(lambda: len(ear.scores) > 1)
        assert ear.scores[1].rows.tolist() == [0, 1, 2]
        rest = chance({"orders": 1, "recent": 1, "rest": 1.5, "pro": 0})
        assert score_of(service, "ann") == pytest.approx(rest, abs=1e-6)


def test_another_champion_scores_everybody(service: Service) -> None:
    with learning(service) as ear:
        ear.wait(lambda: len(ear.scores) == 1)
        enthrone(service.data, line(intercept=1.0))
        ear.wait(lambda: len(ear.scores) > 1)
        assert ear.scores[1].version == 2
        assert ear.scores[1].rows.tolist() == [0, 1, 2]


def test_what_was_scored_live_a_replay_and_the_slow_truth_say_too(tmp_path: Path) -> None:
    with Service.open(folder(tmp_path), tmp_path / "data") as service:
        take(service, [order("ann", 0), order("bob", 0)])
        enthrone(service.data, line())
        with learning(service) as ear:
            ear.wait(lambda: len(ear.scores) == 1)
            for day in range(1, 30):
                post(service, call("page", "dora", day, name="Home"), order("ann", day))
            ear.wait(lambda: (score_of(service, "bob") or 0) > 0.9)
        service.core.drain()
        assert "bob" in [member.user_id for member in service.members("leaving")]
        assert service.verify(lambda _done, _of: None) == []
        told, held = list(service.changes()), service.members("leaving")
        service.core.forget_snapshots()
    with Service.open(tmp_path, tmp_path / "data") as again:
        assert (list(again.changes()), again.members("leaving")) == (told, held)
        assert again.verify(lambda _done, _of: None) == []


def test_by_the_wall_clock_time_goes_on_where_nothing_comes_in(tmp_path: Path) -> None:
    with Service.open(folder(tmp_path), tmp_path / "data", clock="wall") as service:
        take(service, [order("ann", -9_000)])
        enthrone(service.data, line())
        begun = wall_ms()
        assert service.engine.now < begun
        with learning(service) as ear:
            ear.wait(lambda: len(ear.scores) == 1)
        now = service.engine.now
        assert now >= begun
        expected = chance({"orders": 1, "recent": 0, "rest": (now - START_MS) / DAY + 9_000, "pro": 0})
        assert score_of(service, "ann") == pytest.approx(expected, abs=1e-4)


def test_a_segment_whose_readers_wait_is_scored_on_the_schedule_alone(tmp_path: Path) -> None:
    late = folder(tmp_path)
    segments = late / "segments" / "all.yaml"
    text = segments.read_text(encoding="utf-8").replace(
        "  kind: strategic\n", "  kind: strategic\n  freshness: 1d\n"
    )
    segments.write_text(text, encoding="utf-8")
    with Service.open(late, tmp_path / "data") as service:
        take(service, [order("ann", 0), order("bob", 0)])
        enthrone(service.data, line())
        rescore(service)
        with learning(service) as ear:
            post(service, order("bob", 0.5))
            post(service, call("page", "ann", 1.1, name="Home"))
            ear.wait(lambda: len(ear.scores) > 0)
        assert ear.scores[0].rows.tolist() == [0, 1]


def test_rows_that_wait_are_taken_once_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    touched = Touched()
    assert touched.take() is None
    touched.add(np.array([5, 3, 5], np.int32))
    touched.add(np.array([4], np.int32))
    taken = touched.take()
    assert taken is not None
    assert taken.tolist() == [3, 4, 5]
    empty = touched.take()
    assert empty is not None
    assert not len(empty)
    monkeypatch.setattr("segue.service.learning.scheduling.TOUCHED_MAX", 3)
    touched.add(np.array([1, 2], np.int32))
    touched.add(np.array([3, 4], np.int32))
    assert touched.take() is None


@contextmanager
def touching(tmp_path: Path) -> Iterator[tuple[Service, list[object]]]:
    """A served shop whose model also asks for the account's plan, and whom each entry touches in it."""
    models = MODELS.replace("trait.plan", "group.plan")
    with Service.open(folder(tmp_path, models=models), tmp_path / "data") as service:
        take(service, [order("ann", 0), order("bob", 0), order("cleo", 0)])
        heard: list[object] = []

        def hear(entry: Entry) -> None:
            rows = touched_by(entry, service.engine)
            heard.append(None if rows is None else rows.tolist())

        service.start()
        service.core.entry_listeners.append(hear)
        yield service, heard
        service.core.drain()


def of_account(user: str, day: float, number: int = 0, **traits: object) -> dict[str, object]:
    return call("group", user, day, number, groupId="acme", traits=traits)


def test_what_is_said_of_an_account_touches_all_whose_account_it_is(tmp_path: Path) -> None:
    with touching(tmp_path) as (service, heard):
        post(service, of_account("ann", 0, name="Acme"))
        post(service, of_account("bob", 0))
        post(service, of_account("ann", 1, plan="pro"))
        post(service, of_account("ann", 2, name="Acme & Co"))
        service.core.drain()
        assert heard == [[0], [1], [0, 1], [0]]
        service.forget("ann")
        assert 1 in cast("list[int]", heard[-1])


def test_whoever_a_record_is_about_is_touched_by_it(tmp_path: Path) -> None:
    with touching(tmp_path) as (service, heard):
        service.edit_list(ListEdit("press", "bob", True))
        service.override(Override("cleo", "leaving", True, None, "dana", "why not"))
        service.override(Override("nobody", "leaving", True, None, "dana", "why not"))
        override_score(service, ScoreOverride("bob", "score", "churn", 0.1, None, "dana", "she stays"))
        service.apply()
        assert heard == [[1], [2], [], []]
        (service.folder / "segments" / "more.yaml").write_text(MORE, encoding="utf-8")
        service.apply()
        assert heard[4:] == [None]


def test_an_event_ahead_of_time_touches_when_its_time_has_come(tmp_path: Path) -> None:
    with touching(tmp_path) as (service, heard):
        ahead = format_instant(START_MS + DAY - MINUTE)
        take(service, [order("bob", 1, receivedAt=ahead)])
        post(service, order("cleo", 2))
        service.core.drain()
        assert heard == [[1], [1, 2]]


def test_what_models_say_touches_nobody(tmp_path: Path) -> None:
    with touching(tmp_path) as (service, heard):
        for done in write(service.core, Said.scores("churn", np.arange(2, dtype=np.int32), np.ones(2), 1)):
            done.result()
        assert heard == [[]]


def test_the_others_of_an_account_are_scored_at_once(tmp_path: Path) -> None:
    models = MODELS.replace("trait.plan", "group.plan")
    with Service.open(folder(tmp_path, models=models), tmp_path / "data") as service:
        take(service, [order("ann", 0), order("bob", 0), order("cleo", 0)])
        take(service, [of_account("ann", 0), of_account("bob", 0)])
        enthrone(service.data, line())
        with learning(service) as ear:
            ear.wait(lambda: len(ear.scores) == 1)
            post(service, of_account("ann", 0, 1, plan="pro"))
            ear.wait(lambda: len(ear.scores) > 1)
            assert ear.scores[1].rows.tolist() == [0, 1]
            expected = chance({"orders": 1, "recent": 1, "rest": 0, "pro": 1})
            assert score_of(service, "bob") == pytest.approx(expected, abs=1e-6)

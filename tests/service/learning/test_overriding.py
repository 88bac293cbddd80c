"""A person's word in the place of a score: read wherever the score is, and above what models say later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segue.domain.change import Cause
from segue.domain.errors import SegueError
from segue.domain.time import DAY, format_instant
from segue.learned.registry import Registry
from segue.log.said import Said
from segue.segments.override import ScoreOverride
from segue.service.audit import audit
from segue.service.commands import override as command
from segue.service.core import SNAPSHOT_AFTER
from segue.service.learning.overriding import override_score
from segue.service.learning.scoring import write
from segue.service.portrait import portrait
from segue.service.service import Service
from tests.service.learning.scored import START_MS, call, folder, order, score_of, take

MODEL = ("score", "given")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service.open(folder(tmp_path), tmp_path / "data") as service:
        take(service, [order("ann", 0), order("bob", 0)])
        yield service


def say(service: Service, *scores: float) -> None:
    rows = np.arange(len(scores), dtype=np.int32)
    for done in write(service.core, Said.scores("given", rows, np.array(scores, np.float64), 1)):
        done.result()


def replaced(service: Service, user: str, value: float | None, until: int | None = None) -> None:
    override_score(service, ScoreOverride(user, *MODEL, value, until, "dana", "she called"))


def told(service: Service) -> list[str]:
    return [member.user_id for member in service.members("told")]


def verified(service: Service) -> bool:
    return service.verify(lambda _done, _of: None) == []


def test_it_wins_over_what_the_model_said_and_says_later(service: Service) -> None:
    say(service, 1, 9)
    assert told(service) == ["bob"]
    replaced(service, "ann", 8)
    replaced(service, "bob", 2)
    assert told(service) == ["ann"]
    assert [each.cause for each in list(service.changes())[-2:]] == [Cause.OVERRIDE, Cause.OVERRIDE]
    say(service, 3, 10)
    assert told(service) == ["ann"]
    assert (score_of(service, "ann", "given"), score_of(service, "bob", "given")) == (8, 2)
    assert verified(service)


def test_taken_back_the_model_is_heard_again(service: Service) -> None:
    say(service, 1, 9)
    replaced(service, "ann", 8)
    say(service, 7.5, 9)
    replaced(service, "ann", None)
    assert told(service) == ["ann", "bob"]
    assert score_of(service, "ann", "given") == 7.5
    assert verified(service)


def test_it_ends_at_its_moment_by_time(service: Service) -> None:
    say(service, 1, 9)
    replaced(service, "ann", 8, START_MS + 5 * DAY)
    take(service, [call("page", "cleo", 5 - 1 / 86_400_000, name="Home")])
    assert told(service) == ["ann", "bob"]
    take(service, [call("page", "cleo", 6, name="Home")])
    assert told(service) == ["bob"]
    last = list(service.changes())[-1]
    assert (last.user_id, last.at, last.cause) == ("ann", START_MS + 5 * DAY, Cause.TIME)
    assert score_of(service, "ann", "given") == 1
    assert verified(service)
    assert [member.user_id for member in service.members("told", START_MS + 3 * DAY)] == ["ann", "bob"]


def test_a_large_batch_with_an_end_in_the_midst_of_it(service: Service) -> None:
    replaced(service, "ann", 8, START_MS + 5 * DAY)
    take(service, [call("page", f"u{at}", at / 10, name="Home") for at in range(100)])
    last = list(service.changes())[-1]
    assert (last.user_id, last.at, last.entered) == ("ann", START_MS + 5 * DAY, False)
    assert verified(service)


def test_of_who_is_not_there_yet_it_awaits_the_first_event(service: Service) -> None:
    replaced(service, "dora", 9)
    replaced(service, "anon:d1", 9, START_MS + 2 * DAY)
    assert told(service) == []
    take(
        service,
        [order("dora", 1), {**call("page", "x", 1, name="Home"), "anonymousId": "d1", "userId": None}],
    )
    assert told(service) == ["anon:d1", "dora"]
    take(service, [call("page", "cleo", 3, name="Home")])
    assert told(service) == ["dora"]
    assert verified(service)


def test_it_follows_a_merge_and_the_survivors_wins(service: Service) -> None:
    replaced(service, "ann", 8)
    take(service, [call("alias", "bob", 1, previousId="ann")])
    assert told(service) == ["bob"]
    take(service, [order("cleo", 1)])
    replaced(service, "cleo", 1)
    take(service, [call("alias", "bob", 2, previousId="cleo")])
    assert told(service) == ["bob"]
    assert verified(service)


@pytest.mark.parametrize("save", [True, False])
def test_a_restart_keeps_it(tmp_path: Path, save: bool) -> None:
    with Service.open(folder(tmp_path), tmp_path / "data") as service:
        take(service, [order("ann", 0)])
        say(service, 1)
        replaced(service, "ann", 8, START_MS + 5 * DAY)
        replaced(service, "later", 9, START_MS + 5 * DAY)
        service.core.saved_seq = -SNAPSHOT_AFTER if save else 0
    with Service.open(tmp_path, tmp_path / "data") as again:
        assert again.core.saved_seq == (again.engine.evaluated_seq if save else 0)
        take(again, [order("later", 2)])
        assert told(again) == ["ann", "later"]
        take(again, [order("ann", 6)])
        assert told(again) == []
        assert verified(again)


def test_it_is_forgotten_with_the_user(service: Service) -> None:
    replaced(service, "ann", 8)
    service.forget("ann")
    assert told(service) == []
    assert not service.log.records("override")
    assert not service.engine.feed.predictions.words


def test_it_is_audited_and_shown(service: Service) -> None:
    replaced(service, "ann", 8, START_MS + 5 * DAY)
    replaced(service, "bob", None)
    said = [
        each.text
        for each in audit(service.log, service.access, Registry(service.data))
        if each.what == "override"
    ]
    until = format_instant(START_MS + 5 * DAY)
    assert said == [
        f"ann given 8 in place of the score given until {until}: she called",
        "bob left to the score given: she called",
    ]
    shown = portrait(service, "ann").to_json()["score_overrides"]
    assert shown == [{"gives": "score", "model": "given", "value": 8, "until": until}]


def run(service: Service, **arguments: Any) -> Any:
    (found,) = command.run(service, arguments, lambda _done, _of: None)
    return found


def test_the_command_reads_a_value_by_what_the_model_gives(service: Service) -> None:
    assert run(service, user="ann", model="given", value="7.5")["value"] == 7.5
    assert told(service) == ["ann"]
    assert run(service, user="ann", model="given", value="none")["value"] is None
    assert told(service) == []


@pytest.mark.parametrize(
    ("model", "value", "code"),
    [("given", "much", "E880"), ("given", "1e300", "E880"), ("given", "nan", "E880"), ("gven", "1", "E881")],
)
def test_what_cannot_be_is_refused(service: Service, model: str, value: str, code: str) -> None:
    with pytest.raises(SegueError) as refused:
        run(service, user="ann", model=model, value=value)
    assert refused.value.diagnostics[0].code == code

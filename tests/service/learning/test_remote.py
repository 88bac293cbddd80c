"""A model that is served elsewhere, from its training to segments on its scores, by a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from segue.domain.errors import SegueError
from segue.domain.event import Json
from segue.domain.time import DAY, MINUTE, format_instant
from segue.ingest.decode import Decoded, decode_events
from segue.learned import asking
from segue.learned.registry import Registry
from segue.service.learning.rescoring import rescore
from segue.service.learning.scheduling import Learner
from segue.service.learning.training import train
from segue.service.service import Service
from tests.learned.served import serving
from tests.service.learning.scored import enthrone, line

NOW = 20_000 * DAY
PEOPLE = 300
MODEL = """
model: risk
owner: risk@shop.example
description: Who orders again, from the risk team's service.
kind: remote
url: {url}
target: count("Order", next 30d) > 0
population: count("Order") > 0
baseline: count("Order") > 1
features: {{luck: trait.luck, orders: count("Order")}}
retries: 0
fallback: {fallback}
"""
SEGMENT = """
segment: likely
owner: crm@shop.example
description: Said to order again.
kind: strategic
when: score("risk") > 0.5
"""


class Oracle:
    """Knows who has luck; says nothing while it is ``down``."""

    def __init__(self, knows: bool = True, tells: bool = False) -> None:
        self.knows = knows
        self.tells = tells
        self.down = False

    def __call__(self, asked: Json) -> tuple[int, Json]:
        if self.down:
            return 503, {}
        place = asked["features"].index("luck")
        luck = [0.9 * row[place] if self.knows else 0.25 for row in asked["rows"]]
        answer: Json = {"scores": [each + 0.05 for each in luck]}
        if self.tells and asked.get("explain"):
            parts = [[each if at == place else 0 for at in range(len(asked["features"]))] for each in luck]
            answer |= {"base": 0.05, "contributions": parts}
        return 200, answer


def events() -> Iterator[Json]:
    """Everybody ordered long ago; who has luck orders again, mostly."""
    random = np.random.default_rng(6)
    for person in range(PEOPLE):
        luck = bool(random.random() < 0.5)
        first = NOW - round(random.uniform(70, 100) * DAY)
        yield call(person, first, type="identify", traits={"luck": int(luck)})
        yield call(person, first, type="track", event="Order")
        if random.random() < (0.8 if luck else 0.2):
            yield call(person, NOW - round(random.uniform(2, 28) * DAY), type="track", event="Order")
    yield call(0, NOW, type="track", event="Login")


def call(person: int, at: int, **fields: Json) -> Json:
    return {
        "userId": f"u{person}",
        "timestamp": format_instant(at),
        "messageId": f"{person}-{at}-{fields['type']}",
        **fields,
    }


def opened(folder: Path, url: str, fallback: str = "keep") -> Service:
    for kind, text in (("models", MODEL.format(url=url, fallback=fallback)), ("segments", SEGMENT)):
        (folder / "ws" / kind).mkdir(parents=True)
        (folder / f"ws/{kind}/all.yaml").write_text(text)
    (folder / "ws/segue.yaml").write_text("timezone: UTC\nprivate_targets: 127.0.0.0/8\n")
    file = folder / "events.jsonl"
    file.write_text(
        "".join(json.dumps(each) + "\n" for each in sorted(events(), key=lambda each: each["timestamp"]))
    )
    service = Service.open(folder / "ws", folder / "data")
    tally = service.import_file(file, None, "test", lambda _done, _total: None)
    assert not tally.quarantined
    return service


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "RETRY_SECONDS", (0.01,))


def members(service: Service) -> int:
    return len(service.members("likely"))


def test_a_service_that_knows_better_than_the_rule_is_in_force(tmp_path: Path) -> None:
    with serving(Oracle()) as served, opened(tmp_path, served.url) as service:
        trained = train(service, "risk")
        assert trained.promoted
        assert trained.version.card["metrics"]["auc"] > 0.7
        assert members(service) == service.preview("trait.luck == 1").count
        told = json.dumps(served.asked)
        assert '"u1"' not in told


def test_a_service_that_knows_nothing_stays_outside(tmp_path: Path) -> None:
    with serving(Oracle(knows=False)) as served, opened(tmp_path, served.url) as service:
        assert not train(service, "risk").promoted
        assert members(service) == 0


@pytest.mark.parametrize(("fallback", "kept"), [("keep", True), ("missing", False)])
def test_while_it_does_not_answer_its_fallback_counts(tmp_path: Path, fallback: str, kept: bool) -> None:
    oracle = Oracle()
    with serving(oracle) as served, opened(tmp_path, served.url, fallback) as service:
        train(service, "risk")
        before = members(service)
        assert before > 100
        oracle.down = True
        found = rescore(service)
        assert ("risk" in found.refused) is kept
        assert members(service) == (before if kept else 0)
        oracle.down = False
        rescore(service)
        assert members(service) == before


def test_a_service_that_is_not_there_is_not_taken_on(tmp_path: Path) -> None:
    with serving(Oracle()) as served:
        url = served.url
    with opened(tmp_path, url) as service, pytest.raises(SegueError, match="E873"):
        train(service, "risk")
    assert Registry(tmp_path / "data").versions("risk") == []


def test_a_service_at_an_inner_address_is_still_one_after_a_restart(tmp_path: Path) -> None:
    with serving(Oracle()) as served:
        with opened(tmp_path, served.url) as service:
            train(service, "risk")
            before = members(service)
        with Service.open(tmp_path / "ws", tmp_path / "data") as service:
            assert members(service) == before > 100
            assert "risk" not in rescore(service).refused
            assert train(service, "risk").version.number == 2


def reasons(service: Service) -> Json:
    found = service.explain("u3", "likely").to_json()["condition"]["observed"][0]
    return found["reasons"]


def test_drivers_that_it_tells_are_explained(tmp_path: Path) -> None:
    oracle = Oracle(tells=True)
    with serving(oracle) as served, opened(tmp_path, served.url) as service:
        card = train(service, "risk").version.card
        assert {each["name"]: each["importance"] > 0 for each in card["features"]} == {
            "luck": True,
            "orders": False,
        }
        found = reasons(service)
        drivers = {each["feature"]: each["raw"] for each in found["drivers"]}
        assert found["base"] == 0.05
        assert found["base"] + sum(drivers.values()) == pytest.approx(found["prediction"])
        assert found["prediction"] == pytest.approx(service.user("u3").scores["risk"])
        assert drivers == {"luck": pytest.approx(found["prediction"] - 0.05), "orders": 0}
        del served.asked[:]
        oracle.down = True
        assert "the model risk gave no answer: it answered 503" in reasons(service)["note"]
        assert [len(each["rows"]) for each in served.asked] == [1]


def test_one_that_tells_none_is_asked_for_them_once(tmp_path: Path) -> None:
    with serving(Oracle()) as served, opened(tmp_path, served.url) as service:
        trained = train(service, "risk").version
        assert any("it tells none" in note for note in trained.card["notes"])
        assert sum("explain" in each for each in served.asked) == 1
        found = reasons(service)
        assert found["note"] == "it comes from elsewhere, where it is not told why"
        assert found["drivers"] == []
        assert sum("explain" in each for each in served.asked) == 1


SECOND = """
model: lively
owner: crm@shop.example
description: The chance of another order, by a line written down.
kind: propensity
target: count("Order", next 30d) > 0
features: {orders: count("Order")}
"""


def test_one_that_does_not_answer_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    oracle = Oracle()
    with serving(oracle) as served, opened(tmp_path, served.url) as service:
        train(service, "risk")
        (tmp_path / "ws/models/lively.yaml").write_text(SECOND)
        service.apply()
        enthrone(service.data, line({"orders": 0.5}), "lively")
        service.start()
        learner = Learner(service)
        learner._round(None)
        assert list(learner._champions.now()) == ["lively", "risk"]
        oracle.down = True
        rows = np.array([3], np.int32)
        for _ in range(3):
            del served.asked[:]
            learner._round(rows)
        assert served.asked == []
        assert learner._failed.keys() == {"risk"}
        service.post(_login(NOW + MINUTE), "test").result()
        service.core.drain()
        oracle.down = False
        learner._round(rows)
        assert learner._failed == {}
        assert sum(len(each["rows"]) for each in served.asked) == PEOPLE


def _login(at: int) -> Decoded:
    return decode_events([json.dumps(call(0, at, type="track", event="Login")).encode()])

"""Champions score: what they say is what their numbers say, stands in the log, and changes segments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from segue.domain.change import Cause
from segue.domain.time import DAY
from segue.learned.registry import Registry
from segue.log.said import NOTHING, Said
from segue.segments.override import ListEdit
from segue.service.core import SNAPSHOT_AFTER
from segue.service.learning.rescoring import rescore
from segue.service.learning.scoring import ROWS_AT_ONCE, write
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


def opened(at: Path) -> Service:
    service = Service.open(folder(at), at / "data")
    events = [
        *(order("ann", day) for day in (0, 1, 2)),
        order("bob", 0),
        call("identify", "bob", 0, traits={"plan": "pro"}),
        call("page", "cleo", 2, name="Home"),
        order("ann", 20),
    ]
    take(service, events)
    enthrone(service.data, line())
    return service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with opened(tmp_path) as service:
        yield service


def verified(service: Service) -> bool:
    return service.verify(lambda _done, _of: None) == []


def test_a_score_is_what_the_numbers_say(service: Service) -> None:
    scored = rescore(service)
    assert (scored.looked, scored.written, scored.refused) == ({"churn": 3}, {"churn": 2}, {})
    ann = chance({"orders": 4, "recent": 1, "rest": 0, "pro": 0})
    bob = chance({"orders": 1, "recent": 0, "rest": 20, "pro": 1})
    assert score_of(service, "ann") == pytest.approx(ann, abs=1e-6)
    assert score_of(service, "bob") == pytest.approx(bob, abs=1e-6)
    assert score_of(service, "cleo") is None
    assert (ann > 0.5, bob > 0.5) == (False, True)
    assert [member.user_id for member in service.members("leaving")] == ["bob"]
    last = list(service.changes())[-1]
    assert (last.segment, last.cause) == ("leaving", Cause.SCORE)
    assert verified(service)


def test_what_did_not_move_is_not_written(service: Service) -> None:
    rescore(service)
    before = service.log.next_seq
    assert rescore(service).written == {"churn": 0}
    assert service.log.next_seq == before


def test_time_alone_moves_a_score(service: Service) -> None:
    rescore(service)
    before = score_of(service, "ann")
    take(service, [call("page", "cleo", 60, name="Home")])
    rescore(service)
    assert score_of(service, "ann") > before
    assert [member.user_id for member in service.members("leaving")] == ["ann", "bob"]
    assert verified(service)


def test_a_restart_keeps_scores_with_a_snapshot_and_without(tmp_path: Path) -> None:
    with opened(tmp_path) as service:
        rescore(service)
        said = {user: score_of(service, user) for user in ("ann", "bob", "cleo")}
        service.core.saved_seq = -SNAPSHOT_AFTER
    assert (service.data / "snapshot").is_dir()
    with Service.open(service.folder, service.data) as again:
        assert again.core.saved_seq > 0
        assert {user: score_of(again, user) for user in said} == said
        again.core.forget_snapshots()
    with Service.open(service.folder, service.data) as anew:
        assert anew.core.saved_seq == 0
        assert {user: score_of(anew, user) for user in said} == said


def test_who_leaves_the_population_loses_the_score(service: Service) -> None:
    (service.folder / "models" / "all.yaml").write_text(
        MODELS.replace('count("Order") > 0', 'count("Order") > 1'), encoding="utf-8"
    )
    rescore(service)
    assert score_of(service, "bob") is not None
    service.apply()
    rescore(service)
    assert score_of(service, "bob") is None
    assert score_of(service, "ann") is not None


def test_a_model_that_is_archived_says_nothing_any_more(service: Service) -> None:
    rescore(service)
    text = MODELS.replace("  kind: propensity\n", "  kind: propensity\n  status: archived\n")
    (service.folder / "models" / "all.yaml").write_text(text, encoding="utf-8")
    service.apply()
    assert score_of(service, "bob") is not None
    rescore(service)
    assert score_of(service, "bob") is None
    assert service.members("leaving") == []
    assert verified(service)


def test_without_a_version_in_force_nothing_is_said_any_more(service: Service) -> None:
    rescore(service)
    assert score_of(service, "bob") is not None
    Registry(service.data).archive("churn", 1, "dana", "it was wrong", START_MS)
    rescore(service)
    assert score_of(service, "bob") is None
    assert verified(service)


def test_a_model_whose_features_are_gone_does_not_score(service: Service) -> None:
    text = MODELS.replace("    recent:", "    later:")
    (service.folder / "models" / "all.yaml").write_text(text, encoding="utf-8")
    service.apply()
    scored = rescore(service)
    assert scored.refused == {"churn": "it reads features that are not defined any more: train it again"}
    assert score_of(service, "bob") is None


def test_as_of_a_moment_scores_are_those_received_by_then(service: Service) -> None:
    rescore(service)
    service.edit_list(ListEdit("press", "bob", True))
    take(service, [call("page", "cleo", 60, name="Home")])
    rescore(service)
    assert [member.user_id for member in service.members("leaving", START_MS + 20 * DAY)] == []
    assert [member.user_id for member in service.members("leaving")] == ["ann"]
    assert [member.user_id for member in service.members("leaving", START_MS + 60 * DAY)] == ["ann"]


def test_forgetting_takes_scores_out_of_the_log(service: Service) -> None:
    rescore(service)
    row = service.row_of("bob")
    assert service.forget("bob")
    for record in service.log.records("score"):
        assert row not in Said.of_body(record.body).rows.tolist()
    assert score_of(service, "bob") is None
    rescore(service)
    assert all(row not in Said.of_body(each.body).rows.tolist() for each in service.log.records("score"))
    assert verified(service)


def test_of_the_forgotten_nothing_is_written_that_was_read_before(service: Service) -> None:
    row = service.row_of("bob")
    assert row is not None
    said = Said.scores("churn", np.array([0, row], np.int32), np.array([0.1, 0.9]))
    service.forget("bob")
    for done in write(service.core, said):
        done.result()
    (record,) = service.log.records("score")
    assert Said.of_body(record.body).rows.tolist() == [0]


def test_who_was_absorbed_gives_no_score_to_the_other(service: Service) -> None:
    rescore(service)
    ann = score_of(service, "ann")
    take(service, [call("alias", "ann", 20, previousId="bob")])
    assert score_of(service, "ann") == ann
    assert score_of(service, "bob") == ann
    said = Said.scores("churn", np.array([1], np.int32), np.array([0.999]))
    for done in write(service.core, said):
        done.result()
    assert score_of(service, "ann") == ann
    assert verified(service)


def test_clusters_are_written_by_name_and_compared_by_name(service: Service) -> None:
    rows = np.array([0, 1], np.int32)
    for labels, values in ((("calm", "busy"), [0, 1]), (("busy", "calm"), [1, 0]), (("busy",), [0, NOTHING])):
        write(service.core, Said("cluster", "habits", rows, np.array(values, np.int64), labels))
    feed = service.engine.feed.predictions
    assert [feed.said(("cluster", "habits"), row) for row in (0, 1, 2)] == ["busy", None, None]


def test_more_rows_than_are_read_at_once_are_all_scored(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ROWS_AT_ONCE > 2
    monkeypatch.setattr("segue.service.learning.scoring.ROWS_AT_ONCE", 2)
    assert rescore(service).looked == {"churn": 3}
    assert len(service.log.records("score")) == 1

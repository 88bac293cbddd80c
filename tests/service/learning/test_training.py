"""Training in a workspace: what is learned, judged, kept and put in force; and what is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.domain.errors import SegueError
from segue.domain.time import DAY, format_instant, parse_instant
from segue.learned import extras
from segue.learned.card import render
from segue.learned.registry import FILE, Registry
from segue.learned.version import ARCHIVED, CANDIDATE, CHAMPION
from segue.service.audit import audit
from segue.service.learning.comparing import compare
from segue.service.learning.rescoring import rescore
from segue.service.learning.shown import listed
from segue.service.learning.shown import render as models_text
from segue.service.learning.training import promote, rollback, train, trained_here
from segue.service.service import Service
from tests.service.learning.behaving import BUYS, shop, written_anew

WEAK = """\
baseline: 2 * count("Order", last 30d) + count("Order", last 90d)
features:
  spent: sum("Order".revenue)
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with shop(tmp_path) as opened:
        yield opened


def test_a_model_is_learned_judged_and_put_in_force(service: Service) -> None:
    trained = train(service, "buys")
    card = trained.version.card
    assert trained.promoted
    assert trained.version.status == CHAMPION
    assert card["verdict"]["low"] > 0
    assert card["metrics"]["auc"] > 0.7
    assert {each["name"] for each in card["features"]} == {
        "orders", "lately", "since_last", "since_first", "spent"
    }  # fmt: skip
    assert "scikit-learn" in card["libraries"]
    likely = {member.user_id for member in service.members("likely")}
    assert 0 < len(likely) < 700


def test_training_ends_before_the_test_begins(service: Service) -> None:
    """No label that a model learned from lies beyond the cut-off at which it is judged."""
    card = train(service, "buys").version.card
    training = [parse_instant(each) for each in card["cut_offs"]["training"]]
    test = parse_instant(card["cut_offs"]["test"])
    assert test is not None
    assert len(training) > 1
    assert all(each is not None and each + 30 * DAY <= test for each in training)
    assert test + 30 * DAY <= service.engine.now


def test_silence_since_the_last_event_is_no_answer(service: Service) -> None:
    """A server whose clock has gone on for a year without events learns what one learned then."""
    before = train(service, "buys").version.card
    service.core.record("time", {}).result()
    service.engine.advance(service.engine.now + 365 * DAY)
    after = train(service, "buys").version.card
    assert after["cut_offs"] == before["cut_offs"]
    assert after["data_hash"] == before["data_hash"]


def test_the_same_log_gives_the_same_model(service: Service) -> None:
    one, other = train(service, "buys").version, train(service, "buys").version
    assert one.card["data_hash"] == other.card["data_hash"]
    assert one.document == other.document
    assert (one.number, other.number) == (1, 2)


def test_the_model_in_force_is_compared_with_the_new_one(service: Service) -> None:
    train(service, "buys")
    again = train(service, "buys")
    assert again.trial.against is not None
    assert again.trial.against.difference == 0
    assert [each.status for each in Registry(service.data).versions("buys")] == [ARCHIVED, CHAMPION]


def test_what_does_not_beat_its_rule_is_a_candidate(tmp_path: Path) -> None:
    """A model of one feature that knows less than the rule that was given for it."""
    weak = BUYS.split("features:", maxsplit=1)[0] + WEAK
    with shop(tmp_path, weak) as service:
        trained = train(service, "buys")
        assert not trained.promoted
        assert trained.version.status == CANDIDATE
        assert "refused" in trained.why
        assert Registry(service.data).champion("buys") is None
        assert service.members("likely") == []
        (row,) = listed(service)
        assert (row["version"], row["candidate"]) == (None, {"version": 1, "passed": False})
        said = models_text(service, "buys")
        assert said.startswith("buys: no version is in force\nbuys, version 1: candidate")
        assert "gate       refused: AUC" in said
        _a_person_may_decide_otherwise(service)


def _a_person_may_decide_otherwise(service: Service) -> None:
    for by, why in ((None, "why"), ("ada@shop.example", None), ("ada@shop.example", "  ")):
        with pytest.raises(SegueError, match="E867"):
            promote(service, "buys", 1, by, why)
    assert promote(service, "buys", 1, "ada@shop.example", "The rule is out of season.").status == CHAMPION
    done = audit(service.log, service.access, Registry(service.data))[-1]
    assert (done.what, done.by) == ("model", "ada@shop.example")
    assert done.text == "buys, version 1: champion, The rule is out of season."
    assert service.members("likely") != []
    assert "did not beat its rule, by ada@shop.example: The rule is out of season." in models_text(
        service, "buys"
    )
    train(service, "buys")
    (row,) = listed(service)
    assert (row["version"], row["candidate"]["version"]) == (1, 2)


def test_a_rollback_scores_with_the_version_before(service: Service) -> None:
    train(service, "buys")
    before = {member.user_id for member in service.members("likely")}
    changed = BUYS.replace('  spent: sum("Order".revenue)\n', "")
    written_anew(service, changed)
    assert train(service, "buys").version.number == 2
    with pytest.raises(SegueError, match="E867"):
        rollback(service, "buys", None, None)
    written_anew(service, BUYS)
    assert rollback(service, "buys", "ada@shop.example", "Scores jumped.").number == 1
    assert {member.user_id for member in service.members("likely")} == before


# ---- what is refused -------------------------------------------------------------------------


def refused(service: Service, name: str = "buys") -> str:
    with pytest.raises(SegueError) as caught:
        train(service, name)
    return str(caught.value)


def test_too_few_users_are_refused_with_both_counts(tmp_path: Path) -> None:
    model = BUYS.replace("guards: {users: 100, events: 1, positives: 20, reason: A made-up shop.}\n", "")
    with shop(tmp_path, model) as service:
        said = refused(service)
    assert said.startswith("E862")
    assert "it asks for 1,000 users and 100 of whom it holds" in said
    assert "users, of whom the target holds for" in said
    assert "kind: value" in said


def test_a_short_history_is_refused(tmp_path: Path) -> None:
    with shop(tmp_path, days=80) as service:
        said = refused(service)
        assert "the log holds 79d; it takes 3 times as long" in said
        assert "11d more are missing" in said
        assert "let it look 26d ahead at most" in said


def test_an_empty_log_is_refused(tmp_path: Path) -> None:
    with shop(tmp_path, days=0) as service:
        assert "there are no events to look back on" in refused(service)


@pytest.mark.parametrize(("target", "code"), [(">= 0", "E863"), ("> 1000", "E862")])
def test_a_constant_target_is_refused(tmp_path: Path, target: str, code: str) -> None:
    with shop(tmp_path, BUYS.replace("next 30d) > 0", f"next 30d) {target}")) as service:
        assert refused(service).startswith(code)


def test_models_that_are_not_learned_here_are_refused(tmp_path: Path) -> None:
    upload = "model: given\nowner: o@x\ndescription: From elsewhere.\nkind: upload\n"
    draft = BUYS.replace("model: buys", "model: later\nstatus: draft")
    with shop(tmp_path, BUYS, upload, draft) as service:
        assert refused(service, "given").startswith("E869")
        assert refused(service, "later").startswith("E869")
        assert trained_here(service.workspace) == ["buys"]


def test_a_model_that_there_is_not(service: Service) -> None:
    said = refused(service, "bys")
    assert said.startswith("E860")
    assert "did you mean buys?" in said


def test_a_missing_library_is_named_with_the_command(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda module: None if module == "sklearn" else module)
    said = refused(service)
    assert said.startswith("E866")
    assert "pip install 'segue[ml]'" in said


# ---- warnings --------------------------------------------------------------------------------


def test_a_feature_that_knows_the_answer_is_warned_of(tmp_path: Path) -> None:
    """A trait that somebody derived from what happened afterwards."""
    model = BUYS + "  told: trait.told\n"
    with shop(tmp_path, model) as service:
        now = service.engine.now
        moment = format_instant(now - 45 * DAY)
        rows = [
            f'{{"type":"identify","userId":"{member.user_id}","timestamp":"{moment}",'
            f'"receivedAt":"{moment}","traits":{{"told":{index % 7}}}}}\n'
            for index, member in enumerate(service.members("recent"))
        ]
        late = tmp_path / "late.jsonl"
        late.write_text("".join(rows))
        service.import_file(late, None, "test", lambda _done, _total: None)
        warnings = train(service, "buys").version.card["warnings"]
    assert len(warnings) == 1
    assert warnings[0].startswith("told is known of 0% at the cut-offs")


# ---- damage ----------------------------------------------------------------------------------


def test_a_model_that_was_tampered_with_stops_scoring_and_can_be_learned_anew(service: Service) -> None:
    train(service, "buys")
    with sqlite3.connect(service.data / FILE) as db:
        db.execute("DROP TRIGGER versions_stand")
        db.execute("UPDATE versions SET document = replace(document, '0.', '1.')")
    with pytest.raises(SegueError, match="E865"):
        Registry(service.data).champion("buys")
    assert train(service, "buys").version.number == 2


def test_a_model_of_another_horizon_does_not_score(service: Service) -> None:
    train(service, "buys")
    before = len(service.members("likely"))
    written_anew(service, BUYS.replace("next 30d", "next 20d"))
    scored = rescore(service, ["buys"])
    assert "foretells 30d, its target now looks 20d ahead" in scored.refused["buys"]
    with pytest.raises(SegueError, match="E864"):
        compare(service, "recent", "buys")
    again = train(service, "buys")
    assert again.trial.against is None
    assert again.promoted
    assert 0 < len(service.members("likely")) < before


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('count("Order", next 30d) > 0', 'count("Order", next 30d) > 1', "with the target being"),
        ('orders: count("Order")', 'orders: count("Order", last 7d)', "with the feature orders being"),
    ],
)
def test_a_model_that_would_say_something_else_does_not_score(
    service: Service, before: str, after: str, told: str
) -> None:
    train(service, "buys")
    assert before in BUYS
    members = service.members("likely")
    written_anew(service, BUYS.replace(before, after))
    assert told in rescore(service, ["buys"]).refused["buys"]
    assert service.members("likely") == members
    with pytest.raises(SegueError, match="E864"):
        compare(service, "recent", "buys")
    assert train(service, "buys").trial.against is None


def test_a_model_spelled_otherwise_scores_on(service: Service) -> None:
    train(service, "buys")
    written_anew(service, BUYS.replace('count("Order", next 30d) > 0', '(count("Order",next 30d)  >  0)'))
    assert rescore(service, ["buys"]).refused == {}


def test_a_user_who_was_never_seen_has_no_score(service: Service) -> None:
    train(service, "buys")
    view = service.user("nobody").to_json()
    assert (view["known"], view["segments"]) == (False, [])


# ---- the card --------------------------------------------------------------------------------


def test_the_card_tells_people_what_they_need(service: Service) -> None:
    version = train(service, "buys").version
    said = render("buys", version.number, version.status, version.card)
    for part in (
        "version 1: champion",
        "crm@shop.example",
        "30d ahead",
        "gate       passed",
        "A made-up shop.",
    ):
        assert part in said
    assert len(version.card["percentiles"]) == 101

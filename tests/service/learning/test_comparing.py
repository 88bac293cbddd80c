"""A rule and a model side by side: on the same people, at the same cut-off, and now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from segue.domain.errors import SegueError
from segue.domain.time import DAY, parse_instant
from segue.learned.comparing import accuracy, chosen, gains, overlap
from segue.learned.plot import of_calibration, of_gains
from segue.service.learning.compared import render
from segue.service.learning.comparing import compare
from segue.service.learning.handed import of_rows
from segue.service.learning.training import train
from segue.service.learning.uploading import Terms, uploaded
from segue.service.service import Service
from tests.service.learning.behaving import BUYS, shop, written_anew

RULE = 'count("Order", last 30d) > 0'


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with shop(tmp_path_factory.mktemp("shop")) as opened:
        train(opened, "buys")
        yield opened


@pytest.fixture(scope="module")
def found(service: Service) -> dict[str, Any]:
    return compare(service, "recent", "buys")


def test_members_are_those_of_the_segments(service: Service, found: dict[str, Any]) -> None:
    recent = {member.user_id for member in service.members("recent")}
    assert found["rule"]["members"] == len(recent)
    shared = found["members"]
    assert shared["both"] + shared["only_rule"] == len(recent)
    assert shared["both"] + shared["only_model"] == found["model"]["members"]
    assert (
        sum(shared[key] for key in ("both", "only_rule", "only_model", "neither")) == found["model"]["users"]
    )


def test_both_take_as_many_unless_a_threshold_says_otherwise(service: Service, found: dict[str, Any]) -> None:
    judged = found["accuracy"]
    assert judged["model"]["size"] == judged["rule"]["size"]
    few = compare(service, "recent", "buys", threshold=0.9)
    assert few["model"]["threshold"] == 0.9
    assert few["model"]["members"] < found["model"]["members"]


def test_they_are_judged_by_what_came_after(service: Service, found: dict[str, Any]) -> None:
    """Counted here by the segments of the workspace itself, as of the cut-off and later."""
    judged = found["accuracy"]
    cut_off = parse_instant(judged["cut_off"])
    assert cut_off is not None
    assert cut_off + 30 * DAY == service.engine.now
    held = {member.user_id for member in service.members("recent", cut_off)}
    came = {member.user_id for member in service.members("recent")}
    assert judged["rule"]["size"] == len(held)
    assert judged["rule"]["precision"] == pytest.approx(len(held & came) / len(held))


def test_the_model_beats_the_rule_and_the_verdict_says_so(found: dict[str, Any]) -> None:
    judged = found["accuracy"]
    assert judged["verdict"]["passed"]
    assert judged["model"]["precision"] >= judged["rule"]["precision"]
    assert judged["gains"][0] == (0.0, 0.0)
    assert judged["gains"][-1] == (1.0, 1.0)


def test_a_condition_is_a_rule_as_well(service: Service, found: dict[str, Any]) -> None:
    spelled = compare(service, RULE, "buys")
    assert spelled["rule"]["members"] == found["rule"]["members"]
    assert spelled["accuracy"]["rule"] == found["accuracy"]["rule"]
    assert found["rule"]["text"] == RULE


def test_each_is_explained(found: dict[str, Any]) -> None:
    explanation = found["explanation"]
    weights = [each["importance"] for each in explanation["model"]]
    assert weights == sorted(weights, reverse=True)
    assert len(weights) == 5
    assert explanation["model_as_rule"]["precision"] > 0.8


def test_what_it_costs_to_keep_up_is_measured(found: dict[str, Any]) -> None:
    update = found["update"]
    assert update["rule"]["us_per_event"] > 0
    assert update["model"]["us_per_event"] > 0
    assert update["model"]["us_per_user"] > 0


def test_people_read_it_side_by_side(found: dict[str, Any]) -> None:
    said = render(found)
    for part in (
        "rule   count(",
        "model  buys, version 1 (champion)",
        "precision",
        "gate, by the ranking of all: passed",
        "keeping up",
    ):
        assert part in said


def test_what_there_is_not(service: Service) -> None:
    for rule, model, number, code in (
        ("recent", "bys", None, "E860"),
        ("recent", "buys", 7, "E868"),
        ("recnt", "buys", None, "E701"),
        ('count("Order", next 3d) > 0', "buys", None, "E215"),
        ('count("Order") > 0 and not segment("likely")', "buys", None, "E882"),
        ('score("buys") > 0.1', "buys", None, "E882"),
    ):
        with pytest.raises(SegueError, match=code):
            compare(service, rule, model, number)


def test_a_model_that_was_never_trained_or_reads_what_is_gone(tmp_path: Path) -> None:
    with shop(tmp_path) as service:
        with pytest.raises(SegueError, match=r"E868.*never trained"):
            compare(service, "recent", "buys")
        train(service, "buys")
        written_anew(service, BUYS.replace("  spent:", "  paid:"))
        with pytest.raises(SegueError, match=r"E864.*spent"):
            compare(service, "recent", "buys")


def test_scores_that_are_handed_in_are_compared_as_they_were_known(tmp_path: Path) -> None:
    """At the cut-off nothing had been handed in: the model takes nobody there, and its own people now."""
    upload = (
        "model: bank\nowner: o@x\ndescription: From our bank.\nkind: upload\nevent: Order\nhorizon: 30d\n"
    )
    with shop(tmp_path, BUYS, upload) as service:
        recent = [member.user_id for member in service.members("recent")]
        told = of_rows("score", [(user, 0.9) for user in recent[:10]])
        uploaded(service, "bank", told, Terms(by="ada@shop.example", why="They know."))
        found = compare(service, "recent", "bank", threshold=0.5)
    assert found["members"]["both"] == 10
    assert found["model"]["members"] == 10
    assert found["accuracy"]["model"]["size"] == 0
    assert not found["accuracy"]["verdict"]["passed"]
    assert found["update"]["model"]["us_per_user"] is None
    assert "everybody is alike" in render(found)


# ---- the arithmetic --------------------------------------------------------------------------


def test_who_is_chosen() -> None:
    scores = np.array([0.9, np.nan, 0.5, 0.5, 0.1])
    assert chosen(scores, 0.5, 0)[0].tolist() == [True, False, True, True, False]
    taken, bound = chosen(scores, None, 2)
    assert (taken.tolist(), bound) == ([True, False, True, True, False], 0.5)
    nobody, without = chosen(scores, None, 0)
    assert not nobody.any()
    assert without is None
    assert not chosen(np.full(3, np.nan), 0.0, 3)[0].any()


def test_how_right_it_is() -> None:
    labels, taken = np.array([1.0, 1.0, 0.0, 0.0]), np.array([True, False, True, False])
    found = accuracy(labels, taken)
    assert (found["precision"], found["recall"], found["lift"], found["auc"]) == (0.5, 0.5, 1.0, 0.5)
    assert accuracy(labels, np.zeros(4, np.bool_))["precision"] is None
    assert accuracy(np.zeros(4), taken)["recall"] is None
    assert overlap(taken, ~taken).likeness == 0
    assert overlap(np.zeros(2, np.bool_), np.zeros(2, np.bool_)).likeness is None


def test_gains_rise_with_the_highest_scores_first() -> None:
    curve = gains(np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.1, 0.9, np.nan, 0.8]))
    assert dict(curve)[0.5] == 1.0


def test_plots_are_drawn_with_what_was_measured() -> None:
    drawn = of_gains("a < b", [(0.0, 0.0), (1.0, 1.0)], (0.25, 0.75), ("m", "r"))
    root = ET.fromstring(drawn)
    dots = [each.attrib for each in root.iter("{http://www.w3.org/2000/svg}circle")]
    assert len(dots) == 1
    assert float(dots[0]["cx"]) == pytest.approx(56 + 0.25 * 408)
    assert "a &lt; b" in drawn
    bins = [{"said": 0.2, "was": 0.1, "users": 5}, {"said": 0.8, "was": 0.9, "users": 5}]
    assert ET.fromstring(of_calibration("c", bins)) is not None

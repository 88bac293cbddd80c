"""Scores that are handed in: judged by what came after, written when their source is in force."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest

from segue.domain.errors import SegueError
from segue.domain.event import Json
from segue.domain.time import DAY, format_instant
from segue.learned.registry import Registry
from segue.service.learning.handed import Handed, of_file, of_rows
from segue.service.learning.training import promote
from segue.service.learning.uploading import Terms, Uploaded, uploaded
from segue.service.learning.watching import look
from segue.service.service import Service

NOW = 20_000 * DAY
THEN = NOW - 40 * DAY
PEOPLE = 400
MODELS = """
- model: bank
  owner: crm@shop.example
  description: What our bank says of who orders again.
  kind: upload
  event: Order
  target: count("Order", next 30d) > 0
  population: count("Order") > 0
- model: tribes
  owner: crm@shop.example
  description: What the agency calls people.
  kind: upload
  gives: cluster
- model: own
  owner: crm@shop.example
  description: Learned here.
  kind: propensity
  event: Order
  features: {orders: count("Order")}
"""
SEGMENTS = """
segment: likely
owner: crm@shop.example
description: The bank thinks they order again.
kind: strategic
when: score("bank") > 0.8 or cluster("tribes") == "fans"
"""


def coins() -> np.ndarray:
    """Who orders again: nothing that anybody did before tells it."""
    return np.random.default_rng(8).random(PEOPLE) < 0.5


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    for kind, text in (("models", MODELS), ("segments", SEGMENTS)):
        (tmp_path / "ws" / kind).mkdir(parents=True)
        (tmp_path / f"ws/{kind}/all.yaml").write_text(text)
    (tmp_path / "ws/segue.yaml").write_text("timezone: UTC\n")
    random = np.random.default_rng(5)
    orders = [(NOW - round(random.uniform(60, 100) * DAY), f"u{each}") for each in range(PEOPLE)]
    orders += [(NOW - round(random.uniform(12, 38) * DAY), f"u{each}") for each in np.flatnonzero(coins())]
    orders.append((NOW, "u0"))
    with (tmp_path / "orders.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["user_id", "ts", "event"])
        writer.writerows([user, format_instant(at), "Order"] for at, user in sorted(orders))
    with Service.open(tmp_path / "ws", tmp_path / "data") as found:
        found.import_file(tmp_path / "orders.csv", None, "test", lambda _done, _total: None)
        yield found


def knowing(share: float) -> Handed:
    """Scores that know a share of the coins and guess the others."""
    random = np.random.default_rng(3)
    known = np.where(random.random(PEOPLE) < share, coins(), random.random(PEOPLE) < 0.5)
    return of_rows("score", ((f"u{each}", float(0.25 + 0.5 * known[each])) for each in range(PEOPLE)))


def score_of(service: Service, user: str, model: str = "bank") -> Json:
    return service.user(user).scores.get(model)


def test_scores_that_foretold_what_came_are_in_force_from_then_on(service: Service) -> None:
    judged = uploaded(service, "bank", knowing(0.8), Terms(as_of=THEN))
    assert (judged.version.status, judged.judged, judged.written) == ("champion", PEOPLE, 0)
    assert judged.version.passed
    # What was said of the past is no score of today.
    assert score_of(service, "u1") is None
    found = uploaded(service, "bank", of_rows("score", [("u1", 0.9), ("u2", "0.25"), ("u1", 0.95)]), Terms())
    assert (found.written, found.handed.rows, found.unknown) == (2, 3, 0)
    assert (score_of(service, "u1"), score_of(service, "u2")) == (0.95, 0.25)
    assert [member.user_id for member in service.members("likely")] == ["u1"]


def test_a_score_that_is_handed_in_as_nothing_is_taken_back(service: Service) -> None:
    uploaded(service, "bank", of_rows("score", [("u1", 0.9)]), Terms(by="ada", why="a test"))
    uploaded(service, "bank", of_rows("score", [("u1", None)]), Terms())
    assert score_of(service, "u1") is None
    assert service.members("likely") == []


def test_scores_that_foretold_nothing_are_refused_and_stay_out(service: Service) -> None:
    judged = uploaded(service, "bank", knowing(0.0), Terms(as_of=THEN))
    assert judged.version.status == "candidate"
    assert judged.version.passed is False
    with pytest.raises(SegueError, match=r"(?s)E878.*in force.*--as-of"):
        uploaded(service, "bank", knowing(0.0), Terms())
    assert score_of(service, "u1") is None


def test_a_person_may_put_them_in_force_and_says_why(service: Service) -> None:
    with pytest.raises(SegueError, match=r"E878.*who they are and why"):
        uploaded(service, "bank", knowing(0.5), Terms(by="ada"))
    found = uploaded(service, "bank", knowing(0.5), Terms(by="ada", why="they come from our bank"))
    assert found.written == PEOPLE
    last = Registry(service.data).moves("bank")[-1]
    assert (last.status, last.by, last.why) == ("champion", "ada", "they come from our bank")


def test_a_refused_version_may_be_promoted_later(service: Service) -> None:
    judged = uploaded(service, "bank", knowing(0.0), Terms(as_of=THEN))
    promote(service, "bank", judged.version.number, "ada", "we know them")
    assert uploaded(service, "bank", of_rows("score", [("u1", 1)]), Terms()).written == 1
    assert score_of(service, "u1") == 1


def test_a_later_round_of_scoring_does_not_take_them_back(service: Service) -> None:
    uploaded(service, "bank", of_rows("score", [("u1", 0.9)]), Terms(by="ada", why="a test"))
    version = uploaded(service, "bank", knowing(0.8), Terms(as_of=THEN)).version
    promote(service, "bank", version.number, "ada", "again")
    assert score_of(service, "u1") == 0.9


def test_groups_are_handed_in_by_name_once_a_person_says_so(service: Service) -> None:
    handed = of_rows("cluster", [("u1", "fans"), ("u2", "rest"), ("u3", ""), ("u4", 7)])
    with pytest.raises(SegueError, match=r"E878.*nothing that it could be judged by"):
        uploaded(service, "tribes", handed, Terms(as_of=THEN))
    found = uploaded(service, "tribes", handed, Terms(by="ada", why="the agency is good"))
    assert found.handed.refused == [(4, "its group is no text of at most 64 characters")]
    assert score_of(service, "u2", "tribes") == "rest"
    assert [member.user_id for member in service.members("likely")] == ["u1"]


def test_users_of_whom_nothing_is_known_get_no_profile(service: Service) -> None:
    handed = of_rows("score", [("stranger", 0.9), ("u1", 0.9)])
    found = uploaded(service, "bank", handed, Terms(by="ada", why="a test"))
    assert (found.written, found.unknown, found.some) == (1, 1, ("stranger",))
    assert not service.user("stranger").known


def test_the_future_judges_nobody_yet(service: Service) -> None:
    with pytest.raises(SegueError, match=r"(?s)E878.*not known yet.*or before"):
        uploaded(service, "bank", knowing(0.8), Terms(as_of=NOW - 10 * DAY))


@pytest.mark.parametrize(("name", "code"), [("nobody", "E860"), ("own", "E878")])
def test_only_upload_models_take_scores(service: Service, name: str, code: str) -> None:
    with pytest.raises(SegueError, match=code):
        uploaded(service, name, knowing(0.5), Terms())


# ---- files ---------------------------------------------------------------------------------


def written(service: Service, path: Path) -> Uploaded:
    return uploaded(service, "bank", of_file("score", path), Terms(by="ada", why="a test"))


def test_a_csv_file_tells_each_row_that_it_cannot_give(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    file.write_text("user_id,score,note\nu1,0.5,a\n,0.5,b\nu2,high,c\nu3,,d\n007,1e99,e\nu4, 2 ,f\n")
    found = written(service, file)
    assert found.to_json()["refused_rows"] == [
        {"row": 2, "why": "it names no user"},
        {"row": 3, "why": "its score is no number"},
        {"row": 5, "why": "its score is no number"},
    ]
    assert (score_of(service, "u1"), score_of(service, "u4")) == (0.5, 2)
    assert found.written == 3


def test_a_parquet_file_keeps_ids_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "scores [1].parquet"
    rows = "(13085, 0.25), (7, 'nan'::double), (8, 1)"
    with duckdb.connect() as connection:
        connection.sql(f"select * from (values {rows}) t(customer_id, value)").write_parquet(str(file))
    assert of_file("score", file).values == {"13085": 0.25, "7": None, "8": 1.0}


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("scores.csv", "user_id,points\nu1,1\n", "E879"),
        ("scores.csv", "who,score\nu1,1\n", "E879"),
        ("scores.csv", "", "E541"),
        ("scores.txt", "u1 1\n", "E546"),
        ("scores.parquet", "user_id,score\nu1,1\n", "E547"),
    ],
)
def test_a_file_that_gives_no_scores_is_refused(tmp_path: Path, name: str, text: str, code: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SegueError, match=code):
        of_file("score", tmp_path / name)
    with pytest.raises(SegueError, match="E540"):
        of_file("score", tmp_path / "nothing.csv")


def test_what_is_handed_in_is_watched_like_what_is_made_here(service: Service) -> None:
    random = np.random.default_rng(2)
    first = of_rows("score", ((f"u{each}", float(random.random())) for each in range(PEOPLE)))
    uploaded(service, "bank", first, Terms(by="ada", why="a test"))
    assert look(service, ["bank"])["bank"].shift == 0
    later = of_rows("score", ((f"u{each}", 0.9 + 0.01 * (each % 7)) for each in range(PEOPLE)))
    uploaded(service, "bank", later, Terms())
    found = look(service, ["bank"])["bank"]
    assert found.shift > 0.5
    assert [(column.name, column.level) for column in found.columns] == [("score", "act")]

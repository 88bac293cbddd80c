"""The commands on a real data folder: as the folder's owner, and beside a server that owns it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.cli.segue import here
from tests.cli.shop import BAD, EVENTS, Shop, opened, order, serving


@contextmanager
def a_shop(folder: Path, where: str) -> Iterator[Shop]:
    """A shop with its events taken in, alone or beside a server."""
    shop = opened(folder)
    assert shop("import", shop.file("events.jsonl", *EVENTS, BAD)).status == 0
    with serving(shop) if where == "beside" else nullcontext():
        yield shop


@pytest.fixture(params=["alone", "beside"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """For tests that change something; each runs alone and beside a server."""
    with a_shop(tmp_path / "shop", request.param) as shop:
        yield shop


@pytest.fixture(scope="module", params=["alone", "beside"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """For tests that only read: they share it."""
    with a_shop(tmp_path_factory.mktemp("kept") / "shop", request.param) as shop:
        yield shop


def test_who_is_in(kept: Shop) -> None:
    assert kept.rows("members", "repeat_customers") == [
        {"user_id": "ann", "since": "2026-11-03T12:00:00.000Z"},
        {"user_id": "eve", "since": "2026-11-05T12:00:00.000Z"},
    ]
    assert kept("members", "repeat_customers").out.splitlines() == [
        "user  since",
        "ann   2026-11-03T12:00:00.000Z",
        "eve   2026-11-05T12:00:00.000Z",
    ]


def test_who_was_in(kept: Shop) -> None:
    assert kept.members("repeat_customers", "--as-of", "2026-11-04") == ["ann"]
    assert kept.members("repeat_customers", "--as-of", "2026-11-03T11:59:59.999Z") == []
    assert kept.members("repeat_customers", "--as-of", "2026-11-03T12:00:00Z") == ["ann"]


def test_nothing_is_cut_but_by_a_limit(kept: Shop) -> None:
    assert kept.members("repeat_customers", "--limit", "1") == ["ann"]
    assert kept.members("repeat_customers", "--limit", "0") == []


def test_an_empty_answer_is_good(kept: Shop) -> None:
    assert kept.rows("members", "left_baskets") == []
    assert kept("members", "left_baskets").out.splitlines() == ["user  since"]


def test_an_unknown_segment_is_refused_with_the_nearest(kept: Shop) -> None:
    ended = kept("members", "repeat_costumers", "--json")
    assert ended.status == 1
    assert "repeat_customers" in ended.err
    assert [found["code"] for found in ended.row["error"]] == ["E701"]


def test_a_moment_that_is_none(kept: Shop) -> None:
    ended = kept("members", "repeat_customers", "--as-of", "yesterday")
    assert ended.status in {1, 2}
    assert "yesterday" in ended.err
    assert ended.out == ""


def test_segments_with_their_sizes(kept: Shop) -> None:
    sizes = {row["name"]: row["members"] for row in kept.rows("segments")}
    assert sizes == {"keen_visitors": 0, "left_baskets": 0, "repeat_customers": 2, "resting_customers": 0}
    lines = kept("segments").out.splitlines()
    assert lines[0].split() == ["segment", "title", "owner", "members", "status"]
    assert lines[3].split() == ["repeat_customers", "Repeat", "customers", "crm@example.com", "2", "active"]


def test_changes_in_order(kept: Shop) -> None:
    rows = kept.rows("changes")
    assert [(row["seq"], row["user_id"], row["action"]) for row in rows] == [
        (1, "ann", "entered"), (2, "eve", "entered"),
    ]  # fmt: skip
    assert kept.rows("changes", "--after", "1") == rows[1:]
    assert kept.rows("changes", "--limit", "1") == rows[:1]
    assert kept.rows("changes", "resting_customers") == []
    assert kept.rows("changes", "repeat_customers") == rows
    assert kept("changes").out.splitlines()[0] == (
        "1  2026-11-03T12:00:00.000Z  ann entered repeat_customers  (event ann-3)"
    )


def test_changes_of_a_name_that_no_segment_ever_had(kept: Shop) -> None:
    ended = kept("changes", "repeat_custmers")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("E701")
    assert "did you mean repeat_customers?" in ended.err


def test_why_in_and_what_is_missing(kept: Shop) -> None:
    told = kept("explain", "ann", "repeat_customers")
    assert told.status == 0
    assert "ann" in told.out
    assert "Order Completed" in told.out
    assert kept.row("explain", "ann", "repeat_customers")["user_id"] == "ann"
    assert kept("explain", "bob", "repeat_customers").status == 0


def test_preview(kept: Shop) -> None:
    found = kept.row("preview", 'count("Order Completed") >= 1')
    assert (found["count"], found["share"]) == (3, 1.0)
    assert found["overlap"]["repeat_customers"] == 2
    told = kept("preview", 'count("Order Completed") >= 1').out.splitlines()
    assert told[0].split() == ["count", "3"]
    assert told[-1].split() == ["repeat_customers", "2"]


def test_a_condition_that_is_wrong_is_underlined(kept: Shop) -> None:
    ended = kept("preview", 'count("Order Completed") > "two"')
    assert ended.status == 1
    assert ended.err.startswith("E203 at 1:28  ")
    assert "^^^^^" in ended.err


def test_sql_is_one_select(kept: Shop) -> None:
    assert kept("sql", "repeat_customers").out.lower().lstrip().startswith(("select", "with"))
    assert set(kept.row("sql", "repeat_customers")) == {"segment", "sql"}


def test_verify_finds_nothing(kept: Shop) -> None:
    assert kept.row("verify") == {"segments": 4, "count": 0, "differences": []}
    assert kept("verify").out == "4 segments verified: 0 differences\n"


def test_overrides_beat_the_condition(shop: Shop) -> None:
    assert shop.row("override", "bob", "repeat_customers", "in", "--by", "dana", "--why", "A friend") == {
        "user_id": "bob", "segment": "repeat_customers", "member": True, "by": "dana", "why": "A friend",
    }  # fmt: skip
    assert shop("override", "ann", "repeat_customers", "out", "--until", "2026-12-01").out == (
        "override: ann for repeat_customers: out until 2026-12-01T00:00:00.000Z\n"
    )
    ended = shop("override", "ann", "repeat_customers", "in", "--until", "2020-12-01")
    assert (ended.status, ended.err.partition(" ")[0]) == (1, "E465")
    assert shop.members("repeat_customers") == ["bob", "eve"]
    assert shop("override", "ann", "repeat_customers", "none").status == 0
    assert shop.members("repeat_customers") == ["ann", "bob", "eve"]
    assert shop.row("verify")["count"] == 0


def test_lists(shop: Shop) -> None:
    assert shop.rows("list") == [{"list": "team", "users": 1}]
    assert shop("list", "team", "add", "ann", "zoë").out == "added ann, zoë to team\n"
    assert [row["user_id"] for row in shop.rows("list", "team")] == ["ann", "team-member-1", "zoë"]
    assert shop("list", "team", "remove", "zoë", "team-member-1").status == 0
    assert shop("list", "team").out == "ann\n"
    assert shop("list").out.splitlines() == ["list  users", "team      1"]
    assert shop("list", "taem").status == 1


def test_plan_and_apply(shop: Shop) -> None:
    before = shop("plan")
    assert before.out == "nothing to apply: the folder says what is in force\n"
    path = shop.folder / "segments" / "once.yaml"
    path.write_text(
        'segment: once\nowner: a@example.com\ndescription: Ordered.\nwhen: count("Order Completed") == 1\n',
        encoding="utf-8",
    )
    assert shop("plan").out.startswith("+ segment once\n")
    assert shop.row("plan")["evaluated_anew"] == ["once"]
    assert shop.row("apply")["evaluated_anew"] == ["once"]
    assert shop.row("plan") == {"differences": [], "evaluated_anew": []}
    assert shop.members("once") == ["bob"]


def test_a_broken_folder_is_not_applied(shop: Shop) -> None:
    path = shop.folder / "segments" / "broken.yaml"
    path.write_text("segment: broken\n", encoding="utf-8")
    ended = shop("apply")
    assert ended.status == 1
    assert "segments/broken.yaml" in ended.err
    path.unlink()
    assert shop.members("repeat_customers") == ["ann", "eve"]


def test_quarantine(shop: Shop) -> None:
    (held,) = shop.rows("quarantine")
    assert held["code"] == "E521"
    assert shop.rows("quarantine", "list") == [held]
    number = str(held["id"])
    assert json.loads(shop.row("quarantine", "show", number)["raw"]) == BAD
    mended = shop.file("mended.json", order("bob", 6))
    assert shop("quarantine", "replay", number, "--with", mended).out == f"event {number}: taken in\n"
    assert shop.rows("quarantine") == []
    assert [row["state"] for row in shop.rows("quarantine", "list", "--state", "all")] == ["replayed"]
    assert shop.members("repeat_customers") == ["ann", "bob", "eve"]
    for again in (("replay", number, "--with", mended), ("drop", number)):
        ended = shop("quarantine", *again)
        assert ended.status == 1
        assert ended.err.startswith("E798")
    assert shop("quarantine", "show", "77").err.startswith("E784")
    assert shop("quarantine", "replay", number, "--with", "nowhere.json").err.startswith("E786")


def test_a_dropped_event_stays_out(shop: Shop) -> None:
    (held,) = shop.rows("quarantine")
    assert shop.row("quarantine", "drop", str(held["id"])) == {"id": held["id"], "state": "dropped"}
    assert shop.rows("quarantine") == []


def test_forget_and_export(shop: Shop) -> None:
    assert "ann" in json.dumps(shop.row("export", "ann"))
    assert [row["messageId"] for row in shop.rows("export", "--all")] == [row["messageId"] for row in EVENTS]
    forgotten = shop.row("forget", "ann")
    assert forgotten == {"user_id": "ann", "forgotten": True, "lists": [], "still_listed": []}
    assert shop.members("repeat_customers") == ["eve"]
    assert {row["userId"] for row in shop.rows("export", "--all")} == {"bob", "eve"}
    assert shop("forget", "nobody").out == "nothing was known of nobody\n"
    assert shop.row("verify")["count"] == 0


def test_what_was_exported_gives_the_same_members_elsewhere(shop: Shop, tmp_path: Path) -> None:
    copy = opened(tmp_path / "copy")
    path = copy.file("all.jsonl", *shop.rows("export", "--all"))
    assert copy("import", path).status == 0
    assert copy.rows("members", "repeat_customers") == shop.rows("members", "repeat_customers")


def test_import_needs_the_folder_for_itself(tmp_path: Path) -> None:
    shop = opened(tmp_path / "shop")
    with serving(shop):
        ended = shop("import", shop.file("events.jsonl", *EVENTS))
        assert ended.status == 1
        assert ended.err.startswith("E601")
        assert "segue serve" in ended.err


def test_apply_refuses_another_folder_than_the_servers(tmp_path: Path) -> None:
    shop, other = opened(tmp_path / "shop"), opened(tmp_path / "other")
    with serving(shop):
        ended = here("apply", "--workspace", other.folder, "--data", shop.folder / ".segue")
    assert ended.status == 1
    assert ended.err.startswith("E783")


def test_a_server_that_was_killed_is_not_waited_for(tmp_path: Path) -> None:
    shop = opened(tmp_path / "shop")
    data = shop.folder / ".segue"
    data.mkdir()
    left = {"url": "http://127.0.0.1:9", "token": "t", "pid": 2**22 + 1}
    (data / "serve.json").write_text(json.dumps(left), encoding="utf-8")
    assert shop.rows("members", "repeat_customers") == []

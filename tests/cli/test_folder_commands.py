"""init, fmt and check: they need the workspace's files alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.segue import segue

CROOKED = """\
segment: crooked
owner: a@example.com
description: Spelled otherwise.
freshness: 1m
when: count("Order Completed",last 7d)>=2
"""
BROKEN = CROOKED.replace("crooked", "broken").replace(">=2", '>="two"')


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "missing" / "shop"
    assert segue("init", folder).status == 0
    return folder


def put(workspace: Path, name: str, text: str) -> Path:
    path = workspace / "segments" / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_init_writes_is_valid(workspace: Path) -> None:
    ended = segue("check", "--workspace", workspace)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.endswith(": 0 errors, 0 warnings\n")
    assert "timezone: UTC" in (workspace / "segue.yaml").read_text(encoding="utf-8")


def test_init_overwrites_nothing(workspace: Path) -> None:
    ended = segue("init", workspace, "--json")
    assert ended.status == 1
    assert {found["code"] for found in ended.row["error"]} == {"E455"}


def test_check_tells_errors_with_their_place(workspace: Path) -> None:
    put(workspace, "broken", BROKEN)
    ended = segue("check", "--workspace", workspace)
    assert ended.status == 1
    assert "E203 at segments/broken.yaml:5:" in ended.out
    assert "^^^^^" in ended.out
    assert ended.out.endswith("1 error, 0 warnings\n")
    told = segue("check", "--workspace", workspace, "--json").row
    assert [(found["code"], found["line"]) for found in told["errors"]] == [("E203", 5)]
    assert told["warnings"] == []


def test_warnings_end_with_0(workspace: Path) -> None:
    put(workspace, "crooked", CROOKED)
    ended = segue("check", "--workspace", workspace, "--json")
    assert ended.status == 0
    assert [found["code"] for found in ended.row["warnings"]] == ["W103"]
    assert segue("check", "--workspace", workspace).out.endswith(": 0 errors, 1 warning\n")


def test_fmt_changes_spelling_once(workspace: Path) -> None:
    path = put(workspace, "crooked", CROOKED)
    looked = segue("fmt", "--check", "--workspace", workspace, "--json")
    assert (looked.status, looked.row) == (1, {"changed": ["segments/crooked.yaml"], "written": False})
    assert path.read_text(encoding="utf-8") == CROOKED
    assert segue("fmt", "--workspace", workspace).status == 0
    assert 'count("Order Completed", last 7d) >= 2' in path.read_text(encoding="utf-8")
    again = segue("fmt", "--check", "--workspace", workspace, "--json")
    assert (again.status, again.row["changed"]) == (0, [])


def test_fmt_refuses_what_it_cannot_read(workspace: Path) -> None:
    put(workspace, "broken", CROOKED.replace(">=2", ">=("))
    ended = segue("fmt", "--workspace", workspace)
    assert ended.status == 1
    assert "E1" in ended.err
    assert "segments/broken.yaml:5:" in ended.err


@pytest.mark.parametrize("command", ["fmt", "check"])
def test_a_folder_that_is_not_there(command: str, tmp_path: Path) -> None:
    ended = segue(command, "--workspace", tmp_path / "nowhere")
    assert ended.status == 1
    assert "E401" in ended.out + ended.err


def test_no_data_folder_is_made(workspace: Path) -> None:
    for command in ("fmt", "check"):
        segue(command, "--workspace", workspace)
    assert not (workspace / ".segue").exists()

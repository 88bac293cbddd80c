"""Users are taken off the lists of the workspace's files, and nothing else in them changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.segments.edit_lists import take_off
from segue.segments.workspace import load_workspace

GONE = ("eve", "0077", "a,b")


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("a.yaml", "list: a\nusers:\n- ann\n- eve # hers\n- bob\n", "list: a\nusers:\n- ann\n- bob\n"),
        ("a.yaml", "list: a\nusers: [ann, eve, 0077]\n", 'list: a\nusers: ["ann"]\n'),
        ("a.yaml", "list: a\nusers: [eve]\nowner: o\n", "list: a\nusers: []\nowner: o\n"),
        ("a.yaml", "list: a\nusers:\n  - eve\nowner: o\n", "list: a\nusers:\n  []\nowner: o\n"),
        ("a.yaml", "list: a\nusers:\n- eve\nowner: o\n", "list: a\nusers:\n  []\nowner: o\n"),
        ("a.yaml", "- list: a\n  users:\n  - eve\n", "- list: a\n  users:\n    []\n"),
        ("a.yaml", "- list: a\n  users: [ann]\n- list: b\n  users: ['eve', bob]\n", None),
        ("a.json", '{"list": "a", "users": ["ann", "eve"]}\n', '{"list": "a", "users": ["ann"]}\n'),
        ("a.csv", "user_id,note\nann,1\neve,2\n", "user_id,note\nann,1\n"),
        ("a.csv", "eve\n", "user_id\n"),
        ("a.csv", 'user_id,note\n"a,b","two\nlines"\nann,1\n', "user_id,note\nann,1\n"),
        ("a.csv", "user_id\r\n0077\r\nann\r\n", "user_id\r\nann\r\n"),
        ("a.yaml", "list: a\nusers: [evelyn, ann]\n", "list: a\nusers: [evelyn, ann]\n"),
    ],
)
def test_they_are_gone_and_the_rest_stays(tmp_path: Path, file: str, before: str, after: str | None) -> None:
    path = tmp_path / "lists" / file
    path.parent.mkdir()
    path.write_bytes(before.encode())
    done, left = take_off(tmp_path, GONE)
    assert left == []
    assert done == ([] if after == before else [f"lists/{file}"])
    if after is not None:
        assert path.read_bytes().decode() == after
    users = {user for each in load_workspace(tmp_path, environment={}).lists.values() for user in each.users}
    assert not users & set(GONE)


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("list: a\nusers: [eve\n", False),
        ("x: &who eve\nlist: a\nusers: [*who]\n", True),
        ("# eve wrote it\nlist: a\nusers: [ann]\n", False),
        ("list: a\nowner: eve\nusers: [eve]\n", True),
    ],
)
def test_a_file_that_names_them_still_is_told(tmp_path: Path, text: str, edited: bool) -> None:
    path = tmp_path / "lists" / "a.yaml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    assert take_off(tmp_path, GONE) == (["lists/a.yaml"] if edited else [], ["lists/a.yaml"])
    assert (path.read_text(encoding="utf-8") != text) == edited


def test_without_lists_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert take_off(tmp_path, GONE) == ([], [])

"""What people decide by hand is checked at the door and comes back from the log as it was."""

from __future__ import annotations

import pytest

from segue.domain.errors import SegueError
from segue.segments.override import ListEdit, Override


@pytest.mark.parametrize(
    "override",
    [
        Override("ada", "buyers", True),
        Override("anon:1", "buyers", False, 1_800_000_000_123, "bob@x", "asked for it"),
        Override("ada", "buyers", None),
    ],
)
def test_an_override_comes_back(override: Override) -> None:
    assert Override.from_json(override.checked().to_json()) == override


def test_an_override_holds_until_its_end() -> None:
    override = Override("ada", "buyers", True, until=100)
    assert [override.holds(now) for now in (0, 99, 100)] == [True, True, False]
    assert not Override("ada", "buyers", None).holds(0)


def test_a_list_edit_comes_back() -> None:
    edit = ListEdit("press", "ada", False)
    assert ListEdit.from_json(edit.checked().to_json()) == edit


@pytest.mark.parametrize(
    ("override", "code"),
    [
        (Override(" ", "buyers", True), "E461"),
        (Override("a" * 2000, "buyers", True), "E461"),
        (Override("\ud800", "buyers", True), "E461"),
        (Override("ada", "Buyers", True), "E462"),
        (Override("ada", "buyers", True, why="x" * 2000), "E463"),
    ],
)
def test_what_cannot_be_an_override(override: Override, code: str) -> None:
    with pytest.raises(SegueError, match=code):
        override.checked()


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"user_id": 1, "segment": "a"}, {"user_id": "a", "segment": "a", "member": "in"},
     {"user_id": "a", "segment": "a", "member": True, "until": "soon"}],
)  # fmt: skip
def test_what_is_no_override(value: object) -> None:
    with pytest.raises(SegueError, match="E464"):
        Override.from_json(value)


@pytest.mark.parametrize("value", [None, {"list": "press", "user_id": "a"}, {"user_id": "a", "on": True}])
def test_what_is_no_list_edit(value: object) -> None:
    with pytest.raises(SegueError, match="E464"):
        ListEdit.from_json(value)

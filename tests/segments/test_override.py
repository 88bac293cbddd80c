"""What people decide by hand is checked at the door and comes back from the log as it was."""

from __future__ import annotations

import math

import pytest

from segue.domain.errors import SegueError
from segue.segments.override import ListEdit, Override, ScoreOverride


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


@pytest.mark.parametrize(
    ("override", "code"),
    [
        (ScoreOverride(" ", "score", "churn", 0.5), "E461"),
        (ScoreOverride("ada", "score", "Churn", 0.5), "E462"),
        (ScoreOverride("ada", "score", "churn", 0.5, why="x" * 2_000), "E463"),
        (ScoreOverride("ada", "score", "churn", "much"), "E880"),
        (ScoreOverride("ada", "score", "churn", math.nan), "E880"),
        (ScoreOverride("ada", "score", "churn", 1e13), "E880"),
        (ScoreOverride("ada", "score", "churn", True), "E880"),
        (ScoreOverride("ada", "cluster", "habits", 3.0), "E880"),
        (ScoreOverride("ada", "cluster", "habits", ""), "E880"),
    ],
)
def test_a_score_that_cannot_be_is_refused(override: ScoreOverride, code: str) -> None:
    with pytest.raises(SegueError) as refused:
        override.checked()
    assert refused.value.diagnostics[0].code == code


@pytest.mark.parametrize(
    "override",
    [
        ScoreOverride("ada", "score", "churn", 0.5, 1_800_000_000_123, "bob@x", "asked for it"),
        ScoreOverride("ada", "score", "churn", -3),
        ScoreOverride("ada", "cluster", "habits", "weekend"),
        ScoreOverride("ada", "cluster", "habits", None),
    ],
)
def test_a_score_that_can_be_is_logged_as_it_is(override: ScoreOverride) -> None:
    written = override.checked().to_json()
    assert (written["value"], written["gives"], written["model"]) == (
        override.value, override.gives, override.model
    )  # fmt: skip
    assert written.get("by") == override.by

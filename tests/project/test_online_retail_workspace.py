"""The demo's workspace loads without a finding, so that it can serve as an example."""

from __future__ import annotations

from datetime import date

from segue.segments.governance import review
from segue.segments.workspace import load_workspace
from tests.project.online_retail_expected import WORKSPACE, definitions


def test_the_demo_workspace_is_valid() -> None:
    workspace = load_workspace(WORKSPACE)
    assert sorted(workspace.segments) == sorted(each["segment"] for each in definitions("segments"))
    assert review(workspace, date(2026, 11, 23)) == []


def test_a_team_would_keep_them() -> None:
    for each in definitions("segments"):
        assert each["owner"]
        assert each["title"]
        assert each["review"].startswith("every ")
        assert each["description"].endswith(".")

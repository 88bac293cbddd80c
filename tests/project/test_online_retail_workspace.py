"""The demo's workspace loads without a finding, so that it can serve as an example."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from segue.ingest.files.mapping import read_mapping
from segue.segments.formatting import format_workspace
from segue.segments.governance import review
from segue.segments.workspace import load_workspace
from tests.project.online_retail_expected import FILE, WORKSPACE, definitions
from tests.project.test_tree import ROOT


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


def test_the_mapping_names_columns_of_the_file() -> None:
    columns = [name for name, *_ in duckdb.connect().execute(f"describe select * from '{FILE}'").fetchall()]
    mapping = read_mapping(str(WORKSPACE / "map.yaml")).settled(FILE, columns)
    planned = next(each for each in definitions("events") if each["event"] == "purchase")["properties"]
    assert mapping.properties is not None
    assert set(mapping.properties) == set(planned)
    assert mapping.only_tracks


@pytest.mark.parametrize(
    "settings", sorted((ROOT / "examples").rglob("segue.yaml")), ids=lambda path: path.parent.name
)
def test_examples_are_spelled_as_the_formatter_spells(settings: Path) -> None:
    assert format_workspace(settings.parent, check=True) == []

"""The demo's workspace loads without a finding, so that it can serve as an example."""

from __future__ import annotations

from datetime import date

import duckdb

from segue.ingest.files.mapping import read_mapping
from segue.segments.governance import review
from segue.segments.workspace import load_workspace
from tests.project.online_retail_expected import FILE, WORKSPACE, definitions


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

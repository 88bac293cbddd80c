"""A folder becomes a workspace: in order, with its settings, from the environment too."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from segue.domain.errors import SegueError
from segue.language import tree
from segue.segments.governance import review
from segue.segments.template import FILES, write_template
from segue.segments.workspace import load_workspace
from segue.settings import OPTIONS, overrides_in, settings_of
from tests.segments.workspaces import shop

DEMO = Path(__file__).parents[2] / "examples" / "online-retail"
DOCS = Path(__file__).parents[2] / "docs"


def test_the_template_is_good_without_a_warning(tmp_path: Path) -> None:
    folder = tmp_path / "far" / "below"
    assert [path.relative_to(folder).as_posix() for path in write_template(folder)] == list(FILES)
    assert review(load_workspace(folder, environment={}), date(2030, 1, 1)) == []


def test_the_template_holds_to_its_own_tracking_plan(tmp_path: Path) -> None:
    write_template(tmp_path)
    load_workspace(tmp_path, environment={"SEGUE_EVENTS_MODE": "block"})


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "segue.yaml").write_text("timezone: UTC\n")
    with pytest.raises(SegueError, match=r"E455.*segue\.yaml"):
        write_template(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["segue.yaml"]


def test_the_demo_loads() -> None:
    workspace = load_workspace(DEMO, environment={})
    assert len(workspace.segments) >= 12


def test_segments_stand_after_those_they_refer_to(tmp_path: Path) -> None:
    workspace = load_workspace(shop(tmp_path), environment={})
    assert list(workspace.segments) == ["buyers", "big_buyers"]
    assert isinstance(workspace.conditions["big_buyers"], tree.And)
    place = workspace.places()["segment"]["big_buyers"]
    assert str(place) == "segments/customers.yaml:12:12"


def test_a_text_can_stand_in_for_a_file(tmp_path: Path) -> None:
    shop(tmp_path)
    more = "segment: c\nowner: o@x\ndescription: Words.\nwhen: trait.a == 1\n"
    replaced = {"segments/customers.yaml": None, "segments/c.yaml": more}
    assert list(load_workspace(tmp_path, replaced, {}).segments) == ["c"]


def test_a_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    before = load_workspace(shop(tmp_path), environment={}).fingerprints()
    path = tmp_path / "segments" / "customers.yaml"
    path.write_text(path.read_text().replace("freshness: 60s", "freshness: 1m").replace("# ask Ada", ""))
    assert load_workspace(tmp_path, environment={}).fingerprints() == before
    path.write_text(path.read_text().replace("title: Buyers", "title: All"))
    after = load_workspace(tmp_path, environment={}).fingerprints()
    assert after["segment"]["buyers"] != before["segment"]["buyers"]
    assert after["segment"]["big_buyers"] == before["segment"]["big_buyers"]


def test_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "segue.yaml").write_text("port: 9000\nevents:\n  mode: off\n")
    settings = load_workspace(tmp_path, environment={"SEGUE_PORT": "7000", "SEGUE_HOST": ""}).settings
    assert (settings.port, settings.events_mode, settings.host) == (7000, "off", "127.0.0.1")


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(SegueError, match=r"E437.*SEGUE_SESSION_GAP"):
        load_workspace(tmp_path, environment={"SEGUE_SESSION_GAP": "long"})


def test_settings_are_spelled_as_they_are_read() -> None:
    spelled = {"timezone": "Asia/Kolkata", "session_gap": "90s", "port": "0", "events.mode": "block"}
    settings = settings_of(spelled)
    assert {name: next(o for o in OPTIONS if o.name == name).spelled(settings) for name in spelled} == spelled
    assert overrides_in({"SEGUE_EVENTS_MODE": "x", "PORT": "1"}) == {"events.mode": "x"}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_setting_is_explained_as_it_is(option: object) -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    section = page.partition(f"## `{option.name}`")[2].partition("\n## ")[0]  # type: ignore[attr-defined]
    default = option.default  # type: ignore[attr-defined]
    assert (f"Default `{default}`" if default else "Default empty") in section
    assert f"`{option.variable}`" in section.replace("\n", " ")  # type: ignore[attr-defined]


def test_the_environment_names_no_two_options() -> None:
    assert len({option.variable for option in OPTIONS}) == len(OPTIONS)

"""A plan names every difference, and what is logged is the workspace again without its folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from segue.domain.errors import SegueError
from segue.segments.edit import put_segment
from segue.segments.plan import from_json, plan, to_json
from segue.segments.template import write_template
from segue.segments.workspace import Workspace, load_workspace
from tests.segments.workspaces import CUSTOMERS, shop

EVENT = """
event: Order Completed
description: Placed an order.
properties:
  revenue: {type: number, required: true}
  currency: {type: text, enum: [EUR, Nøk]}
"""
EXPERIENCE = """
experience: banner
owner: a@x
description: Greets.
slot: start
holdout: 0.1
goal: {event: Order Completed, within: 7d}
fallback: {title: Welcome}
variants:
  - {variant: back, audience: buyers, payload: {title: Hi}}
  - {variant: front, audience: big_buyers, priority: 5, payload: [1]}
"""
DEMO = Path(__file__).parents[2] / "examples" / "online-retail"


def load(folder: Path) -> Workspace:
    return load_workspace(folder, environment={})


@pytest.mark.parametrize("kind", ["template", "demo"])
def test_the_record_is_the_workspace(kind: str, tmp_path: Path) -> None:
    if kind == "template":
        write_template(tmp_path)
    workspace = load(tmp_path if kind == "template" else DEMO)
    restored = from_json(json.loads(json.dumps(to_json(workspace))))
    assert restored.conditions == workspace.conditions
    assert list(restored.segments) == list(workspace.segments)
    assert restored.expressions == workspace.expressions
    assert restored.lists == workspace.lists
    assert restored.plan == workspace.plan
    assert restored.fingerprints() == workspace.fingerprints()
    assert not plan(restored, workspace)


def test_everything_is_new_at_first(tmp_path: Path) -> None:
    found = plan(None, load(shop(tmp_path)))
    assert [(each.action, each.kind, each.name) for each in found.differences] == [
        ("added", "segment", "big_buyers"),
        ("added", "segment", "buyers"),
    ]
    assert found.evaluated_anew == ("buyers", "big_buyers")


def test_changes_are_shown_by_key(tmp_path: Path) -> None:
    before = load(shop(tmp_path))
    put_segment(tmp_path, {**before.segments["buyers"].to_json(), "when": "trait.a == 1", "owner": "x@x"})
    path = tmp_path / "segments" / "customers.yaml"
    path.write_text(path.read_text().replace("segment: big_buyers", "segment: top_buyers"))
    found = plan(before, load(tmp_path))
    assert (
        found.render()
        == """\
- segment big_buyers
    owner: crm@x
    description: Bought a lot and often.
    title: Big buyers
    when: segment("buyers") and sum("Order Completed".revenue) > 500
~ segment buyers
    owner: crm@x -> x@x
    when:
      - # ever
      - count("Order Completed") > 0
      + trait.a == 1
+ segment top_buyers  (as big_buyers was)
    owner: crm@x
    description: Bought a lot and often.
    title: Big buyers
    when: segment("buyers") and sum("Order Completed".revenue) > 500
evaluated anew: buyers, top_buyers"""
    )
    assert found.to_json()["evaluated_anew"] == ["buyers", "top_buyers"]


def test_what_is_no_text_is_shown_as_its_file_spells_it(tmp_path: Path) -> None:
    before = load(shop(tmp_path))
    for folder, text in (("events", EVENT), ("experiences", EXPERIENCE)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "added.yaml").write_text(text, encoding="utf-8")
    assert (
        plan(before, load(tmp_path)).render()
        == """\
+ event Order Completed
    description: Placed an order.
    properties:
      + revenue: {type: number, required: true}
      + currency:
      +   type: text
      +   enum: [EUR, Nøk]
+ experience banner
    owner: a@x
    description: Greets.
    slot: start
    holdout: 0.1
    goal: {event: Order Completed, within: 1w}
    fallback: {title: Welcome}
    variants:
      + {variant: back, audience: buyers, payload: {title: Hi}}
      + {variant: front, audience: big_buyers, priority: 5, payload: [1]}"""
    )


def test_words_about_a_segment_move_nobody(tmp_path: Path) -> None:
    before = load(shop(tmp_path))
    path = tmp_path / "segments" / "customers.yaml"
    path.write_text(CUSTOMERS.replace("title: Buyers", "title: All buyers").replace("# ever", "# for ever"))
    found = plan(before, load(tmp_path))
    assert found
    assert found.evaluated_anew == ()


def test_a_feature_moves_those_that_use_it(tmp_path: Path) -> None:
    write_template(tmp_path)
    before = load(tmp_path)
    path = tmp_path / "features" / "shop_interest.yaml"
    path.write_text(path.read_text().replace("5 *", "6 *"))
    assert plan(before, load(tmp_path)).evaluated_anew == ("keen_visitors",)


def test_the_time_zone_moves_all(tmp_path: Path) -> None:
    before = load(shop(tmp_path))
    (tmp_path / "segue.yaml").write_text("timezone: Europe/Berlin\nport: 9000\n")
    found = plan(before, load(tmp_path))
    assert [(each.kind, each.name) for each in found.differences] == [("setting", "timezone")]
    assert found.evaluated_anew == ("buyers", "big_buyers")


@pytest.mark.parametrize("record", [None, [], {}, {"format": 99}, {"format": 1, "segments": 3}])
def test_what_is_no_record_is_refused(record: object) -> None:
    with pytest.raises(SegueError, match="E460"):
        from_json(record)


def test_a_record_that_does_not_hold_together_names_the_segment() -> None:
    segment = {"segment": "a", "owner": "o@x", "description": "Words.", "when": 'segment("b")'}
    with pytest.raises(SegueError, match=r"segment a: there is no segment"):
        from_json({"format": 1, "segments": [segment]})
    with pytest.raises(SegueError, match="E421"):
        from_json({"format": 1, "segments": [{"segment": "a"}]})

"""``fmt`` rewrites conditions and leaves the rest of each file alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.domain.errors import SegueError
from segue.segments.document import parse
from segue.segments.formatting import format_source, format_workspace
from segue.segments.readers import EXPERIENCES, FEATURES, MODELS, SEGMENTS
from segue.segments.source import Source
from segue.segments.template import write_template
from tests.segments.workspaces import CUSTOMERS, shop

UGLY = CUSTOMERS.replace('count("Order Completed") > 0', "count( 'Order Completed' )>0").replace(
    'segment("buyers") and', "segment('buyers')   and"
)


def test_conditions_are_spelled_one_way(tmp_path: Path) -> None:
    path = shop(tmp_path) / "segments" / "customers.yaml"
    path.write_text(UGLY)
    assert format_workspace(tmp_path, check=True) == ["segments/customers.yaml"]
    assert path.read_text() == UGLY
    assert format_workspace(tmp_path) == ["segments/customers.yaml"]
    assert path.read_text() == CUSTOMERS
    assert format_workspace(tmp_path) == []


def test_the_template_is_formatted(tmp_path: Path) -> None:
    write_template(tmp_path)
    assert format_workspace(tmp_path) == []


def test_what_cannot_be_read_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    path = shop(tmp_path) / "segments" / "customers.yaml"
    path.write_text(UGLY)
    (tmp_path / "segments" / "z.yaml").write_text("segment: z\nwhen: count( > 3\n")
    with pytest.raises(SegueError, match=r"segments/z\.yaml:2:14"):
        format_workspace(tmp_path)
    assert path.read_text() == UGLY


def test_numbers_and_truths_are_expressions_too() -> None:
    text = "- feature: f\n  value: 5\n- feature: g\n  value: 5 *   2\n"
    assert format_source(Source("f.yaml", text), FEATURES) == text.replace("5 *   2", "5 * 2")


def test_audiences_and_goals_are_spelled_where_they_stand() -> None:
    text = (
        "experience: e\nslot: s\ngoal: {event: Order, where: total>5}  # why\nvariants:\n"
        "  - variant: a\n    audience: |\n      request.device==\"m\"   # phones\n      and count('X')>0\n"
        "    payload: {when: 1>0}\n"
        "  - &b {variant: b, audience: vip, payload: {x: 1}}\n  - *b\n"
    )
    spelled = text.replace("total>5", '"total > 5"').replace(
        "request.device==\"m\"   # phones\n      and count('X')>0",
        'request.device == "m"  # phones\n      and count("X") > 0',
    )
    found = format_source(Source("e.yaml", text), EXPERIENCES)
    assert found == spelled
    assert format_source(Source("e.yaml", found), EXPERIENCES) == found


def test_every_expression_of_a_definition_is_spelled() -> None:
    """Also where a text that is left alone stands between two."""
    text = (
        "model: m  # why\ntarget: count( 'X',next 30d )>0\npopulation: count(any) > 0\nseed: list( 'press')\n"
    )
    spelled = text.replace("count( 'X',next 30d )>0", 'count("X", next 30d) > 0').replace(
        "( 'press')", '("press")'
    )
    assert format_source(Source("m.yaml", text), MODELS) == spelled
    assert format_source(Source("m.yaml", spelled), MODELS) == spelled


def test_what_stands_behind_an_anchor_is_left_alone() -> None:
    text = "- segment: a\n  when: &it   trait.a==1\n- segment: b\n  when: *it\n"
    assert format_source(Source("a.yaml", text), SEGMENTS) == text


WAYS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: f"when: {text}  # why\n",
    "single": lambda text: "when: '" + text.replace("'", "''") + "'\n",
    "block": lambda text: f"when: |  # why\n  {text}\n\n# below\n",
    "folded": lambda text: f"when: >-\n  {text}\n",
    "json": lambda text: '{"when": "' + text.replace('"', '\\"') + '"}\n',
}
PARTS = st.sampled_from(
    ["trait.plan   == 'pro'", 'count("A b",last 30d)>3', "not true", "( trait.x is missing )"]
)


@pytest.mark.parametrize("way", WAYS)
@given(parts=st.lists(PARTS, min_size=1, max_size=6))
def test_formatting_settles_at_once(way: str, parts: list[str]) -> None:
    source = Source("a.yaml", WAYS[way](" and ".join(parts)))
    once = format_source(source, SEGMENTS)
    assert format_source(Source("a.yaml", once), SEGMENTS) == once
    assert once.count("# why") == source.text.count("# why")
    parse(Source("a.yaml", once))

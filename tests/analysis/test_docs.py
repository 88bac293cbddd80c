"""The examples of docs/explain.md are what Segue says, to the letter."""

from __future__ import annotations

import json
import re
from pathlib import Path

from segue.domain.change import Cause, Change
from tests.analysis.timelines import Line, asked, at, segment

PAGE = Path(__file__).parents[2] / "docs" / "explain.md"
WHEN = """
sum("Order Completed".revenue, last 90d) > 500
and since(last("Order Completed")) < 30d
and not segment("staff")
"""
_BLOCK = re.compile(r"^```(\w*)\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """The fenced examples of one language, in order."""
    return [text for name, text in _BLOCK.findall(PAGE.read_text(encoding="utf-8")) if name == language]


def ann() -> Line:
    """Two orders in November."""
    return (
        Line()
        .told(0, plan="free")
        .did(1.4, "Order Completed", revenue=379.5)
        .did(3.75, "Order Completed", revenue=240)
    )


STAFF = segment("staff", 'trait.email ends with "@shop.example"')
SPENDERS = segment("active_spenders", WHEN)


def test_the_member() -> None:
    entered = Change(12, "ann", "active_spenders", True, at(3.75), Cause.EVENT, "m3")
    found = asked(ann(), 6, STAFF, SPENDERS, name="active_spenders", last_change=entered)
    assert blocks("text")[0] == found.render(100)


def test_the_one_who_is_out() -> None:
    line = Line().told(0, plan="free").did(1.4, "Order Completed", revenue=379.5)
    when = f'({WHEN}) or trait.plan in ["pro", "team"] and count("Login", last 7d) >= 2'
    found = asked(line, 6, STAFF, segment("active_spenders", when), name="active_spenders")
    assert blocks("text")[1] == found.render(100)


def test_the_json() -> None:
    found = asked(Line().did(1.4, "Login"), 6, segment("quiet", 'count("Login", last 2d) > 0'), name="quiet")
    assert json.loads(blocks("json")[0]) == found.to_json()

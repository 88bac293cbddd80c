"""The published schema: what is served is what stands in docs, and no change of it breaks a client."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from graphql import build_schema, find_breaking_changes

from segue.api.graphql.engine import published

PAGE = Path(__file__).parents[3] / "docs" / "schema.graphql"
REFRESH = "python -m tests.api.graphql.test_schema"


def breaks(before: str, after: str) -> list[str]:
    """What a client of the one schema would miss in the other."""
    return [each.description for each in find_breaking_changes(build_schema(before), build_schema(after))]


def test_the_page_is_what_is_served() -> None:
    """An addition is written down with `REFRESH`; a breaking change is caught by the test below first."""
    assert PAGE.read_text(encoding="utf-8") == published(), f"write it down: {REFRESH}"


def test_no_client_breaks() -> None:
    assert breaks(PAGE.read_text(encoding="utf-8"), published()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  known: Boolean!\n", ""),
        ("share: Float!", "share: Int!"),
        ("segment(name: String!)", "segment(name: String!, kind: String!)"),
        ("since: String!", "since: String"),
        ("scalar Seq", "scalar Sequence"),
        ("  preview(\n    when: String!", "  preview(\n    condition: String!"),
    ],
)
def test_a_breaking_change_is_seen(old: str, new: str) -> None:
    """The control: each of these is found."""
    text = published()
    assert old in text
    changed = text.replace(old, new)
    if new == "scalar Sequence":
        changed = changed.replace("Seq!", "Sequence!").replace("Seq =", "Sequence =")
    assert breaks(text, changed)


def test_an_addition_breaks_nothing() -> None:
    text = published()
    assert not breaks(text, text.replace("type Cause {", "type Cause {\n  score: String\n"))


def test_without_the_extra_it_is_named_with_its_command() -> None:
    story = """
import sys
sys.modules["strawberry"] = None
from segue.api.graphql.door import engine
from segue.domain.errors import SegueError
try:
    engine()
except SegueError as refused:
    print(refused.diagnostics[0].code, refused.diagnostics[0].hint)
"""
    said = subprocess.run([sys.executable, "-c", story], capture_output=True, text=True, check=True).stdout
    assert said.startswith("E792 run pip install 'segue[graphql]'")


if __name__ == "__main__":
    broken = breaks(PAGE.read_text(encoding="utf-8"), published())
    if broken and "--break" not in sys.argv:
        sys.exit("clients would break; with --break it is written down all the same:\n" + "\n".join(broken))
    PAGE.write_text(published(), encoding="utf-8")

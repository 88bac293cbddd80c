"""Every workspace that is shown as an example is a sound one."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.segments.workspace import load_workspace

EXAMPLES = Path(__file__).parents[2] / "examples"
WORKSPACES = sorted(found.parent for found in EXAMPLES.rglob("segue.yaml"))


def test_there_are_some() -> None:
    assert EXAMPLES / "online-retail" in WORKSPACES
    assert EXAMPLES / "acting" / "shop" in WORKSPACES


@pytest.mark.parametrize("folder", WORKSPACES, ids=lambda folder: folder.name)
def test_it_loads_and_every_file_in_it_counts(folder: Path) -> None:
    workspace = load_workspace(folder)
    assert workspace.segments
    assert workspace.unread == ()

"""Whatever is sent and whatever is asked, the engine's changes are those of the plain truth."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from segue.domain.time import YEAR
from segue.language.interpret import Flip, changes
from tests.engine.driven import Driven
from tests.strategies import FRESH
from tests.strategies.histories import histories
from tests.strategies.resolver import resolve
from tests.strategies.workspaces import workspaces

CASES = int(os.environ.get("SEGUE_CASES", "2000"))
PARTS = 4
"""So that all cores have some."""


@pytest.mark.parametrize("part", range(PARTS))
@given(data=st.data())
@settings(max_examples=CASES // PARTS, deadline=None, backend=FRESH, suppress_health_check=list(HealthCheck))
def test_the_engine_changes_what_the_interpreter_changes(part: int, data: st.DataObject) -> None:
    note(f"part {part}")
    workspace = data.draw(workspaces(models=True))
    history = data.draw(histories(workspace.names, models=True))
    sizes = data.draw(st.lists(st.integers(1, 8), min_size=1, max_size=4))
    _, steps = resolve(history)
    until = max((step.received_at for step in steps), default=0) + data.draw(
        st.sampled_from((0, 1, YEAR // 12, 2 * YEAR))
    )
    expected = changes(steps, workspace.definitions, workspace.rules, until)
    driven = Driven(workspace.definitions, workspace.rules, thrifty=data.draw(st.booleans()))
    found = driven.run(steps, sizes, until)
    note(f"expected {expected}")
    note(f"found    {found}")
    assert found == expected
    assert driven.entered() == entered(expected)


def entered(flips: list[Flip]) -> dict[tuple[int, str], int]:
    """Who is in what since when, after these changes."""
    last = {(flip.row, flip.segment): flip for flip in flips}
    return {membership: flip.at for membership, flip in last.items() if flip.entered}

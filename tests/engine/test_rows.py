"""A profile that no event has begun is nobody: the log may tell of later ones alone."""

from __future__ import annotations

import numpy as np

from segue.domain.change import Cause
from segue.domain.event import Event
from segue.language.checker import check_condition
from segue.language.interpret import Definition, Rules, Step
from segue.language.scope import Scope
from tests.engine.driven import Driven


def test_rows_that_nothing_has_begun_hold_what_no_event_leaves() -> None:
    often = Definition("often", check_condition('count("E", last 1h) > 0', Scope()))
    driven = Driven([often], Rules())
    for seq, row in enumerate((3, 5, 2000)):
        event = Event(seq, row, "track", "E", 1_000 + seq, 1_000 + seq, {}, {}, {}, None)
        driven.run([Step(1_000 + seq, Cause.EVENT, event)], [1])
        machine = driven.machine
        others = np.setdiff1d(np.arange(machine.rows), (3, 5, 2000)[: seq + 1])
        assert (machine.state.columns[others] == machine.placement.initial).all()
        assert not machine.state.flags[others].any()

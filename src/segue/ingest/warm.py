"""Has compiled what takes events in, ahead of the first one."""

from __future__ import annotations

import numpy as np

from segue.ingest.dedupe import Seen
from segue.ingest.mend import read_event
from segue.ingest.times import read_times
from segue.log.lane import warm as lane


def warm() -> None:
    """Have everything compiled, or loaded from where it was kept: a quarter of a second then."""
    lane.warm()
    read_times(["2026-11-22T10:00:00Z"])
    read_event(b"{}")
    seen, one = Seen(), np.ones(1, np.uint64)
    seen.seen_many(one, one, np.zeros(1, np.int64))
    seen.take_back()
    seen.prune(0)

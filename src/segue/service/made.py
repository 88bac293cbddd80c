"""What the engine made, as the log stores it: changes of segments, without those of watches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segue.domain.watch import is_watch
from segue.engine.engine import Made
from segue.engine.kernel import layout as k
from segue.log.changes import NO_EVENT, ChangeColumns


def of_segments(made: Made) -> Made:
    """Changes without those of watches, which are no segment's."""
    watched = np.array([is_watch(name) for name in made.names], np.bool_)
    if not watched.any():
        return made
    return Made(made.names, made.records[~watched[made.records["segment"]]])


def columns_of(made: Sequence[Made], first: int) -> ChangeColumns:
    """Changes of one or more programs as the columns the log stores."""
    names = sorted({name for each in made for name in each.names})
    place = {name: number for number, name in enumerate(names)}
    segments = [
        np.array([place[name] for name in each.names], np.int32)[each.records["segment"]] for each in made
    ]
    records = np.concatenate([each.records for each in made])
    by_event = (records["cause"] == k.BY_EVENT) | (records["cause"] == k.BY_MERGE)
    return ChangeColumns(
        first_seq=first,
        names=names,
        rows=np.ascontiguousarray(records["row"]),
        segments=np.concatenate(segments),
        entered=records["entered"].astype(np.bool_),
        at=np.ascontiguousarray(records["at"]),
        causes=np.ascontiguousarray(records["cause"]),
        event_seqs=np.where(by_event, records["seq"], NO_EVENT),
    )

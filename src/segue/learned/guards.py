"""How much there must be to learn from: with less, a model tells chance for habit."""

from __future__ import annotations

import numpy as np

from segue.domain.errors import SegueError, refusal
from segue.domain.event import Json
from segue.domain.time import DAY, SECOND, format_duration
from segue.learned.model import ModelKind
from segue.learned.spec import Guards, ModelSpec
from segue.learned.table import Table

HORIZONS = 3
"""Of history: to look back on, of labels to learn from, and of later ones to be judged by."""


def guards_of(spec: ModelSpec, kind: ModelKind) -> Guards:
    """Those that the definition gives, else those of the kind."""
    return kind.guards if spec.guards is None else spec.guards


def counted(guards: Guards, table: Table) -> tuple[int, int]:
    """(users with enough events, those of them of whom the target holds), each user once."""
    busy = table.taken(table.events >= guards.events_min)
    return busy.users, len(np.unique(busy.rows[busy.labels > 0]))


def hold(spec: ModelSpec, kind: ModelKind, table: Table) -> None:
    """E862 with what there is and what it asks for, when the table is too small to learn from."""
    guards = guards_of(spec, kind)
    users, positives = counted(guards, table)
    if users >= guards.users_min and positives >= guards.positives_min:
        return
    events = f" with {guards.events_min} events each" if guards.events_min else ""
    message = f"{spec.name} can learn from {users:,} users{events}"
    asked = f"{guards.users_min:,} users{events}"
    if guards.positives_min:
        message += f", of whom the target holds for {positives:,}"
        asked += f" and {guards.positives_min:,} of whom it holds"
    hint = f"use {kind.instead} instead; or lower `guards` in the model and say why"
    raise refusal("E862", f"{message}; it asks for {asked}", hint)


def too_short(spec: ModelSpec, kind: ModelKind, first: int, last: int) -> SegueError:
    """E861: events from ``first`` to ``last`` (ms) do not reach for a test that is later than all labels."""
    assert spec.horizon_ms is not None
    asked = format_duration(spec.horizon_ms)
    if last <= first:
        message = f"{spec.name} looks {asked} ahead, and there are no events to look back on"
        return refusal("E861", message, "import a history of them, or use a rule meanwhile")
    horizons = HORIZONS if kind.learns_from == "target" else 1
    there, missing = last - first, horizons * spec.horizon_ms - (last - first)
    message = f"{spec.name} looks {asked} ahead and the log holds {_days(there)}; {_needs(horizons, missing)}"
    longest = _whole(there, horizons)
    hints = [f"let it look {format_duration(longest)} ahead at most"] if longest else []
    if horizons > 1 and there > spec.horizon_ms:
        hints.append("use `kind: value`, which learns no labels and needs one horizon to be judged by")
    return refusal("E861", message, "; or ".join([*hints, "use a rule until there is a longer history"]))


def _needs(horizons: int, missing: int) -> str:
    if horizons == 1:
        return "it takes more than that to be judged by what came after"
    what = "one to look back on, one of labels to learn from, a later one to be judged by"
    return f"it takes {horizons} times as long ({what}): {_days(missing, up=True)} more are missing"


def _whole(ms: int, parts: int) -> int:
    """The longest horizon (ms) of whole days, or else seconds, that so many of fit into less than this."""
    longest = (ms - 1) // parts
    unit = DAY if longest >= DAY else SECOND
    return longest // unit * unit


def _days(ms: int, up: bool = False) -> str:
    """In whole days where there are any."""
    if ms < DAY:
        return format_duration(max(ms, 1))
    return format_duration((ms + (DAY - 1 if up else 0)) // DAY * DAY)


def told(guards: Guards, table: Table) -> dict[str, Json]:
    """What a card says of it."""
    users, positives = counted(guards, table)
    return {
        "users": users,
        "positives": positives,
        "asked": {
            "users": guards.users_min, "events": guards.events_min, "positives": guards.positives_min
        },
        "reason": guards.reason,
    }  # fmt: skip

"""How much there must be to learn from: with less, a model tells chance for habit."""

from __future__ import annotations

import numpy as np

from segue.domain.errors import SegueError, refusal
from segue.domain.event import Json
from segue.domain.time import format_duration
from segue.learned.model import ModelKind
from segue.learned.spec import Guards, ModelSpec
from segue.learned.table import Table


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


def too_short(spec: ModelSpec, first: int, last: int) -> SegueError:
    """E861: the history does not reach for a test that is later than all labels."""
    assert spec.horizon_ms is not None
    horizon = format_duration(spec.horizon_ms)
    there = format_duration(_whole_days(last - first)) if last > first else "no events"
    message = f"{spec.name} looks {horizon} ahead and the log holds {there}; it takes three times as long"
    hint = "give it a shorter horizon or a longer history, or use a rule meanwhile"
    return refusal("E861", message, hint)


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


def _whole_days(ms: int) -> int:
    day = 86_400_000
    return max(ms // day * day, 1) if ms >= day else max(ms, 1)

"""Each aggregate as one SELECT that gives a value to every user who has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from segue.domain.number import MICRO
from segue.language.sql.conditions import nearest_double_sql, where_sql
from segue.language.sql.quoting import extract_sql, text_sql
from segue.language.sql.readings import day_of, micro_of, scalar_of
from segue.language.tree import (
    Aggregate,
    AllTime,
    Between,
    EventPattern,
    Last,
    Sequence,
    SinceEvent,
    ThisSession,
    Window,
)

EMPTY_IS_ZERO = ("count", "days", "sum", "distinct", "sessions")
"""What is 0, not missing, where nothing happened."""

AGGREGATES: Mapping[str, Callable[[str, ZoneInfo], str]] = {
    "count": lambda _raw, _zone: f"count(*) * {MICRO}",
    "sessions": lambda _raw, _zone: f"count(*) * {MICRO}",
    "days": lambda _raw, zone: f"count(DISTINCT {day_of('ts', zone)}) * {MICRO}",
    "sum": lambda raw, _zone: f"coalesce(sum({micro_of(raw)}), 0)",
    "avg": lambda raw, _zone: f"{nearest_double_sql(f'sum({micro_of(raw)})')} / count({micro_of(raw)})",
    "min": lambda raw, _zone: f"min({micro_of(raw)})",
    "max": lambda raw, _zone: f"max({micro_of(raw)})",
    "distinct": lambda raw, _zone: f"count(DISTINCT {scalar_of(raw)}) * {MICRO}",
    "last": lambda _raw, _zone: "max(ts)",
    "first": lambda _raw, _zone: "min(ts)",
    "latest": lambda raw, _zone: f"arg_max_null({raw}, place)",
    "earliest": lambda raw, _zone: f"arg_min_null({raw}, place)",
}


def aggregate_sql(aggregate: Aggregate, zone: ZoneInfo, session_gap_ms: int) -> str:
    """``SELECT user_id, value`` of an aggregate over the tables of the SELECT."""
    raw = extract_sql("seen", aggregate.path)
    chosen = [pattern_sql(aggregate.event, zone)]
    source = "visible"
    if aggregate.name == "sessions":
        source = "runs"
        chosen.append(f"coalesce(pause > {session_gap_ms}, TRUE)")
    if isinstance(aggregate.window, SinceEvent):
        source += f" JOIN ({_anchor_sql(aggregate.window, zone)}) AS anchors USING (user_id)"
        chosen.append("place > anchor")
    elif isinstance(aggregate.window, ThisSession):
        source += " JOIN this_session USING (user_id)"
        chosen.append(f"place >= began AND now - ended <= {session_gap_ms}")
    else:
        chosen.append(window_sql(aggregate.window))
    value = AGGREGATES[aggregate.name](raw, zone)
    return f"SELECT user_id, {value} AS value FROM {source} WHERE {' AND '.join(chosen)} GROUP BY user_id"


def pattern_sql(pattern: EventPattern, zone: ZoneInfo) -> str:
    """Whether a row of ``visible`` is an event that the pattern means."""
    parts = []
    if pattern.type != "any":
        parts.append(f"type = {text_sql(pattern.type)}")
    if pattern.name is not None:
        parts.append(f"name = {text_sql(pattern.name)}")
    if pattern.where is not None:
        parts.append(where_sql(pattern.where, "seen", "context", zone))
    return " AND ".join(parts) or "TRUE"


def window_sql(window: Window) -> str:
    """Whether a row of ``visible`` lies in a window of fixed ends."""
    if isinstance(window, Last):
        return f"ts > now - {window.ms}"
    if isinstance(window, Between):
        upper = "" if window.end is None else f" AND ts < {window.end}"
        return f"ts >= {window.start}{upper}"
    assert isinstance(window, AllTime)
    return "TRUE"


def _anchor_sql(window: SinceEvent, zone: ZoneInfo) -> str:
    which = "max" if window.which == "last" else "min"
    return (
        f"SELECT user_id, {which}(place) AS anchor FROM visible "
        f"WHERE {pattern_sql(window.event, zone)} AND {window_sql(window.window)} GROUP BY user_id"
    )


def sequence_sql(sequence: Sequence, zone: ZoneInfo) -> str:
    """``SELECT user_id, value``: from each completing event back to the nearest event of each step before."""
    steps = sequence.steps
    last = len(steps) - 1
    completing = f"{_step_sql(steps[last], zone)} AND {window_sql(sequence.window)}"
    lines = [f"SELECT step{last}.user_id, count(*) * {MICRO} AS value FROM ({completing}) AS step{last}"]
    for index in range(last - 1, -1, -1):
        lines.append(
            f"ASOF JOIN ({_step_sql(steps[index], zone)}) AS step{index} "
            f"ON step{index + 1}.user_id = step{index}.user_id AND step{index + 1}.place > step{index}.place"
        )
    lines.append(f"WHERE step{last}.ts - step0.ts <= {sequence.within} GROUP BY step{last}.user_id")
    return " ".join(lines)


def _step_sql(step: EventPattern, zone: ZoneInfo) -> str:
    return f"SELECT user_id, place, ts FROM visible WHERE {pattern_sql(step, zone)}"


def trait_sql(key: str, owner: str) -> str:
    """``SELECT user_id, value``: the newest JSON value of one top-level trait, or what a model says."""
    if owner in ("score", "cluster"):
        return (
            f"SELECT user_id, to_json({owner}) AS value FROM scores "
            f"WHERE model = {text_sql(key)} AND {owner} IS NOT NULL"
        )
    value = extract_sql("traits", (key,))
    if owner == "user":
        return (
            f"SELECT user_id, arg_max({value}, place) AS value FROM visible "
            f"WHERE type = 'identify' AND {value} IS NOT NULL GROUP BY user_id"
        )
    return (
        "SELECT accounts.user_id, traits_of.value FROM accounts JOIN ("
        f"SELECT group_id, arg_max({value}, place) AS value FROM visible "
        f"WHERE type = 'group' AND {value} IS NOT NULL GROUP BY group_id) AS traits_of USING (group_id)"
    )

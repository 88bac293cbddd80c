"""The order in which segments are settled: what is asked for comes before what asks."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from segue.domain.errors import SegueError, refusal
from segue.language import tree
from segue.language.walk import references

Unit = tuple[str, str]
"""What is settled at once: ("group", its word) or ("segment", its name)."""


def order_segments(conditions: Mapping[str, tree.Condition], groups: Mapping[str, str | None]) -> list[str]:
    """All names, each after the segments it depends on; an exclusive group stands together.

    Whoever asks for one member of a group waits for all of its members. Names that are not
    among ``conditions`` are passed over. Raises SegueError E306 for a cycle of references, E307
    for one that runs through an exclusive group.
    """
    return order_names(
        {name: references(condition).segments for name, condition in conditions.items()}, groups
    )


def order_names(needs: Mapping[str, AbstractSet[str]], groups: Mapping[str, str | None]) -> list[str]:
    """As order_segments, from the names that each one asks for; features are ordered so too."""
    units = {name: _unit(name, groups) for name in needs}
    members: dict[Unit, list[str]] = {}
    for name in sorted(needs):
        members.setdefault(units[name], []).append(name)
    waits: dict[Unit, set[Unit]] = {unit: set() for unit in members}
    wanted_by: dict[Unit, list[Unit]] = {unit: [] for unit in members}
    for name, asked in needs.items():
        for other in asked & units.keys():
            if units[other] not in waits[units[name]]:
                waits[units[name]].add(units[other])
                wanted_by[units[other]].append(units[name])
    order: list[str] = []
    ready = [(names[0], unit) for unit, names in members.items() if not waits[unit]]
    heapq.heapify(ready)
    while ready:
        _, settled = heapq.heappop(ready)
        order.extend(members[settled])
        for unit in wanted_by[settled]:
            waits[unit].discard(settled)
            if not waits[unit]:
                heapq.heappush(ready, (members[unit][0], unit))
    if len(order) < len(needs):
        raise _cycle(needs, units, members, {unit for unit in members if waits[unit]})
    return order


def _unit(name: str, groups: Mapping[str, str | None]) -> Unit:
    group = groups.get(name)
    return ("segment", name) if group is None else ("group", group)


def _cycle(
    needs: Mapping[str, AbstractSet[str]],
    units: Mapping[str, Unit],
    members: Mapping[Unit, list[str]],
    stuck: AbstractSet[Unit],
) -> SegueError:
    """Follow references among what is stuck until a unit comes again, then spell the round."""
    unit = min(stuck, key=lambda each: members[each][0])
    seen: dict[Unit, int] = {}
    steps: list[tuple[str, str]] = []
    while unit not in seen:
        seen[unit] = len(steps)
        steps.append(_step(needs, units, members[unit], stuck))
        unit = units[steps[-1][1]]
    ring = steps[seen[unit] :]
    start = min(range(len(ring)), key=lambda at: ring[at][0])
    ring = ring[start:] + ring[:start]
    if all(asked == ring[(at + 1) % len(ring)][0] for at, (_, asked) in enumerate(ring)):
        route = " -> ".join([*[name for name, _ in ring], ring[0][0]])
        hint = "take one of these references away"
        return refusal("E306", f"these refer to each other in a circle: {route}", hint)
    hint = "a member of an exclusive group may not depend on another; repeat the condition it needs instead"
    return refusal("E307", f"an exclusive group depends on itself: {_route(ring, units)}", hint)


def _step(
    needs: Mapping[str, AbstractSet[str]],
    units: Mapping[str, Unit],
    names: Iterable[str],
    stuck: AbstractSet[Unit],
) -> tuple[str, str]:
    """One reference out of a stuck unit into a stuck unit; there is one, or it would not be stuck."""
    return next(
        (name, other)
        for name in names
        for other in sorted(needs[name])
        if other in units and units[other] in stuck
    )


def _route(ring: list[tuple[str, str]], units: Mapping[str, Unit]) -> str:
    parts = []
    for at, (name, asked) in enumerate(ring):
        following = ring[(at + 1) % len(ring)][0]
        parts.append(f"{name} -> {asked}")
        if asked != following:
            parts[-1] += f' (exclusive "{units[asked][1]}", like {following})'
    return ", ".join(parts)

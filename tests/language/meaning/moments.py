"""Moments worth asking about: right before, at and after every moment at which something turns."""

from __future__ import annotations

from collections.abc import Iterable

from segue.language.interpret import Rules, due_moments
from segue.language.interpret.changes import World
from segue.language.tree import Condition


def edges(world: World, conditions: Iterable[Condition], rules: Rules) -> list[int]:
    """Moments from the world's now on, rising; the first is now itself."""
    turns = {
        due + off
        for condition in conditions
        for row in world.events
        for due in due_moments(condition, world.person(row), rules)
        for off in (-1, 0, 1)
    }
    turns.update(
        override.until + off
        for standing in world.overrides.values()
        for override in standing.values()
        if override.until is not None
        for off in (-1, 0)
    )
    return sorted({world.now, *(turn for turn in turns if turn >= world.now)})

"""Random workspaces: a few segments that refer to each other, share aggregates and exclude each other."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from segue.language.interpret import Definition, Rules
from tests.strategies.conditions import conditions
from tests.strategies.vocabulary import SEGMENTS, SESSION_GAPS_MS, zones


@dataclass(frozen=True)
class Workspace:
    """Definitions stand after those they refer to; a group stands together."""

    definitions: tuple[Definition, ...]
    rules: Rules

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(definition.name for definition in self.definitions)


@st.composite
def workspaces(draw: st.DrawFn, segments_max: int = 4, models: bool = False) -> Workspace:
    """One to a few segments, with references downward, up to one exclusive group, and any status."""
    rules = Rules(draw(zones), draw(st.sampled_from(SESSION_GAPS_MS)))
    names = draw(st.permutations(SEGMENTS))[: draw(st.integers(1, segments_max))]
    grouped = draw(st.integers(0, len(names)))
    first = draw(st.integers(0, len(names) - grouped))
    group = range(first, first + grouped)
    definitions: list[Definition] = []
    for index, name in enumerate(names):
        exclusive = index in group
        referable = tuple(names[: first if exclusive else index])
        definitions.append(
            Definition(
                name,
                draw(conditions(rules.zone, referable, models=models)),
                "lifecycle" if exclusive else None,
                draw(st.integers(0, 3)) * 10 + index if exclusive else 0,
                draw(st.sampled_from(("active",) * 8 + ("draft", "archived"))),
            )
        )
    return Workspace(tuple(definitions), rules)

"""Random edits of a workspace: one segment another one, one more, one less."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from segue.domain.time import HOUR
from segue.language.interpret import Definition
from segue.language.tree import Aggregate, Compare, EventPattern, Last, Number
from segue.language.walk import references
from tests.strategies.conditions import conditions
from tests.strategies.vocabulary import SEGMENTS
from tests.strategies.workspaces import Workspace


@st.composite
def edited(draw: st.DrawFn, workspace: Workspace) -> Workspace:
    """The workspace after one to three edits; now and then with another session gap."""
    definitions = workspace.definitions
    if draw(st.booleans()):
        return Workspace((*definitions, *_beside(definitions)), workspace.rules)
    for _ in range(draw(st.integers(1, 3))):
        definitions = draw(_edited_once(definitions, workspace))
    rules = workspace.rules
    if draw(st.integers(0, 9)) == 0:
        rules = replace(rules, session_gap_ms=rules.session_gap_ms + 1)
    return Workspace(definitions, rules)


def _beside(definitions: tuple[Definition, ...]) -> list[Definition]:
    """A segment over what nobody does: all that was there before is kept as it is."""
    names = {each.name for each in definitions}
    unused = [name for name in SEGMENTS if name not in names]
    never = Aggregate("count", EventPattern("track", "Nobody Does This"), (), Last(HOUR))
    return [Definition(name, Compare(">", never, Number(0))) for name in unused[:1]]


@st.composite
def _edited_once(
    draw: st.DrawFn, definitions: tuple[Definition, ...], workspace: Workspace
) -> tuple[Definition, ...]:
    unused = [name for name in SEGMENTS if name not in {each.name for each in definitions}]
    kinds = ["condition", "condition", "status"] if definitions else []
    kinds += ["more", "more"] if unused else []
    referred = {name for each in definitions for name in references(each.condition).segments}
    spare = [each for each in definitions if each.name not in referred]
    kinds += ["less"] if spare else []
    kind = draw(st.sampled_from(kinds))
    if kind == "more":
        before = tuple(each.name for each in definitions)
        condition = draw(conditions(workspace.rules.zone, before, models=True))
        return (*definitions, Definition(draw(st.sampled_from(unused)), condition))
    if kind == "less":
        gone = draw(st.sampled_from(spare))
        return tuple(each for each in definitions if each is not gone)
    place = draw(st.integers(0, len(definitions) - 1))
    chosen = definitions[place]
    if kind == "status":
        changed = replace(chosen, status="draft" if chosen.status == "active" else "active")
    else:
        first = place
        while first and chosen.exclusive and definitions[first - 1].exclusive == chosen.exclusive:
            first -= 1
        before = tuple(each.name for each in definitions[:first])
        changed = replace(chosen, condition=draw(conditions(workspace.rules.zone, before, models=True)))
    return (*definitions[:place], changed, *definitions[place + 1 :])

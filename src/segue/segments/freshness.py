"""How soon scores follow: what is scored as events come, what on a schedule; promises that cannot be kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from segue.domain.time import DAY, SECOND, format_duration
from segue.language import tree
from segue.language.walk import references, walk
from segue.learned.spec import ModelSpec
from segue.segments.definitions import SegmentDefinition
from segue.segments.workspace import Workspace

RESCORE_MS = DAY
"""How often everybody is scored again unless the model says otherwise."""
BEHIND_MS = SECOND
"""How far scores may be behind an event that is scored as it comes."""
_Tree = tree.Condition | tree.Operand


@dataclass(frozen=True, slots=True)
class Pace:
    """When a model scores: ``stream`` says whether whoever an event touched is scored as it comes.

    Everybody is scored every ``every_ms``; whatever ``moves`` with time alone is right only then.
    """

    stream: bool
    every_ms: int
    moves: bool


def paces(workspace: Workspace) -> dict[str, Pace]:
    """The pace of each model in use; one whose readers all can wait for the schedule scores on it alone."""
    found = {}
    for name, spec in workspace.model_specs.items():
        definition = workspace.models[name]
        if definition.live:
            every = definition.rescore_ms or RESCORE_MS
            waits = _wait(workspace, name, every)
            found[name] = Pace(not waits, every, moves_with_time(spec))
    return found


def read_by(workspace: Workspace, condition: tree.Condition) -> set[str]:
    """The models whose scores decide whether a condition holds, also through segments it refers to."""
    waiting, seen, found = [condition], set[str](), set[str]()
    while waiting:
        each = waiting.pop()
        found |= scores_in(each)
        further = references(each).segments - seen
        seen |= further
        waiting += [workspace.conditions[name] for name in further]
    return found


def scores_in(root: _Tree) -> set[str]:
    """The models that a condition or value asks by itself."""
    asked = (
        node for node in walk(root) if isinstance(node, tree.Trait) and node.owner in ("score", "cluster")
    )
    return {node.path[0] for node in asked}


def moves_with_time(spec: ModelSpec) -> bool:
    """Whether time alone changes what the model reads."""
    trees: list[_Tree] = [spec.population, *(each.tree for each in spec.features)]
    trees += [each.condition for each in spec.segments]
    return any(_moves(node) for root in trees for node in walk(root))


def _moves(node: object) -> bool:
    """Windows that slide, and lengths of time; a time by itself is read as how long ago it was."""
    if isinstance(node, tree.Elapsed):
        return True
    if isinstance(node, tree.Aggregate) and node.name in ("last", "first"):
        return True
    if not isinstance(node, tree.Aggregate | tree.Sequence):
        return False
    window = node.window
    if isinstance(window, tree.SinceEvent):
        window = window.window
    return isinstance(window, tree.Last | tree.ThisSession | tree.Between)


def _wait(workspace: Workspace, model: str, every_ms: int) -> bool:
    """Whether everyone who reads a model said that the schedule is soon enough."""
    if any(
        model in scores_in(root) for root in (*workspace.watches.values(), *workspace.expressions.values())
    ):
        return False
    readers = [
        each for each in _current(workspace) if model in read_by(workspace, workspace.conditions[each.name])
    ]
    return bool(readers) and all((each.freshness_ms or 0) >= every_ms for each in readers)


def _current(workspace: Workspace) -> Iterator[SegmentDefinition]:
    return (each for each in workspace.segments.values() if each.live)


@dataclass(frozen=True, slots=True)
class Broken:
    """A segment's promise that a model does not let it keep, and why."""

    segment: SegmentDefinition
    model: str
    reason: str
    hint: str


def broken(workspace: Workspace) -> Iterator[Broken]:
    """Every promise of freshness that cannot be kept."""
    pace = paces(workspace)
    for segment in _current(workspace):
        if segment.freshness_ms is None:
            continue
        for model in sorted(read_by(workspace, workspace.conditions[segment.name]) & pace.keys()):
            found = _reason(workspace, model, pace, segment.freshness_ms)
            if found is not None:
                yield Broken(segment, model, *found)


def _reason(
    workspace: Workspace, model: str, pace: Mapping[str, Pace], freshness_ms: int
) -> tuple[str, str] | None:
    definition, own = workspace.models[model], pace[model]
    promised, every = format_duration(freshness_ms), format_duration(own.every_ms)
    if definition.kind == "upload" and freshness_ms < own.every_ms:
        return (
            f"is handed in from elsewhere, every {every}",
            f"write `freshness: {every}`, or `rescore: every {promised}` in the model if it comes as often",
        )
    if freshness_ms < BEHIND_MS:
        return (
            f"follows an event within {format_duration(BEHIND_MS)}, not {promised}",
            f"write `freshness: {format_duration(BEHIND_MS)}`",
        )
    if own.moves and freshness_ms < own.every_ms:
        return (
            f"moves with time alone and scores everybody every {every}, which is later than {promised}",
            f"write `rescore: every {promised}` in the model, or `freshness: {every}` here",
        )
    return None

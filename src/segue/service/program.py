"""A workspace as the engine takes it: what is followed, what is kept ready, and under which rules."""

from __future__ import annotations

from segue.engine.program.compile import Compiled, compile_definitions
from segue.language.interpret import Definition, Rules
from segue.language.tree import Operand
from segue.segments.workspace import Workspace


def definitions_of(workspace: Workspace) -> tuple[Definition, ...]:
    """A workspace's segments as the engine takes them, in the order of evaluation."""
    return tuple(
        Definition(
            each.name, workspace.conditions[each.name], each.exclusive, each.priority or 0, each.status
        )
        for each in workspace.segments.values()
    )


def followed(workspace: Workspace) -> tuple[Definition, ...]:
    """All that the engine follows: the segments, then the watches, which may refer to them."""
    watches = (Definition(name, condition) for name, condition in sorted(workspace.watches.items()))
    return (*definitions_of(workspace), *watches)


def values_of(workspace: Workspace) -> dict[str, Operand]:
    """All whose values are kept ready to be read: the features, and what is watched."""
    return {**workspace.expressions, **workspace.watched_values}


def rules_of(workspace: Workspace) -> Rules:
    """The settings that meaning depends on."""
    return Rules(workspace.settings.timezone, workspace.settings.session_gap_ms)


def program_of(workspace: Workspace) -> Compiled:
    """A workspace as the engine runs it."""
    return compile_definitions(followed(workspace), rules_of(workspace), values_of(workspace))

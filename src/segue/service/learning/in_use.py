"""Which models are in use, and which of their versions is in force."""

from __future__ import annotations

from segue.learned.registry import Registry
from segue.learned.version import CHAMPION
from segue.segments.workspace import Workspace

UPLOAD = "upload"
"""The kind whose values are handed in: nothing here says them."""


def in_force(registry: Registry) -> dict[str, int]:
    """The number of each model's version in force, also of one that cannot be read; E865 for no register."""
    standing = {(move.model, move.number): move.status for move in registry.moves()}
    return {name: number for (name, number), status in standing.items() if status == CHAMPION}


def live(workspace: Workspace, handed_in: bool = False) -> set[str]:
    """The models of a workspace that are in use and say something themselves, or have it handed in."""
    return {
        name
        for name in workspace.model_specs
        if workspace.models[name].live and (handed_in or workspace.models[name].kind != UPLOAD)
    }

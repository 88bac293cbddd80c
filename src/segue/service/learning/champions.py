"""The versions in force, read from the registry once each."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from segue.domain.errors import Diagnostic, SegueError
from segue.learned.models import KINDS
from segue.learned.registry import Registry
from segue.learned.version import CHAMPION, hold_horizon
from segue.service.learning.scoring import Champion

if TYPE_CHECKING:
    from segue.segments.workspace import Workspace
    from segue.service.service import Service

UPLOAD = "upload"
"""The kind whose values are handed in: nothing here says them."""


class Champions:
    """Reads champions; each version once. A version that cannot be read is ``refused`` and does not score."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._registry = Registry(service.data)
        self._read: dict[str, Champion] = {}
        self.refused: dict[str, Diagnostic] = {}

    def now(self, names: Collection[str] | None = None, handed_in: bool = False) -> dict[str, Champion]:
        """The champions of the models in use, of some or of all, by name.

        Those whose scores are handed in say nothing themselves: they are among them with ``handed_in`` only.
        """
        workspace = self._service.workspace
        self.refused.clear()
        asked = {name for name in live(workspace, handed_in) if names is None or name in names}
        try:
            numbers = in_force(self._registry)
        except SegueError as refused:
            self.refused.update(dict.fromkeys(asked, refused.diagnostics[0]))
            return {}
        found = {}
        for name in sorted(asked & numbers.keys()):
            champion = self._champion(workspace, name, numbers[name])
            if champion is not None:
                found[name] = champion
        self._read = {name: each for name, each in self._read.items() if name in workspace.model_specs}
        return found

    def _champion(self, workspace: Workspace, name: str, number: int) -> Champion | None:
        spec, held = workspace.model_specs[name], self._read.get(name)
        if held is not None and held.number == number and held.spec is spec:
            return held
        try:
            version = self._registry.version(name, number)
            if version.kind not in KINDS:
                return None
            hold_horizon(version, spec.horizon_ms)
            held = self._read[name] = Champion(spec, number, KINDS[version.kind].read(version.document))
        except SegueError as refused:
            self.refused[name] = refused.diagnostics[0]
            return None
        return held


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

"""The versions in force, read from the registry once each."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from segue.domain.errors import Diagnostic, SegueError
from segue.learned.models import KINDS
from segue.learned.registry import Registry
from segue.learned.version import hold_horizon
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
        found = {}
        for name in sorted(live(workspace, handed_in)):
            if names is None or name in names:
                champion = self._champion(workspace, name)
                if champion is not None:
                    found[name] = champion
        self._read = {name: each for name, each in self._read.items() if name in workspace.model_specs}
        return found

    def _champion(self, workspace: Workspace, name: str) -> Champion | None:
        spec, held = workspace.model_specs[name], self._read.get(name)
        try:
            version = self._registry.champion(name)
            if version is None or version.kind not in KINDS:
                return None
            hold_horizon(version, spec.horizon_ms)
            if held is None or held.number != version.number or held.spec is not spec:
                model = KINDS[version.kind].read(version.document)
                held = self._read[name] = Champion(spec, version.number, model)
        except SegueError as refused:
            self.refused[name] = refused.diagnostics[0]
            return None
        return held


def live(workspace: Workspace, handed_in: bool = False) -> set[str]:
    """The models of a workspace that are in use and say something themselves, or have it handed in."""
    return {
        name
        for name in workspace.model_specs
        if workspace.models[name].live and (handed_in or workspace.models[name].kind != UPLOAD)
    }

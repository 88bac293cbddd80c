"""The versions in force, read from the registry once each."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from segue.domain.errors import Diagnostic, SegueError
from segue.learned.models import KINDS
from segue.learned.models.remote import Remote
from segue.learned.registry import Registry
from segue.learned.version import hold
from segue.service.learning.in_use import in_force, live
from segue.service.learning.scoring import Champion

if TYPE_CHECKING:
    from segue.segments.workspace import Workspace
    from segue.service.service import Service

LOOK_SECONDS = 60.0
"""After which a version is read again: what was changed on the disk meanwhile is found."""


class Champions:
    """Reads champions, each now and then. One that cannot be read is ``refused`` and does not score."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._registry = Registry(service.data)
        self._read: dict[str, Champion] = {}
        self._looked_at: dict[str, float] = {}
        self.refused: dict[str, Diagnostic] = {}

    def now(self, names: Collection[str] | None = None, handed_in: bool = False) -> dict[str, Champion]:
        """The champions of the models in use, of some or of all, by name.

        Those whose scores are handed in say nothing themselves: they are among them with ``handed_in`` only.
        Whoever has to be asked elsewhere comes last, so that nobody else waits for the answer.
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
        for name in sorted(asked & numbers.keys(), key=lambda each: (self._is_elsewhere(each), each)):
            champion = self._champion(workspace, name, numbers[name])
            if champion is not None:
                found[name] = champion
        self._read = {name: each for name, each in self._read.items() if name in workspace.model_specs}
        return found

    def _champion(self, workspace: Workspace, name: str, number: int) -> Champion | None:
        spec, held = workspace.model_specs[name], self._read.get(name)
        if held is not None and held.number == number and held.spec is spec and not self._is_stale(name):
            return held
        self._read.pop(name, None)
        self._looked_at[name] = time.monotonic()
        try:
            version = self._registry.version(name, number)
            if version.kind not in KINDS:
                return None
            hold(version, spec)
            held = self._read[name] = Champion(spec, number, KINDS[version.kind].read(version.document))
        except SegueError as refused:
            self.refused[name] = refused.diagnostics[0]
            return None
        return held

    def _is_elsewhere(self, name: str) -> bool:
        return self._service.workspace.models[name].kind == Remote.word

    def _is_stale(self, name: str) -> bool:
        return time.monotonic() - self._looked_at[name] >= LOOK_SECONDS

"""Models trained again by their own schedule; what comes of it is judged like any other training."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from segue.domain.errors import SegueError
from segue.domain.time import HOUR
from segue.learned.registry import Registry
from segue.service.core import wall_ms
from segue.service.learning.training import train, trained_here

if TYPE_CHECKING:
    from segue.service.service import Service

_log = logging.getLogger("segue.learning")
AGAIN_MS = HOUR
"""After a training that gave no version: not before."""


class Retraining:
    """Called again and again, trains what is due by its ``schedule``, at once what has no version yet."""

    def __init__(self) -> None:
        self._tried_at: dict[str, int] = {}

    def __call__(self, service: Service) -> None:
        """Train the models that are due, one after another."""
        for name in trained_here(service.workspace):
            if self._is_due(service, name):
                self._tried_at[name] = wall_ms()
                self._train(service, name)

    def _is_due(self, service: Service, name: str) -> bool:
        every = service.workspace.models[name].schedule_ms
        now = wall_ms()
        if every is None or now - self._tried_at.get(name, 0) < min(AGAIN_MS, every):
            return False
        made_at = Registry(service.data).last_made(name)
        return made_at is None or now - made_at >= every

    def _train(self, service: Service, name: str) -> None:
        try:
            trained = train(service, name)
        except SegueError as refused:
            found = refused.diagnostics[0]
            _log.warning("the model %s was not trained again: %s %s", name, found.code, found.message)
            return
        stands = "is in force" if trained.promoted else "stands aside"
        _log.info("version %d of %s %s: %s", trained.version.number, name, stands, trained.why)

"""Looks at what comes in while a server runs, and logs what is wrong without naming anyone."""

from __future__ import annotations

import logging
import threading

from segue.domain.errors import SegueError
from segue.service.core import Core
from segue.service.quality.anomalies import anomalies
from segue.service.quality.balance import balance

_log = logging.getLogger("segue.quality")


class Watch:
    """A thread that looks every so often, first after one interval."""

    def __init__(self, core: Core, every_ms: int) -> None:
        self._core = core
        self._every = every_ms / 1_000
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="segue-quality")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a look that has begun is waited for."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            try:
                look(self._core)
            except SegueError as refused:
                _log.warning("the look at data quality failed: %s", refused.diagnostics[0].message)


def look(core: Core) -> None:
    """One look: a line for each anomaly, an error for an account that does not come out even."""
    for finding in balance(*core.log.quality()).findings:
        _log.error("%s %s", finding.code, finding.message)
    for found in anomalies(core):
        _log.warning("%s: %s", found.kind, found.text)

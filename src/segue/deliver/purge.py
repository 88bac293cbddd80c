"""Tells caches in front of the server what is stale, the moment that changes are stored.

Each cache has a thread of its own, so that one that is down delays neither the others nor the engine.
"""

from __future__ import annotations

import http.client
import logging
import threading
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from segue.deliver.pending import Pending
from segue.deliver.tags import EVERYTHING, Tags
from segue.domain.limits import PURGED_TAGS_A_REQUEST
from segue.log.changes import ChangeColumns
from segue.observe import metrics

TIMEOUT_SECONDS = 5.0
RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Pauses after the first, second, … failure in a row; the last one holds for all that follow."""

_log = logging.getLogger("segue.deliver")


class Cache:
    """One cache: where it is, what it must still hear, and the thread that tells it."""

    def __init__(self, address: str, method: str, tags: Tags) -> None:
        self.address = address
        self.pending = Pending(tags)
        self.failures = 0
        self._method = method
        parts = urlsplit(address)
        self._target = parts.path or "/"
        self._host = parts.netloc
        self._kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection: http.client.HTTPConnection | None = None
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="segue-purge", daemon=True)

    def start(self) -> None:
        """Everything from an earlier run is stale: who knows what changed meanwhile."""
        self.pending.put_everything()
        self._thread.start()

    def end(self) -> None:
        """One more attempt for what is left, then no more."""
        self._ending = True
        self.pending.close()

    def join(self) -> None:
        """Waits for the thread."""
        self._thread.join(2 * TIMEOUT_SECONDS)

    def _run(self) -> None:
        while (tags := self.pending.take()) is not None:
            if not all(map(self._purged, _parts(tags))):
                break
        self._disconnect()

    def _purged(self, tags: Sequence[str]) -> bool:
        """Tries until it succeeds; False when the server ends before."""
        while not self._sent(tags):
            metrics.PURGES.labels("failed").inc()
            self.failures += 1
            if self.failures == 1:
                _log.warning("the cache at %s does not take purges; it may serve what is stale", self.address)
            if self._ending:
                return False
            self.pending.pause(RETRY_SECONDS[min(self.failures, len(RETRY_SECONDS)) - 1])
        metrics.PURGES.labels("taken").inc()
        if self.failures:
            _log.warning("the cache at %s takes purges again", self.address)
            self.failures = 0
        return True

    def _sent(self, tags: Sequence[str]) -> bool:
        fresh = self._connection is None
        if self._connection is None:
            self._connection = self._kind(self._host, timeout=TIMEOUT_SECONDS)
        try:
            self._connection.request(self._method, self._target, headers={"Surrogate-Key": " ".join(tags)})
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self._disconnect()
            # A connection that lay idle may have been closed by the other side: that is no failure yet.
            return False if fresh else self._sent(tags)
        return 200 <= answer.status < 300

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _parts(tags: frozenset[str]) -> Iterator[Sequence[str]]:
    """As many tags as fit into a header, at a time."""
    if EVERYTHING in tags:
        yield (EVERYTHING,)
        return
    ordered = sorted(tags)
    for start in range(0, len(ordered), PURGED_TAGS_A_REQUEST):
        yield ordered[start : start + PURGED_TAGS_A_REQUEST]


class Purger:
    """All caches of a workspace. :meth:`changed` is a listener of the core."""

    def __init__(self, addresses: Sequence[str], method: str, tags: Tags) -> None:
        self.tags = tags
        self.caches = [Cache(each, method, tags) for each in addresses]

    def changed(self, columns: ChangeColumns) -> None:
        """Takes note of stored changes; never waits for a cache."""
        for cache in self.caches:
            cache.pending.put(columns)

    def everything(self) -> None:
        """Takes note that nothing may be held any more: somebody's rights have changed."""
        for cache in self.caches:
            cache.pending.put_everything()

    def start(self) -> None:
        """Begin."""
        for cache in self.caches:
            cache.start()

    def close(self) -> None:
        """Tell what is left if that is quick, and end."""
        for cache in self.caches:
            cache.end()
        for cache in self.caches:
            cache.join()

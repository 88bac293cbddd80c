"""Caches in front of a server hear of changes for as long as it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from segue.api.caching import Caching
from segue.api.doors import Doors
from segue.deliver.purge import Purger
from segue.deliver.tags import Tags
from segue.domain.time import SECOND
from segue.service.service import Service


@contextmanager
def purging(service: Service, doors: Doors) -> Iterator[None]:
    """With ``caches`` in the settings, answers may be held and each change is told; else nothing is done.

    Close the service within the block: the changes that it makes then are told as well.
    """
    settings = service.workspace.settings
    if not settings.caches:
        yield
        return
    purger = Purger(settings.caches, settings.cache_method, Tags())
    service.core.change_listeners.append(purger.changed)
    service.access.listeners.append(purger.everything)
    purger.start()
    doors.caching = Caching(purger.tags, max(1, settings.cache_time_ms // SECOND))
    try:
        yield
    finally:
        purger.close()

"""Firings go out for as long as a server runs: a dispatcher, and a queue for each destination."""

from __future__ import annotations

import os
from contextlib import ExitStack

from segue.api.stream.fired import Firings
from segue.api.stream.streams import Streams
from segue.deliver.dispatch import Dispatcher
from segue.deliver.outbox import Outbox, shared
from segue.deliver.queues.queues import Queues
from segue.deliver.sinks.kinds import Means, sink_of
from segue.deliver.sinks.sink import Sink
from segue.segments.destinations.definition import DestinationDefinition
from segue.service.service import Service


class Delivering:
    """Of one service. It reads the log: close it before the service."""

    def __init__(self, service: Service, streams: Streams) -> None:
        """Open the outbox; E602, E603 or E604."""
        self._service = service
        self._open = ExitStack()
        self.outbox: Outbox = self._open.enter_context(shared(service.data))
        self._queues = Queues(self.outbox, lambda: service.workspace.destinations, self._sink)
        self._dispatcher = Dispatcher(service, self.outbox)
        self._dispatcher.streamed.append(streams.fired)
        streams.firings = Firings(service.core, self.outbox)

    def start(self) -> None:
        """Send what is left from before, and from now on what comes."""
        self._service.core.forget_listeners.append(self._queues.forget)
        self._queues.start()
        self._dispatcher.start()

    def close(self) -> None:
        """Decide on what has fired, and end; what was not sent waits for the next start."""
        self._dispatcher.close()
        self._queues.close()
        self._service.core.forget_listeners.remove(self._queues.forget)
        self._open.close()

    def _sink(self, definition: DestinationDefinition) -> Sink:
        settings = self._service.workspace.settings
        return sink_of(definition, Means(os.environ, self._service.data, settings.private_targets))

"""A steady flow of messages into an outbox, and what a receiver must have of it in the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from segue.deliver.outbox import Delivery, Outbox, State, Wanted
from segue.deliver.queues.queue import MakeSink
from segue.deliver.queues.queues import Queues
from segue.deliver.sinks.kinds import Means, sink_of
from segue.segments.destinations.definition import DestinationDefinition
from tests.deliver.sinks.ends import SECRETS, Came, local

USERS = 20


def delivery(number: int, destination: str, row: int | None = None) -> Delivery:
    """One that is pending; users take turns unless one is named by the row."""
    row = number % USERS if row is None else row
    return Delivery(
        f"id-{number}", "greet", destination, row, f"user-{row}", 1_000 + number, 1_000 + number,
        State.PENDING, body=b'{"n":%d,"user":"user-%d"}' % (number, row),
    )  # fmt: skip


def means(folder: Path) -> Means:
    """With the secrets of the tests, and the loopback open."""
    return Means(SECRETS, folder, local())


@contextmanager
def sending(
    outbox: Outbox, destinations: Mapping[str, DestinationDefinition], make: MakeSink
) -> Iterator[Queues]:
    """The queues of some destinations, running."""
    queues = Queues(outbox, lambda: destinations, make)
    queues.start()
    try:
        yield queues
    finally:
        queues.close()


def maker(folder: Path) -> MakeSink:
    """Makes real sinks."""
    return lambda definition: sink_of(definition, means(folder))


@dataclass
class Flow:
    """Puts messages for one destination into an outbox, a few at a time, until it is stopped."""

    outbox: Outbox
    destination: str
    a_second: int = 100
    count: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            wanted = int((time.monotonic() - self._began) * self.a_second)
            self.outbox.put([delivery(at, self.destination) for at in range(self.count, wanted)])
            self.count = max(wanted, self.count)

    def has_put(self, more: int) -> None:
        """Until so many more were put in."""
        until = self.count + more
        wait_until(lambda: self.count >= until)


def wait_until(holds: Callable[[], bool]) -> None:
    """Until something holds; whoever waits for what never comes is ended by the tests' own bound."""
    while not holds():
        time.sleep(0.01)


def standing(outbox: Outbox, destination: str, state: State) -> int:
    """How many deliveries of a destination stand so."""
    return outbox.counts().get((destination, state), 0)


def all_settled(outbox: Outbox, destination: str) -> None:
    """Until nothing is pending."""
    wait_until(lambda: not standing(outbox, destination, State.PENDING))


def ids_by_user(outbox: Outbox, destination: str) -> dict[str, list[str]]:
    """What should have come, in the order in which it was put in."""
    found: dict[str, list[str]] = {}
    for each in reversed(outbox.deliveries(Wanted(destination=destination), limit=1_000_000)):
        found.setdefault(each.user_id, []).append(each.id)
    return found


def firsts(came: list[Came]) -> dict[str, list[str]]:
    """The ids of each user in the order in which each came first."""
    found: dict[str, dict[str, None]] = {}
    for each in came:
        found.setdefault(each.key, {}).setdefault(each.id)
    return {key: [*ids] for key, ids in found.items()}


def renamed(definition: DestinationDefinition, name: str) -> DestinationDefinition:
    """The same under another name."""
    return replace(definition, name=name)

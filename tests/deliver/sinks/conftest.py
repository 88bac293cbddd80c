"""One broker of each kind for all tests of a process, started when the first asks for it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from segue.deliver.sinks.sink import Sink
from tests.deliver.sinks.brokers import Broker
from tests.deliver.sinks.ends import SERVERS, End, end_of, made

_names = itertools.count()


@pytest.fixture(scope="session")
def server_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Broker | None]]:
    """Gives the running broker of a kind; None for kinds that need none."""
    running: dict[str, Broker] = {}

    def found(kind: str) -> Broker | None:
        if kind in SERVERS and kind not in running:
            running[kind] = SERVERS[kind](tmp_path_factory.mktemp(kind))
            running[kind].start()
        return running.get(kind)

    yield found
    for broker in running.values():
        broker.end()


@pytest.fixture
def end_for(server_of: Callable[[str], Broker | None], tmp_path: Path) -> Iterator[Callable[[str], End]]:
    """Gives a fresh destination of a kind, with its receiver."""
    with ExitStack() as stack:

        def found(kind: str) -> End:
            name = f"test{next(_names)}"
            return stack.enter_context(end_of(kind, server_of(kind), tmp_path, name))

        yield found


@pytest.fixture
def sinks(tmp_path: Path) -> Iterator[Callable[[End], Sink]]:
    """Gives a sink to a destination; it is closed after the test."""
    with ExitStack() as stack:

        def found(end: End) -> Sink:
            return stack.enter_context(closing(made(end, tmp_path)))

        yield found

"""A server in a thread of its own, for as long as somebody plays to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segue.runners.serve import Started, serve


@contextmanager
def serving(folder: Path, data: Path, port: int) -> Iterator[str]:
    """The URL of a server that takes its time from the events; it has ended when the block has.

    Errors: those of :func:`segue.runners.serve.serve`.
    """
    stage = _Stage(folder, data, port)
    thread = threading.Thread(target=stage.run, name="segue-demo-server")
    thread.start()
    try:
        yield stage.url()
    finally:
        stage.end()
        thread.join()


class _Stage:
    def __init__(self, folder: Path, data: Path, port: int) -> None:
        self._folder = folder
        self._data = data
        self._port = port
        self._settled = threading.Event()
        self._turn = threading.Lock()
        self._ending = False
        self._started: Started | None = None
        self._fault: BaseException | None = None

    def run(self) -> None:
        """Serves until told to end."""
        try:
            serve(self._folder, self._data, port=self._port, clock="log", ready=self._ready)
        except BaseException as fault:  # noqa: BLE001 # whoever waits for the server must hear of it
            self._fault = fault
        finally:
            self._settled.set()

    def _ready(self, started: Started) -> None:
        with self._turn:
            self._started = started
            if self._ending:
                started.stop()
        self._settled.set()

    def url(self) -> str:
        """Waits for the server; raises what kept it from starting."""
        self._settled.wait()
        if self._started is None:
            assert self._fault is not None, "it ends after its start, or by a fault"
            raise self._fault
        return self._started.url

    def end(self) -> None:
        """Ends the server, also one that is still starting."""
        with self._turn:
            self._ending = True
            if self._started is not None:
                self._started.stop()

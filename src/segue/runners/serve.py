"""``segue serve``: one process that takes events in, keeps segments true and answers who is in them."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn
import uvloop

from segue.api.access import is_loopback
from segue.api.app import App
from segue.api.doors import Doors
from segue.domain.errors import SegueError
from segue.domain.limits import SHUTDOWN_SECONDS_MAX, STREAM_MESSAGE_BYTES_MAX
from segue.engine.warm import ready
from segue.runners.delivering import Delivering
from segue.runners.listening import allow_connections, is_handed, listening, start_anew
from segue.runners.protocols import Http, WebSocket
from segue.runners.purging import purging
from segue.segments.workspace import load_workspace
from segue.service.commands.control import SERVER_FILE
from segue.service.learning.retraining import Retraining
from segue.service.learning.scheduling import Learner
from segue.service.quality.watch import Watch
from segue.service.service import Service


@dataclass(frozen=True, slots=True)
class Started:
    """A server that takes posts. ``stop`` ends it as a signal does; any thread may call it, also too late."""

    url: str
    stop: Callable[[], None]


Ready = Callable[[Started], None]

_KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep an idle connection, so that they never post into one that is closing."""
_PING_SECONDS = 30
"""A WebSocket whose client does not answer within it is closed: it is half open."""


def serve(
    workspace: Path,
    data: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    clock: str = "wall",
    ready: Ready | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT; port 0 is any free one. SIGHUP starts the program anew.

    Once posts are taken, ``ready`` is told; without it, the addresses are printed. Whoever connects
    before that is answered 503, or waits if the socket was handed over. SegueError E751 when the
    address cannot be listened on, and what :meth:`Service.open` raises.
    """
    handed = is_handed()
    allow_connections()
    with listening(host, port) as listener:
        server = Running(listener, host, workspace, data, clock)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.run_handed(ready) if handed else server.run(ready))
        if server.anew:
            start_anew(listener)


class Running:
    """A server from its socket to its last answer."""

    def __init__(self, listener: socket.socket, host: str, workspace: Path, data: Path, clock: str) -> None:
        self._listener = listener
        self._host = host
        self._url = url_of(host, listener.getsockname()[1])
        self._workspace = workspace
        self._data = data
        self._clock = clock
        self._doors = Doors(secrets.token_urlsafe(32))
        self._server = _Server(_config(App(self._doors)))
        self._doors.connections = lambda: len(self._server.server_state.connections)
        self.anew = False
        self._begun = ExitStack()

    async def run(self, ready: Ready | None) -> None:
        """Opens the service beside the open door, answers until it is told to end, and closes all."""
        with self._signals():
            answering = self._answering()
            try:
                service = await asyncio.to_thread(self._opened)
            except BaseException:
                self._server.should_exit = True
                await answering
                raise
            with purging(service, self._doors):
                await self._answer(answering, service, ready)

    async def run_handed(self, ready: Ready | None) -> None:
        """The same, with a door that stays shut until the service is open: who knocks waits there."""
        with self._signals():
            service = await asyncio.to_thread(self._opened)
            with purging(service, self._doors):
                await self._answer(None, service, ready)

    def _answering(self) -> asyncio.Task[None]:
        """Uvicorn closes the socket that it is given; ours stays, for a start anew."""
        return asyncio.create_task(self._server.serve([self._listener.dup()]))

    async def _answer(
        self, answering: asyncio.Task[None] | None, service: Service, ready: Ready | None
    ) -> None:
        server = self._server
        try:
            with _server_file(self._data, self._url, self._doors.token):
                self._doors.open(service)
                answering = answering or self._answering()
                if not server.should_exit:
                    self._tell(ready)
                await answering
        finally:
            server.should_exit = True
            if answering is not None:
                await answering
            await asyncio.to_thread(self._close)

    def _opened(self) -> Service:
        """The service and what runs beside it; when one of them cannot begin, those before it are ended."""
        ready(lambda said: print(said, file=sys.stderr))
        with ExitStack() as begun:
            service = Service.open(self._workspace, self._data, running="segue serve", clock=self._clock)
            begun.callback(service.close)
            service.start()
            delivering = Delivering(service, self._doors.streams)
            self._doors.outbox = delivering.outbox
            delivering.start()
            begun.callback(delivering.close)
            learner = Learner(service, Retraining())
            learner.start()
            begun.callback(learner.stop)
            watch = Watch(service.core, service.workspace.settings.quality_interval_ms)
            watch.start()
            begun.callback(watch.stop)
            self._begun = begun.pop_all()
        return service

    def _close(self) -> None:
        self._doors.close()
        self._begun.close()

    def _stop(self) -> None:
        """The first signal lets requests end; the second does not wait for them."""
        self.anew = False
        self._doors.stop()
        self._listener.close()
        self._server.force_exit = self._server.should_exit
        self._server.should_exit = True

    def _restart(self) -> None:
        """Ends with every request answered, also those that come in this moment; then starts anew.

        Not with a workspace that would not load: the one in force goes on.
        """
        try:
            load_workspace(self._workspace)
        except SegueError as error:
            print(f"not started anew, the workspace has findings:\n{error}", file=sys.stderr, flush=True)
            return
        self.anew = True
        self._doors.streams.stop()
        self._server.should_exit = True

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM, SIGINT and SIGHUP are ours; in a thread that cannot have signals, nobody's."""
        loop = asyncio.get_running_loop()
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        calls = {signal.SIGTERM: self._stop, signal.SIGINT: self._stop, signal.SIGHUP: self._restart}
        for each, call in calls.items():
            loop.add_signal_handler(each, call)
        try:
            yield
        finally:
            for each in calls:
                loop.remove_signal_handler(each)

    def _tell(self, ready: Ready | None) -> None:
        if ready is None:
            self._greet()
            return
        loop = asyncio.get_running_loop()

        def stop() -> None:
            with suppress(RuntimeError):  # the loop has ended, and the server with it
                loop.call_soon_threadsafe(self._stop)

        ready(Started(self._url, stop))

    def _greet(self) -> None:
        if not is_loopback(self._host) and self._doors.access.unlocked:
            print(
                f"warning: {self._host} is open to other machines and there are no keys yet: "
                "they are refused until one is made (segue keys create --name NAME --kind write)",
                file=sys.stderr,
            )
        print(f"events in   POST {self._url}/v1/batch")
        print(f"segments    GET  {self._url}/v1/users/ID/segments")
        print(f"routes           {self._url}/docs", flush=True)


class _Server(uvicorn.Server):
    """uvicorn, with its signals left to us: it would end the process before the service is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Http,
        ws=WebSocket,
        ws_per_message_deflate=False,
        ws_max_size=STREAM_MESSAGE_BYTES_MAX,
        ws_ping_interval=_PING_SECONDS,
        ws_ping_timeout=_PING_SECONDS,
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
    )


def url_of(host: str, port: int) -> str:
    """Where a server that listens on a host is reached from this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


@contextmanager
def _server_file(data: Path, url: str, token: str) -> Iterator[None]:
    """Tells commands beside the server how to reach it, while it runs; readable by its owner alone."""
    path = data / SERVER_FILE
    fresh = path.with_name(f"{SERVER_FILE}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"url": url, "token": token, "pid": os.getpid()}, file)
    fresh.replace(path)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            path.unlink()

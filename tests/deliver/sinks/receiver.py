"""An HTTP receiver for webhooks that does what a test tells it: answer, wait, break off, redirect."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message as Head
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Got:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Reply:
    """What is answered: a status with headers and a body, after a while."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    wait: float = 0.0
    reset: bool = False


Decide = Callable[[Got], Reply]


class Receiver:
    """Listens on a port of its own, also after it was stopped and started again."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.taken: list[Got] = []
        """Those that were answered with 2xx."""
        self.decide: Decide = lambda _: Reply()
        self.connections = 0
        self._going = threading.Event()
        self._going.set()
        self._open: set[socket.socket] = set()
        with socket.create_server((LOOPBACK, 0)) as listener:
            self.port: int = listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/hook"

    def start(self) -> None:
        """Listen."""
        self._server = _Server((LOOPBACK, self.port), _Handler)
        self._server.receiver = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Be gone, connections too."""
        self._server.shutdown()
        self._server.server_close()
        for link in [*self._open]:
            self._cut(link)
        self._thread.join()

    def pause(self) -> None:
        """Take requests and say nothing."""
        self._going.clear()

    def resume(self) -> None:
        """Go on with what came meanwhile."""
        self._going.set()

    def wait(self) -> None:
        """Until nobody holds it up."""
        self._going.wait()

    def keep(self, link: socket.socket) -> None:
        """A connection was opened."""
        self.connections += 1
        self._open.add(link)

    def forget(self, link: socket.socket) -> None:
        """It was closed."""
        self._open.discard(link)

    def _cut(self, link: socket.socket) -> None:
        try:
            link.shutdown(socket.SHUT_RDWR)
        except OSError:
            self._open.discard(link)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that a test cut is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        cast("_Server", self.server).receiver.keep(self.connection)

    def finish(self) -> None:
        cast("_Server", self.server).receiver.forget(self.connection)
        super().finish()

    def do_POST(self) -> None:
        receiver = cast("_Server", self.server).receiver
        head: Head = self.headers
        body = self.rfile.read(int(head["content-length"]))
        got = Got(self.path, {name.lower(): value for name, value in head.items()}, body, time.monotonic())
        receiver.wait()
        receiver.got.append(got)
        reply = receiver.decide(got)
        time.sleep(reply.wait)
        if reply.reset:
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
            self.connection.close()
            self.close_connection = True
            return
        if 200 <= reply.status < 300:
            receiver.taken.append(got)
        self.send_response_only(reply.status)
        for name, value in ({"Content-Length": str(len(reply.body))} | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

"""What stands between a page and the server: it can refuse a way of listening, hold answers, or be gone."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

SOCKET, EVENTS, OTHER = "WebSocket", "server-sent events", "request"
_HEAD_END = b"\r\n\r\n"
_KEPT = re.compile(rb"\r\nconnection:[^\r]*", re.IGNORECASE)
_UPGRADE = re.compile(rb"\r\nupgrade: *websocket", re.IGNORECASE)
_REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class Gate:
    """Who gets through, and who came. Changes hold for connections that come after them."""

    upstream: tuple[str, int]
    url: str = ""
    refused: frozenset[str] = frozenset()
    """Kinds of requests that are answered 403."""
    away: bool = False
    """Everyone is sent away without an answer."""
    silent: bool = False
    """Nobody is sent away, and nobody is answered."""
    held: tuple[str, threading.Event] | None = None
    """Requests whose path begins so wait for the event."""
    came: list[tuple[str, str]] = field(default_factory=list)
    """(kind, method and path) of every request, in order."""
    _open: set[socket.socket] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cut(self) -> None:
        """Ends all connections there are."""
        with self._lock:
            ends = list(self._open)
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def count(self, kind: str, start: str = "") -> int:
        """How many requests of a kind came, to a path that begins so."""
        return sum(each == kind and said.split(" ")[1].startswith(start) for each, said in self.came)

    def serve(self, client: socket.socket) -> None:
        """One connection: one request, or one WebSocket."""
        with client:
            self._known(client)
            try:
                self._pass(client)
            except OSError:
                pass  # either side has left
            finally:
                self._open.discard(client)

    def _known(self, end: socket.socket) -> None:
        with self._lock:
            self._open.add(end)

    def _pass(self, client: socket.socket) -> None:
        if self.away:
            return
        head = _until(client, _HEAD_END)
        if not head:
            return
        said = b" ".join(head.split(b" ", 2)[:2]).decode()
        kind = SOCKET if _UPGRADE.search(head) else EVENTS if "/v1/stream" in said else OTHER
        self.came.append((kind, said))
        if self.silent:
            while client.recv(4096):
                pass
            return
        if kind in self.refused:
            client.sendall(_REFUSED)
            return
        if self.held is not None and said.split(" ")[1].startswith(self.held[0]):
            self.held[1].wait()
        if kind != SOCKET:
            head = _KEPT.sub(b"", head).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        with socket.create_connection(self.upstream) as server:
            self._known(server)
            server.sendall(head)
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()
            self._open.discard(server)


def _until(end: socket.socket, mark: bytes) -> bytes:
    found = b""
    while mark not in found:
        more = end.recv(65536)
        if not more:
            return b""
        found += more
    return found


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while more := source.recv(65536):
            target.sendall(more)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def opened(host: str, port: int) -> Iterator[Gate]:
    """A gate before a server on this machine."""
    gate = Gate((host, port))
    with socket.create_server(("127.0.0.1", 0), backlog=128) as door:
        gate.url = f"http://127.0.0.1:{door.getsockname()[1]}"

        def welcome() -> None:
            with suppress(OSError):
                while True:
                    client, _ = door.accept()
                    threading.Thread(target=gate.serve, args=(client,), daemon=True).start()

        thread = threading.Thread(target=welcome, daemon=True)
        thread.start()
        try:
            yield gate
        finally:
            door.shutdown(socket.SHUT_RDWR)
            if gate.held is not None:
                gate.held[1].set()
            gate.cut()
            thread.join()

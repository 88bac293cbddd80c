"""A proxy that loses acknowledgements: the server has stored the events, and the client never hears of it."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Losing:
    """One request a connection; of some the answer is thrown away and the connection reset."""

    def __init__(self, port: int, lots: random.Random, share: float) -> None:
        self._server = port
        self._lots = lots
        self._share = share
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.lost = 0
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        """Take no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._hand_on, args=(client,), daemon=True).start()

    def _hand_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._server)) as server:
            server.sendall(_message(client))
            answer = _message(server)
            if self._lots.random() < self._share:
                self.lost += 1
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            else:
                client.sendall(answer)


def _message(source: socket.socket) -> bytes:
    """One message of HTTP, whose head says how long its body is."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += source.recv(65_536)
    head, _, body = found.partition(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < size:
        piece = source.recv(65_536)
        found, body = found + piece, body + piece
    return found


@contextmanager
def losing(port: int, lots: random.Random, share: float = 0.2) -> Iterator[Losing]:
    """A proxy in front of a server's port, closed with the block."""
    proxy = Losing(port, lots, share)
    try:
        yield proxy
    finally:
        proxy.close()

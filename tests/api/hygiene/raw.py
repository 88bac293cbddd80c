"""Requests byte by byte, as no client library would send them."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Said:
    """What a server wrote on one connection, and whether it closed it."""

    text: bytes
    closed: bool

    @property
    def statuses(self) -> list[int]:
        """The statuses of all answers, in order."""
        return [int(part[:3]) for part in self.text.split(b"HTTP/1.1 ")[1:]]

    @property
    def heads(self) -> bytes:
        """The header lines of all answers, in small letters."""
        return b"\n".join(
            part.partition(b"\r\n\r\n")[0] for part in self.text.split(b"HTTP/1.1 ")[1:]
        ).lower()


def say(url: str, *pieces: bytes, wait: float = 1.0) -> Said:
    """Sends the pieces one after the other, and hears all that comes within a moment of silence."""
    parts = urlsplit(url)
    found = b""
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=60) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.settimeout(wait)
        try:
            while more := connection.recv(65_536):
                found += more
        except TimeoutError:
            return Said(found, closed=False)
        except ConnectionResetError:
            pass
    return Said(found, closed=True)

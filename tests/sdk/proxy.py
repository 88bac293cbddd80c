"""A proxy on loopback that does to requests what networks do: it cuts, delays and refuses them.

Only posts of events suffer; everything else passes. It keeps a record of what became of each event, by the
number ``n`` that the drivers write into its properties.
"""

from __future__ import annotations

import gzip
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

IDENTIFY = -1
"""Stands among the numbers of events for the one that has none."""
_NUMBER = re.compile(rb'"n":\s*(\d+)')
_IDENTIFY = re.compile(rb'"type":\s*"identify"')
_EVENTS = re.compile(r"/(?:beacon/)?v1/(?!m\b)\w+/?(?:\?.*)?")
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "expect"}
_CORS = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", "Retry-After"))

PASS, CUT, RESET, BUSY, SLOW, REFUSE = "pass", "cut", "reset", "busy", "slow", "refuse"
ANSWERED = {PASS, SLOW, REFUSE}
"""Fates after which a client does not send the same events again."""

Fate = Callable[["Post"], str]
Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Post:
    """A request with events: its JSON text, their numbers, and how many other batches came before it."""

    text: bytes
    numbers: tuple[int, ...]
    order: int
    again: bool
    """Whether some of its events were in an earlier request."""


def first_time(*fates: str) -> Fate:
    """Each batch meets the next of these fates, and passes when it is sent again."""
    return lambda post: PASS if post.again else fates[post.order % len(fates)]


@dataclass
class Weather:
    """What happens to posts, and what has happened."""

    fate: Fate = field(default=lambda _: PASS)
    change: Change | None = None
    """Changes the text of a body on its way."""
    slow_seconds: float = 0.5
    record: list[tuple[str, Post]] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def judge(self, text: bytes) -> tuple[str, Post]:
        numbers = (*map(int, _NUMBER.findall(text)), *(IDENTIFY for _ in _IDENTIFY.findall(text)))
        with self.lock:
            seen = {number for _, post in self.record for number in post.numbers}
            firsts = sum(not post.again for _, post in self.record)
            post = Post(text, numbers, firsts, not seen.isdisjoint(numbers))
            fate = self.fate(post)
            self.record.append((fate, post))
        return fate, post

    def met(self, fate: str) -> int:
        """How many requests met a fate."""
        return sum(each == fate for each, _ in self.record)

    @property
    def answered(self) -> set[int]:
        """The events that their sender was told of, one way or the other."""
        return {number for fate, post in self.record if fate in ANSWERED for number in post.numbers}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: str
    weather: Weather
    client: httpx.Client

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name it overrides
        """Says nothing."""

    def do_GET(self) -> None:
        self._pass(self._body())

    def do_OPTIONS(self) -> None:
        self._pass(self._body())

    def do_POST(self) -> None:
        body = self._body()
        if not _EVENTS.fullmatch(self.path):
            self._pass(body)
            return
        packed = body[:2] == b"\x1f\x8b"
        text = gzip.decompress(body) if packed else body
        self.weather.paths.add(self.path.partition("?")[0])
        fate, _ = self.weather.judge(text)
        if self.weather.change is not None:
            text = self.weather.change(text)
            body = gzip.compress(text) if packed else text
        getattr(self, "_" + fate)(body)

    def _pass(self, body: bytes) -> None:
        self._answer(self._forwarded(body))

    def _cut(self, body: bytes) -> None:
        """The server has stored it; nobody is told."""
        self._forwarded(body)
        self._reset(body)

    def _reset(self, body: bytes) -> None:
        del body
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _slow(self, body: bytes) -> None:
        found = self._forwarded(body)
        time.sleep(self.weather.slow_seconds)
        self._answer(found)

    def _busy(self, body: bytes) -> None:
        del body
        self._say(503, '{"success":false,"code":"E749","message":"busy"}', (("Retry-After", "1"),))

    def _refuse(self, body: bytes) -> None:
        del body
        self._say(400, '{"success":false,"code":"E501","message":"refused"}')

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _forwarded(self, body: bytes) -> httpx.Response:
        headers = [(name, value) for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP]
        return self.client.request(self.command, self.upstream + self.path, headers=headers, content=body)

    def _answer(self, found: httpx.Response) -> None:
        headers = [pair for pair in found.headers.multi_items() if pair[0].lower() not in _HOP_BY_HOP]
        self._send(found.status_code, found.content, headers)

    def _say(self, status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self._send(status, text.encode(), [("Content-Type", "application/problem+json"), *_CORS, *headers])

    def _send(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        with suppress(ConnectionError):  # a client that no longer waits
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that was cut is what this is about."""


@contextmanager
def proxy(upstream: str, weather: Weather) -> Iterator[str]:
    """The address of a proxy before a server."""
    with httpx.Client(timeout=None) as client:
        handler = type("_Bound", (_Handler,), {"upstream": upstream, "weather": weather, "client": client})
        server = _Server(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

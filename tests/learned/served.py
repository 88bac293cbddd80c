"""A real HTTP server that a model is served by, and that misbehaves when told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from segue.domain.event import Json

Answer = Callable[[Json], tuple[int, Json]]
"""From the body of a request to a status and a body: JSON, or bytes as they are."""


@dataclass
class Served:
    """Where it listens, and what it was asked."""

    url: str
    asked: list[Json] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


def summing(asked: Json) -> tuple[int, Json]:
    """A model that adds up what it is given; missing with anything missing."""
    rows = asked["rows"]
    return 200, {"scores": [None if None in row else sum(row) for row in rows]}


@contextmanager
def serving(answer: Answer, slow_seconds: float = 0.0, location: str | None = None) -> Iterator[Served]:
    """A server on a free port; ``slow_seconds`` pass between the pieces of each answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            served.asked.append(body)
            served.headers.append(dict(self.headers))
            status, said = answer(body)
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            if location is not None:
                self.send_header("Location", location)
            self.end_headers()
            for start in range(0, len(data), max(1, len(data) // 8)):
                time.sleep(slow_seconds)
                try:
                    self.wfile.write(data[start : start + max(1, len(data) // 8)])
                except OSError:
                    return

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Served(f"http://127.0.0.1:{server.server_port}/score")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

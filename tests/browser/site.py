"""The site whose pages are tracked: another origin than Segue's, as in life."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_FRAME = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>{}</title>{}'


@dataclass
class Site:
    """Pages by path; the one at ``/`` stands in for all others, as in an app of one page."""

    port: int = 0
    pages: dict[str, str] = field(default_factory=dict)

    def put(self, body: str, path: str = "/", title: str = "Shop") -> None:
        """Writes a page."""
        self.pages[path] = _FRAME.format(title, body)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """Where a page is."""
        return f"http://{host}:{self.port}{path}"


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name it overrides
        """Says nothing."""

    def do_GET(self) -> None:
        body = self.site.pages.get(self.path.partition("?")[0], self.site.pages["/"]).encode()
        self.send_response_only(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A tab that was closed is what this is about."""


@contextmanager
def opened() -> Iterator[Site]:
    """A site on loopback, without pages yet."""
    site = Site()
    server = _Server(("127.0.0.1", 0), type("_Bound", (_Handler,), {"site": site}))
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

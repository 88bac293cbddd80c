"""The example shop's own web server: its pages, who is signed in, and the tokens by which they read.

A site that uses the personalizer needs a server of its own for one thing: it knows who is signed in, so it
asks Segue for a token that opens that user alone, and hands it to the page.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.parse import unquote, urlsplit

from segue.domain.event import Json

PORT = 8080
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".jsonl": "application/x-ndjson",
}
_VISITOR = re.compile(r"[0-9A-Za-z_-]{16,64}")
"""An anonymous id is its own proof, so it must be one that nobody guesses."""
_COOKIE = "shop_session"
_BODY_BYTES_MAX = 4_096
_TRY_SECONDS = 10


@dataclass
class Shop:
    """The pages of a folder. ``segue`` is the server's address, ``key`` an admin key once it has keys.

    Where a page has ``{{segue}}`` or ``{{key}}``, that address and the write key stand in what is sent.
    """

    folder: Path
    segue: str = ""
    key: str | None = None
    write_key: str = "shop"
    signed_in: dict[str, str] = field(default_factory=dict)
    """Users by their session."""

    def page(self, path: str) -> tuple[str, bytes] | None:
        """The type and the content of a file of the folder; None for anything else."""
        folder = self.folder.resolve()
        file = (folder / (path.lstrip("/") or "index.html")).resolve()
        if not (file.is_relative_to(folder) and file.is_file() and file.suffix in _TYPES):
            return None
        body = file.read_bytes()
        for name, value in (("segue", self.segue), ("key", self.write_key)):
            body = body.replace(b"{{%s}}" % name.encode(), value.encode())
        return _TYPES[file.suffix], body

    def token(self, user_id: str) -> Json:
        """What Segue answers when it is asked for a token."""
        request = urllib.request.Request(
            f"{self.segue}/v1/tokens",
            json.dumps({"user_id": user_id}).encode(),
            {"Content-Type": "application/json", **self._credential()},
        )
        with urllib.request.urlopen(request, timeout=_TRY_SECONDS) as answer:
            return json.load(answer)

    def _credential(self) -> dict[str, str]:
        return {} if self.key is None else {"Authorization": f"Bearer {self.key}"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    shop: Shop

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name it overrides
        """Says nothing."""

    def do_GET(self) -> None:
        found = self.shop.page(unquote(urlsplit(self.path).path))
        if found is None:
            self._say(404, {"error": "there is no such page"})
        else:
            self._send(200, *found)

    def do_POST(self) -> None:
        paths = {"/token": self._token, "/sign-in": self._sign_in, "/sign-out": self._sign_out}
        size = self.headers.get("Content-Length", "")
        if not (size.isdigit() and int(size) <= _BODY_BYTES_MAX):
            self.close_connection = True
            self._say(413, {"error": "too much"})
            return
        try:
            asked = json.loads(self.rfile.read(int(size)) or b"{}")
        except ValueError:
            asked = None
        act = paths.get(urlsplit(self.path).path)
        if act is None or not isinstance(asked, dict):
            self._say(400 if act else 404, {"error": "send JSON to /token, /sign-in or /sign-out"})
            return
        act(asked)

    def _token(self, asked: dict[str, Json]) -> None:
        """For the user of the session, whatever the page says; without one, for the visitor it names."""
        user_id = self.shop.signed_in.get(self._session())
        visitor = asked.get("anonymous_id")
        if user_id is None and not (isinstance(visitor, str) and _VISITOR.fullmatch(visitor)):
            self._say(400, {"error": "anonymous_id is missing"})
            return
        try:
            self._say(200, self.shop.token(user_id or f"anon:{visitor}"))
        except (URLError, OSError, ValueError):
            self._say(503, {"error": "no token can be had now"})

    def _sign_in(self, asked: dict[str, Json]) -> None:
        """Here a shop of real life looks at a password."""
        user = asked.get("user")
        if not (isinstance(user, str) and user.strip()):
            self._say(400, {"error": "user is missing"})
            return
        session = secrets.token_urlsafe(24)
        self.shop.signed_in[session] = user.strip()
        self._say(200, {"user": user.strip()}, f"{_COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax")

    def _sign_out(self, asked: dict[str, Json]) -> None:  # noqa: ARG002 -- all acts take the same
        self.shop.signed_in.pop(self._session(), None)
        self._say(200, {}, f"{_COOKIE}=; Path=/; Max-Age=0")

    def _session(self) -> str:
        found = SimpleCookie(self.headers.get("Cookie", "")).get(_COOKIE)
        return "" if found is None else found.value

    def _say(self, status: int, content: Json, cookie: str | None = None) -> None:
        self._send(status, "application/json", json.dumps(content).encode(), cookie)

    def _send(self, status: int, kind: str, body: bytes, cookie: str | None = None) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if cookie is not None:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that has gone is what this is about."""


@contextmanager
def opened(shop: Shop, port: int = 0) -> Iterator[str]:
    """The address of the shop, while the block lasts; at any free port when this one is taken."""
    handler = type("_Bound", (_Handler,), {"shop": shop})
    try:
        server = _Server(("127.0.0.1", port), handler)
    except OSError:
        server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

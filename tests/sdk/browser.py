"""A headless Chromium on a page of this machine, with no way to any other."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

PAGES = Path(__file__).parent / "pages"
NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--mute-audio",
)


@dataclass
class Visit:
    """An open page: every address outside its own that it has loaded."""

    loaded: set[str] = field(default_factory=set)


class _Pages(BaseHTTPRequestHandler):
    files: dict[str, Path]
    visit: Visit

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name it overrides
        """Says nothing."""

    def do_GET(self) -> None:
        file = self.files.get(self.path)
        self.send_response_only(404 if file is None else 200)
        kind = "text/javascript" if self.path.endswith(".js") else "text/html"
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.end_headers()
        if file is not None:
            self.wfile.write(file.read_bytes())

    def do_POST(self) -> None:
        self.visit.loaded.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response_only(204)
        self.end_headers()


@contextmanager
def visiting(page: str, wanted: dict[str, Any], scripts: dict[str, Path]) -> Iterator[Visit]:
    """Opens a page that is told what to send after its ``#``, and closes it at the end of the block."""
    visit = Visit()
    files = {f"/{path.name}": path for path in PAGES.iterdir()} | scripts
    handler = type("_Bound", (_Pages,), {"files": files, "visit": visit})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/{page}#{quote(json.dumps(wanted))}"
        with launched(url):
            yield visit
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def launched(*more: str, near: str = "") -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A browser that reaches this machine alone, under one more name if ``near`` says so, and its profile."""
    program = next(found for name in NAMES if (found := shutil.which(name)))
    hosts = [f"MAP {near} 127.0.0.1"] if near else []
    rules = ", ".join([*hosts, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *_FLAGS, f"--host-resolver-rules={rules}", f"--user-data-dir={profile}", *more],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process, Path(profile)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

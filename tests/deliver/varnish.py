"""A real Varnish in front of a server, with the configuration that docs/caching.md shows."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
MISSING = ROOT / ".sdks" / "varnish.missing"
"""Where the setup of the tests wrote why it could not install it."""


def program() -> str:
    """Where Varnish is; skips the test when it is nowhere."""
    found = shutil.which("varnishd") or shutil.which("varnishd", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        reason = MISSING.read_text(encoding="utf-8") if MISSING.exists() else "run `make sdks`"
        pytest.skip(f"there is no varnishd on this machine: {reason}")
    return found


def shown_configuration() -> str:
    """What the page tells people to use."""
    page = (ROOT / "docs" / "caching.md").read_text(encoding="utf-8")
    found = re.search(r"```vcl\n(.*?)```", page, re.DOTALL)
    assert found is not None
    return found[1]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def varnish(folder: Path, port: int, backend: int) -> Iterator[httpx.Client]:
    """A client of a cache at a port, in front of the server at another."""
    found = program()
    text = shown_configuration().replace('.port = "8000"', f'.port = "{backend}"')
    configuration = folder / "segue.vcl"
    configuration.write_text(text, encoding="utf-8")
    command = [
        found,
        "-j",
        "none",
        "-F",
        "-n",
        str(folder / "varnish"),
        "-a",
        f"127.0.0.1:{port}",
        "-T",
        "none",
    ]
    command += ["-f", str(configuration), "-s", "malloc,32m", "-p", "workspace_client=128k"]
    with (
        open(folder / "varnish.log", "wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
            _wait(process, port, folder / "varnish.log")
            yield client
            client.close()
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"varnishd ended: {log.read_text(encoding='utf-8')}")


def held(answer: httpx.Response) -> bool:
    """Whether the cache answered from memory: Varnish then names two requests."""
    return len(answer.headers["x-varnish"].split()) == 2

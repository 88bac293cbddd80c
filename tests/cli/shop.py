"""A small shop: a workspace, a few events, and a server beside it when a test wants one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.segue import PROGRAM, Ended, here


def order(user: str, day: int, **properties: Any) -> dict[str, Any]:
    """An order at noon of a day in November 2026, received at once."""
    moment = f"2026-11-{day:02d}T12:00:00.000Z"
    return {
        "type": "track", "event": "Order Completed", "userId": user, "messageId": f"{user}-{day}",
        "timestamp": moment, "receivedAt": moment, "properties": properties,
    }  # fmt: skip


EVENTS = [order("ann", 1), order("bob", 2), order("ann", 3), order("eve", 4), order("eve", 5)]
BAD = {"type": "track", "event": "Order Completed", "messageId": "nobody"}


@dataclass(frozen=True)
class Shop:
    """Runs commands on one workspace and its data folder."""

    folder: Path

    def __call__(self, *arguments: str | Path) -> Ended:
        return here(*arguments, "--workspace", self.folder)

    def rows(self, *arguments: str | Path) -> list[Any]:
        """What a command prints as JSON; it has to end well."""
        ended = self(*arguments, "--json")
        assert ended.status == 0, ended.err
        return ended.rows

    def row(self, *arguments: str | Path) -> Any:
        """The one object."""
        (row,) = self.rows(*arguments)
        return row

    def members(self, name: str, *arguments: str) -> list[str]:
        return [row["user_id"] for row in self.rows("members", name, *arguments)]

    def file(self, name: str, *rows: Any) -> Path:
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path


def opened(folder: Path) -> Shop:
    """A shop without events."""
    assert here("init", folder).status == 0
    return Shop(folder)


@contextmanager
def serving(shop: Shop) -> Iterator[str]:
    """`segue serve` on a free port, by the log's clock; its address."""
    command = [*PROGRAM, "serve", "--port", "0", "--clock", "log", "--workspace", str(shop.folder)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    try:
        assert server.stdout is not None
        said = server.stdout.readline().decode()
        if "http://" not in said:
            server.kill()
            raise AssertionError(server.communicate()[1].decode())
        yield next(word for word in said.split() if word.startswith("http://"))
    finally:
        server.send_signal(signal.SIGTERM)
        _, err = server.communicate()
    assert server.returncode == 0, err.decode()
    assert b"Traceback" not in err, err.decode()

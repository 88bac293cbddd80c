"""Who runs a command: the server that owns the data folder, or this process.

A running ``segue serve`` holds the data folder's lock and says in ``serve.json`` how to reach it. Where
it answers, the command is handed to it; else this process opens the folder itself.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from segue.cli.bars import bar
from segue.domain.errors import SegueError, refusal
from segue.domain.event import Json
from segue.service.commands.command import Progress, silent

if TYPE_CHECKING:
    from segue.service.service import Service

CONNECT_SECONDS = 5
"""How long a server may take to accept; running a command may take as long as it needs."""


class Connection(Protocol):
    """Runs commands, wherever they run."""

    def call(self, name: str, arguments: Mapping[str, Json], progress: Progress = silent) -> Iterator[Json]:
        """The objects that the command yields; SegueError when it is refused."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, as it describes itself."""

    host: str
    port: int
    token: str

    def call(
        self,
        name: str,
        arguments: Mapping[str, Json],
        progress: Progress = silent,
    ) -> Iterator[Json]:
        """Has the server run the command. E785 when its answer breaks off or is none."""
        from segue.service.commands.control import CONTROL_PATH, decode

        watched = progress is not silent
        body = json.dumps({"command": name, "arguments": arguments, "progress": watched}).encode()
        http_connection = http.client.HTTPConnection(self.host, self.port)
        try:
            http_connection.request("POST", CONTROL_PATH, body, self._headers())
            response = http_connection.getresponse()
            if response.status != 200:
                raise _no_answer(f"{response.status} {response.reason}: {_problem(response.read())}")
            for line in response:
                value = json.loads(line)
                if "error" in value and "exit" in value:
                    raise decode(value)
                if watched and set(value) == {"progress"}:
                    progress(*value["progress"])
                else:
                    yield value
        except (OSError, http.client.HTTPException, ValueError) as fault:
            raise _no_answer(str(fault) or type(fault).__name__) from fault
        finally:
            http_connection.close()

    def answers(self) -> bool:
        """Whether something listens there."""
        probe = http.client.HTTPConnection(self.host, self.port, timeout=CONNECT_SECONDS)
        try:
            probe.request("GET", "/healthz")
            return probe.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            probe.close()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Embedded:
    """This process's own service."""

    service: Service

    def call(self, name: str, arguments: Mapping[str, Json], progress: Progress = silent) -> Iterator[Json]:
        """Runs the command here."""
        from segue.api.commands import COMMANDS

        yield from COMMANDS[name].run(self.service, arguments, progress)


@contextmanager
def connected(
    workspace: Path, data: Path, running: str, *, beside_serve: bool = True
) -> Iterator[Connection]:
    """Where commands run; ``running`` is what another process that wants the folder is told.

    Errors: those of the workspace (E4xx) and of the data folder (E6xx).
    """
    server = running_server(data) if beside_serve else None
    if server is not None:
        yield server
        return
    from segue.engine.warm import ready
    from segue.service.service import Service

    ready(lambda said: print(said, file=sys.stderr))
    with bar("catching up", "entries") as progress:
        service = Service.open(workspace, data, running=running, progress=progress)
    with service:
        yield Embedded(service)


def running_server(data: Path) -> Server | None:
    """The server that owns a data folder; None when there is none that lives and answers."""
    from segue.service.commands.control import SERVER_FILE

    try:
        said = json.loads((data / SERVER_FILE).read_bytes())
        url = urlsplit(said["url"])
        pid, server = int(said["pid"]), Server(url.hostname or "", url.port or 80, str(said["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return server if _lives(pid) and server.answers() else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _problem(body: bytes) -> str:
    """What a problem document says."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"


def _no_answer(why: str) -> SegueError:
    hint = "look at what `segue serve` printed; when it has ended, run the command again"
    return refusal("E785", f"the running server gave no whole answer: {why}", hint)

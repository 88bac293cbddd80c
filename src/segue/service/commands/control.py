"""A command asked for from outside the process: its answer as JSON lines, errors among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from segue.domain.errors import Diagnostic, Place, SegueError, UsageError
from segue.domain.event import Json
from segue.service.commands.arguments import wrong
from segue.service.commands.command import Command, Progress, silent

if TYPE_CHECKING:
    from segue.service.service import Service

SERVER_FILE = "serve.json"
"""In the data folder: {"url", "token", "pid"} of the server that owns it."""
CONTROL_PATH = "/control"


class RelayedError(SegueError):
    """A refusal that another process told us of."""

    def __init__(self, exit_status: int, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.exit_status = exit_status


def answer(
    commands: Mapping[str, Command],
    service: Service,
    request: Json,
    tell: Callable[[Json], None] | None = None,
) -> Iterator[Json]:
    """The objects that one of some commands yields; at a refusal the last is ``{"error": […], "exit": n}``.

    A request ``{"command", "arguments", "progress": true}`` has ``tell`` called meanwhile with
    ``{"progress": [done, total]}``, a hundred times at most.
    """
    try:
        if not isinstance(request, dict):
            raise wrong("request", 'an object {"command", "arguments"}')
        name, arguments = request.get("command"), request.get("arguments", {})
        command = commands.get(name) if isinstance(name, str) else None
        if command is None or not command.beside_serve:
            raise _not_beside(name)
        if not isinstance(arguments, dict):
            raise wrong("arguments", "an object")
        asked = tell is not None and request.get("progress") is True
        yield from command.run(service, arguments, _by_percent(tell) if asked and tell else silent)
    except SegueError as refused:
        yield encode(refused)


def _by_percent(tell: Callable[[Json], None]) -> Progress:
    told = 0

    def progress(done: int, total: int) -> None:
        nonlocal told
        percent = done * 100 // total if total else 0
        if percent > told:
            told = percent
            tell({"progress": [done, total]})

    return progress


def _not_beside(name: Json) -> UsageError:
    message = f"a running server does not run the command {name}"
    return UsageError(Diagnostic("E782", message, "end the server first, or name another folder with --data"))


def encode(refused: SegueError) -> dict[str, Json]:
    """A refusal as one object, from which :func:`decode` makes it again."""
    return {"error": [_encoded(found) for found in refused.diagnostics], "exit": refused.exit_status}


def _encoded(found: Diagnostic) -> dict[str, Json]:
    whole: dict[str, Json] = found.to_json()
    if found.place is not None:
        whole["length"] = found.place.length
        whole["source_line"] = found.source_line
    return whole


def decode(line: Mapping[str, Json]) -> RelayedError:
    """The refusal that :func:`encode` wrote."""
    return RelayedError(int(line.get("exit", 1)), *(_decoded(each) for each in line["error"]))


def _decoded(found: Mapping[str, Json]) -> Diagnostic:
    place = None
    if "line" in found:
        place = Place(found["line"], found["column"], found.get("length", 1), found.get("file"))
    return Diagnostic(found["code"], found["message"], found["hint"], place, found.get("source_line"))

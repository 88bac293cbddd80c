"""The commands that go on running: serve and demo."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from segue.cli.bars import bar
from segue.cli.ending import GOOD, PROBLEMS
from segue.cli.options import HERE, DataOption, JsonOption, WorkspaceOption, data_folder
from segue.cli.output import flush, say, say_json
from segue.domain.errors import Diagnostic, UsageError


class Clock(Enum):
    """What time it is while serving."""

    WALL = "wall"
    LOG = "log"


def serve(
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address; the setting host unless said.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(metavar="PORT", min=0, max=65_535, help="The port, 0 for a free one; the setting port."),
    ] = None,
    clock: Annotated[Clock, typer.Option(help="Now is the wall clock, or the newest receipt.")] = Clock.WALL,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
) -> None:
    """Take events and answer over HTTP.

    Runs until it is interrupted. Other commands work beside it.

    \b
    Example:
      segue serve
      segue serve --port 9000 --clock log
    """
    from segue.runners.serve import serve as run
    from segue.segments.workspace import load_workspace

    settings = load_workspace(workspace).settings
    run(
        workspace,
        data_folder(workspace, data),
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        clock=clock.value,
    )


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Without a show, as fast as it can; verify and exit.")
    ] = False,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", metavar="DIR", help="A new folder for its workspace.")
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show Segue on a real retailer's year.

    Imports eleven months, then serves and plays the last one live, with a small shop to try beside it.
    Nothing stays behind unless a folder is named.

    \b
    Example:
      segue demo
      segue demo --check
    """
    from segue.runners.demo import Show
    from segue.runners.demo import demo as run

    if as_json and not check:
        hint = "`segue demo --check --json`; without --check it is for people to watch"
        raise UsageError(Diagnostic("E780", "--json goes with --check", hint))
    report = run(check, workspace, data, Show(_unsaid if as_json else _said, bar))
    if report is None:
        return GOOD
    if as_json:
        say_json(report.to_json())
    else:
        say("\n".join(report.lines()))
    return PROBLEMS if report.differences else GOOD


def _said(line: str) -> None:
    say(line)
    flush()


def _unsaid(line: str) -> None:
    """A line that nobody asked for."""

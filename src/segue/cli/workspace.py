"""The commands that need the workspace's files alone: init, fmt, check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.options import HERE, DataOption, JsonOption, WorkspaceOption, data_folder
from segue.cli.output import say, say_json
from segue.domain.errors import Diagnostic, SegueError

if TYPE_CHECKING:
    from segue.segments.workspace import Workspace


def init(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="The folder to write it to.")] = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,  # noqa: ARG001 # every command takes it
    as_json: JsonOption = False,
) -> None:
    """Write a small, valid workspace to start from.

    \b
    Example:
      segue init shop
    """
    from segue.segments.template import write_template

    target = folder or workspace
    files = write_template(target)
    if as_json:
        say_json({"folder": str(target), "files": [str(path) for path in files]})
        return
    for path in files:
        say(f"wrote {path}")
    say(f"\nnext: cd {target}, then segue check and segue import FILE")


def fmt(
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if something is spelled otherwise.")
    ] = False,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,  # noqa: ARG001 # every command takes it
    as_json: JsonOption = False,
) -> int:
    """Put conditions into their one spelling.

    \b
    Example:
      segue fmt
      segue fmt --check
    """
    from segue.segments.formatting import format_workspace

    files = format_workspace(_there(workspace), check=check_only)
    if as_json:
        say_json({"changed": files, "written": not check_only})
    else:
        for file in files:
            say(f"{'would change' if check_only else 'changed'} {file}")
        if not files:
            say("everything is in its one spelling")
    return 1 if check_only and files else 0


def check(
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> int:
    """Check all files of the workspace.

    Errors end with 1. Warnings of governance end with 0. Where there is a data folder, models whose
    scores are not what they promise to be are told, too.

    \b
    Example:
      segue check
      segue check --workspace shop --json
    """
    from segue.segments.destinations.resolving import refuse_inner
    from segue.segments.workspace import load_workspace

    try:
        loaded = load_workspace(workspace)
        refuse_inner(loaded.destinations, loaded.settings.private_targets)
    except SegueError as refused:
        _findings(list(refused.diagnostics), [], "", as_json)
        return refused.exit_status
    warnings = [*_warnings(loaded), *_of_models(loaded, data_folder(workspace, data))]
    _findings([], warnings, _size(loaded), as_json)
    return 0


def _warnings(loaded: Workspace) -> list[Diagnostic]:
    from datetime import datetime

    from segue.segments.governance import review

    return review(loaded, datetime.now(loaded.settings.timezone).date())


def _of_models(loaded: Workspace, data: Path) -> list[Diagnostic]:
    """What the data folder's models do not keep; nothing is learned, scored or opened for that."""
    from segue.log.reached import reached

    at = reached(data) if loaded.model_specs else None
    if at is None:
        return []
    from segue.service.learning.behind import warnings

    return list(warnings(loaded, data, at))


def _findings(errors: list[Diagnostic], warnings: list[Diagnostic], size: str, as_json: bool) -> None:
    if as_json:
        told = {
            "errors": [found.to_json() for found in errors],
            "warnings": [found.to_json() for found in warnings],
        }
        say_json(told)
        return
    for found in (*errors, *warnings):
        say(found.render() + "\n")
    say(f"{size}{counted(len(errors), 'error')}, {counted(len(warnings), 'warning')}")


def _size(loaded: Workspace) -> str:
    named = loaded.definitions().items()
    return (
        ", ".join(counted(len(each), kind) for kind, each in named if each) + ": "
        if any(each for _, each in named)
        else ""
    )


def counted(number: int, noun: str) -> str:
    """``1 error``, ``2 errors``, ``1,000 errors``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _there(workspace: Path) -> Path:
    """The folder, or E401: formatting a folder that is not there would find nothing to do."""
    if not workspace.is_dir():
        from segue.segments.folder import read_folder

        read_folder(workspace)
    return workspace

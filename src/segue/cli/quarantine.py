"""``segue quarantine``: look at what could not be taken in, mend and replay it."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from segue.cli.connection import connected
from segue.cli.options import HERE, DataOption, JsonOption, LimitOption, WorkspaceOption, data_folder
from segue.cli.output import facts, listed, say, say_json
from segue.domain.errors import Diagnostic, SegueError, UsageError, refusal
from segue.domain.event import Json

quarantine = typer.Typer(rich_markup_mode=None)
NumberArgument = Annotated[int, typer.Argument(metavar="ID", min=1, help="The number of the event.")]


class State(Enum):
    """What became of a quarantined event."""

    OPEN = "open"
    REPLAYED = "replayed"
    DROPPED = "dropped"
    ALL = "all"


StateOption = Annotated[State, typer.Option(help="Only events in this state.")]


@quarantine.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    state: StateOption = State.OPEN,
    limit: LimitOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Mend what could not be taken in.

    \b
    Example:
      segue quarantine
      segue quarantine show 17
      segue quarantine replay 17 --with mended.json
      segue quarantine drop 17
    """
    if context.invoked_subcommand is None:
        list_held(state, limit, workspace, data, as_json)


@quarantine.command("list")
def list_held(
    state: StateOption = State.OPEN,
    limit: LimitOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the events set aside, by number.

    \b
    Example:
      segue quarantine list
      segue quarantine list --state all --json
    """
    with connected(workspace, data_folder(workspace, data), "quarantine list") as connection:
        rows = list(connection.call("quarantine list", {"state": state.value, "limit": limit}))
    columns = ("id", "received_at", "source", "code", "message", "state")
    listed(rows, as_json, columns, lambda row: [str(row[column]) for column in columns])


@quarantine.command("show")
def show(
    number: NumberArgument,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one event with what was sent.

    \b
    Example:
      segue quarantine show 17
    """
    found = _call("show", {"id": number}, workspace, data)
    if as_json:
        say_json(found)
        return
    facts({key: str(value) for key, value in found.items() if key != "raw"})
    say(f"\n{found['raw']}")


@quarantine.command("replay")
def replay(
    number: Annotated[
        int | None, typer.Argument(metavar="ID", min=1, help="The number of the event.")
    ] = None,
    code: Annotated[
        str | None, typer.Option(metavar="CODE", help="All events set aside for this reason instead of one.")
    ] = None,
    mended: Annotated[
        Path | None, typer.Option("--with", metavar="FILE", help="The mended event, as JSON.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an event in after all, as it was sent or mended.

    \b
    Example:
      segue quarantine replay 17
      segue quarantine replay 17 --with mended.json
      segue quarantine replay --code E471
    """
    from segue.service.commands.quarantine import coded

    if (number is None) == (code is None) or (code is not None and mended is not None):
        raise UsageError(
            Diagnostic("E780", "replay takes either an event or --code", "segue quarantine replay 17")
        )
    arguments = {"id": number, "code": code, "mended": None if mended is None else coded(_read(mended))}
    found = _call("replay", arguments, workspace, data)
    if as_json:
        say_json(found)
    elif code is not None:
        say(f"{code}: {found['replayed']:,} taken in, {found['still']:,} bad still")
    else:
        say(f"event {number}: " + ("taken in" if found["accepted"] else "was there already"))


@quarantine.command("drop")
def drop(
    number: NumberArgument,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set an event aside for good.

    \b
    Example:
      segue quarantine drop 17
    """
    found = _call("drop", {"id": number}, workspace, data)
    if as_json:
        say_json(found)
    else:
        say(f"event {number}: dropped")


def _call(action: str, arguments: dict[str, Json], workspace: Path, data: Path | None) -> Json:
    name = f"quarantine {action}"
    with connected(workspace, data_folder(workspace, data), name) as connection:
        (found,) = connection.call(name, arguments)
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise _unreadable(path, fault) from fault


def _unreadable(path: Path, fault: OSError) -> SegueError:
    return refusal("E786", f"{path} cannot be read: {fault.strerror}", "name the file with the mended event")

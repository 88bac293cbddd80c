"""``segue events``: the tracking plan against what was seen."""

from __future__ import annotations

from typing import Annotated

import typer

from segue.cli.connection import connected
from segue.cli.options import HERE, DataOption, JsonOption, WorkspaceOption, data_folder
from segue.cli.output import listed, say, say_json
from segue.domain.event import Json

events = typer.Typer(rich_markup_mode=None)


@events.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the track events that were seen or are planned, or plan them.

    \b
    Example:
      segue events
      segue events infer
    """
    if context.invoked_subcommand is None:
        with connected(workspace, data_folder(workspace, data), "events") as connection:
            heads = ("event", "status", "count", "first", "last", "did you mean")
            listed(connection.call("events", {}), as_json, heads, _cells, ["count"])


def _cells(row: Json) -> list[str]:
    keys = ("event", "status", "count", "first", "last", "did_you_mean")
    return [f"{row['count']:,}" if key == "count" else row.get(key, "") for key in keys]


@events.command("infer")
def infer(
    show: Annotated[bool, typer.Option("--print", help="Print the plan and write nothing.")] = False,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a tracking plan from what has been seen.

    Events that are planned already are left alone. Read it before you apply it.

    \b
    Example:
      segue events infer
      segue events infer --print
    """
    with connected(workspace, data_folder(workspace, data), "events infer") as connection:
        (found,) = connection.call("events infer", {"write": not show})
    if as_json:
        say_json(found)
    elif show:
        say(found["yaml"].rstrip("\n"))
    elif not found["events"]:
        say("everything that was seen is planned")
    else:
        count = len(found["events"])
        say(f"planned {count:,} event{'' if count == 1 else 's'} in {found['file']}")
        say("read it, then `segue plan` and `segue apply`")

"""``segue triggers``: what is told to others, and when."""

from __future__ import annotations

from typing import Annotated

import typer

from segue.cli.connection import connected
from segue.cli.options import HERE, DataOption, JsonOption, WorkspaceOption, data_folder
from segue.cli.output import listed, say, say_json
from segue.domain.event import Json

triggers = typer.Typer(rich_markup_mode=None)
_STATES = ("sent", "pending", "waiting", "passed", "dead")


@triggers.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the triggers with what became of their firings, or test one.

    \b
    Example:
      segue triggers
      segue triggers test welcome_vip --user ada
    """
    if context.invoked_subcommand is None:
        with connected(workspace, data_folder(workspace, data), "triggers") as connection:
            heads = ("trigger", "status", "on", "to", *_STATES)
            listed(connection.call("triggers", {}), as_json, heads, _cells, _STATES)


def _cells(found: dict[str, Json]) -> list[str]:
    counts = [str(found["deliveries"].get(state, 0)) for state in _STATES]
    on = " ".join(found["on"].split())
    return [found["trigger"], found.get("status", "active"), on, ", ".join(found["to"]), *counts]


@triggers.command("test")
def try_out(
    name: Annotated[str, typer.Argument(metavar="TRIGGER", help="The name of a trigger.")],
    user: Annotated[str, typer.Option(metavar="USER", help="For whom it would fire.")],
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what a trigger would send to a user if it fired now, and why or why not. Nothing is sent.

    Every rule is asked for every destination, up to the one that holds the message back.

    \b
    Example:
      segue triggers test welcome_vip --user ada
    """
    arguments = {"name": name, "user": user, "in_words": not as_json}
    with connected(workspace, data_folder(workspace, data), "triggers test") as connection:
        (found,) = connection.call("triggers test", arguments)
    if as_json:
        say_json(found)
    else:
        say(found["text"])

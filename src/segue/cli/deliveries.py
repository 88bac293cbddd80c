"""``segue deliveries``: what triggers have sent, and dead letters sent again."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from segue.cli.connection import connected
from segue.cli.options import HERE, DataOption, JsonOption, LimitOption, WorkspaceOption, data_folder
from segue.cli.output import listed, say, say_json
from segue.domain.errors import Diagnostic, UsageError
from segue.domain.event import Json

deliveries = typer.Typer(rich_markup_mode=None)
_COLUMNS = ("number", "changed", "state", "destination", "trigger", "user_id", "attempts", "reason")


class State(Enum):
    """Where a delivery stands."""

    WAITING = "waiting"
    PENDING = "pending"
    SENT = "sent"
    PASSED = "passed"
    DEAD = "dead"
    ALL = "all"


DestinationOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only what goes to this destination.")
]
TriggerOption = Annotated[str | None, typer.Option(metavar="NAME", help="Only what this trigger fired.")]
UserOption = Annotated[str | None, typer.Option(metavar="USER", help="Only what is about this user.")]
IdOption = Annotated[
    str | None, typer.Option("--id", metavar="ID", help="Only what has this id, as receivers get it.")
]


@deliveries.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    state: Annotated[State, typer.Option(help="Only deliveries in this state.")] = State.ALL,
    destination: DestinationOption = None,
    trigger: TriggerOption = None,
    user: UserOption = None,
    identifier: IdOption = None,
    body: Annotated[bool, typer.Option("--body", help="With --json: show what is sent, too.")] = False,
    limit: LimitOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what triggers have sent and what became of it, newest first; send dead letters again.

    \b
    Example:
      segue deliveries --state dead
      segue deliveries --destination crm --user ada --limit 10
      segue deliveries replay --destination crm
    """
    if context.invoked_subcommand is not None:
        return
    arguments = {
        "state": state.value, "destination": destination, "trigger": trigger, "user": user,
        "id": identifier, "limit": limit, "body": body,
    }  # fmt: skip
    with connected(workspace, data_folder(workspace, data), "deliveries") as connection:
        rows = connection.call("deliveries", arguments)
        listed(rows, as_json, _COLUMNS, _cells, ("number", "attempts"))


def _cells(row: Json) -> list[str]:
    return ["" if row[name] is None else str(row[name]) for name in _COLUMNS]


@deliveries.command("replay")
def replay(
    destination: DestinationOption = None,
    trigger: TriggerOption = None,
    user: UserOption = None,
    identifier: IdOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send dead letters again, after what is pending now; they keep their ids.

    \b
    Example:
      segue deliveries replay --destination crm
      segue deliveries replay --id 0123456789abcdef
    """
    arguments = {"destination": destination, "trigger": trigger, "user": user, "id": identifier}
    if not any(arguments.values()):
        hint = "segue deliveries replay --destination NAME"
        raise UsageError(Diagnostic("E780", "replay is told of no dead letters", hint))
    with connected(workspace, data_folder(workspace, data), "deliveries replay") as connection:
        (found,) = connection.call("deliveries replay", arguments)
    if as_json:
        say_json(found)
    else:
        count = found["replayed"]
        say("1 dead letter goes out again" if count == 1 else f"{count:,} dead letters go out again")

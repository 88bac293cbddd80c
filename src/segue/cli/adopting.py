"""``segue adopt``: a group that a model found becomes a segment that people own."""

from __future__ import annotations

from typing import Annotated

import typer

from segue.cli.connection import connected
from segue.cli.options import HERE, DataOption, JsonOption, WorkspaceOption, data_folder
from segue.cli.output import say, say_json


def adopt(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of kind clusters.")],
    cluster: Annotated[str, typer.Argument(metavar="CLUSTER", help="One of its groups.")],
    segment: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="The segment's name; the group's unless said.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a segment of a group that a model found.

    The rule that says the group best is written into the workspace's files, and is yours from then on: later
    trainings of the model change nothing about it.

    \b
    Example:
      segue adopt habits high_orders
      segue adopt habits high_orders --as regulars
    """
    arguments = {"model": model, "cluster": cluster, "segment": segment}
    with connected(workspace, data_folder(workspace, data), "adopt") as connection:
        (found,) = connection.call("adopt", arguments)
    if as_json:
        say_json(found)
        return
    say(f"segment {found['segment']} is in {found['file']}")
    for line in found["when"].split("\n"):
        say(f"    {line}")
    say(
        f"    of those it holds for {found['precision']:.0%} are in the group, "
        f"of the group it holds for {found['recall']:.0%}"
    )

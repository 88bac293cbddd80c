"""``segue experiences``: what is shown to whom, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from segue.cli.connection import connected
from segue.cli.options import HERE, DataOption, JsonOption, WorkspaceOption, data_folder
from segue.cli.output import say, say_json, table
from segue.domain.event import Json

experiences = typer.Typer(rich_markup_mode=None)


@experiences.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the experiences with their variants, or report on one.

    \b
    Example:
      segue experiences
      segue experiences report hero_banner
    """
    if context.invoked_subcommand is None:
        with connected(workspace, data_folder(workspace, data), "experiences") as connection:
            rows = connection.call("experiences", {})
            if as_json:
                for row in rows:
                    say_json(row)
                return
            heads = ("slot", "experience", "variant", "priority", "weight", "status", "audience")
            table(heads, (cells for row in rows for cells in _cells(row)), ["priority", "weight"])


def _cells(found: dict[str, Json]) -> Iterator[list[str]]:
    """A line for each variant, the first choice first."""
    for each in sorted(found["variants"], key=lambda variant: -variant.get("priority", 0)):
        weight = "" if "weight" not in each else f"{each['weight']:g}"
        yield [
            found["slot"], found["experience"], each["variant"], str(each.get("priority", 0)), weight,
            found.get("status", "active"), " ".join(each.get("audience", "everyone").split()),
        ]  # fmt: skip


@experiences.command("report")
def report(
    name: Annotated[str, typer.Argument(metavar="EXPERIENCE", help="The name of an experience.")],
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what was shown since a date or date-time.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what came of an experience.

    Who was given each variant and who of them reached the goal, beside those who were held out and would
    have been given it; the lift with an interval that holds it in 95 of 100 cases.

    \b
    Example:
      segue experiences report hero_banner
      segue experiences report hero_banner --since 2026-11-01
    """
    arguments = {"name": name, "since": since, "in_words": not as_json}
    with connected(workspace, data_folder(workspace, data), "experiences report") as connection:
        (found,) = connection.call("experiences report", arguments)
    if as_json:
        say_json(found)
    else:
        say(found["text"])

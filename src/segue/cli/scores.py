"""``segue scores``: scores that were computed elsewhere, for models of kind upload."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.connection import connected
from segue.cli.options import HERE, DataOption, JsonOption, WorkspaceOption, data_folder
from segue.cli.output import listed, say, say_json
from segue.domain.event import Json

scores = typer.Typer(rich_markup_mode=None)


@scores.callback(invoke_without_command=True)
def summary(
    context: typer.Context,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand in scores that were computed elsewhere; alone it tells for how many users each model has one.

    \b
    Example:
      segue scores
      segue scores import bank scores.csv
    """
    if context.invoked_subcommand is not None:
        return
    with connected(workspace, data_folder(workspace, data), "scores") as connection:
        rows = list(connection.call("scores", {}))
    heads = ("model", "in force", "users")
    listed(rows, as_json, heads, _cells, heads[1:])


def _cells(row: Json) -> tuple[str, ...]:
    return row["model"], str(row["version"] or "none"), f"{row['users']:,}"


@scores.command("import")
def import_scores(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of kind upload.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or Parquet: user_id and score.")],
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="TIME", help="They were said then: judge them by what came after."),
    ] = None,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who puts their source in force.")] = None,
    why: Annotated[str | None, typer.Option(metavar="TEXT", help="For what reason.")] = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in scores of users, as score("MODEL") reads them from then on.

    Their source has to beat a simple rule first: hand in what it said at a moment in the past. Or a person
    puts it in force and says why. Who is not in the file keeps their score; an empty one takes it back.

    \b
    Example:
      segue scores import bank scores_of_september.csv --as-of 2010-09-01
      segue scores import bank scores.parquet
      segue scores import bank scores.csv --by ada@shop.example --why "they come from our bank"
    """
    arguments = {"model": model, "file": str(file.absolute()), "as_of": as_of, "by": by, "why": why}
    with connected(workspace, data_folder(workspace, data), "scores import") as connection:
        (found,) = connection.call("scores import", arguments)
    if as_json:
        say_json(found)
    else:
        _say(found)


def _say(found: Json) -> None:
    from segue.learned.gate import sentence

    done = f"{found['judged']:,} judged" if found["judged"] else f"{found['written']:,} written"
    say(f"{found['model']}: {found['rows']:,} rows, {done}, version {found['version']} is {found['status']}")
    if found["judged"] and found["verdict"] is not None:
        say(f"    {sentence(found['verdict'])}")
    if found["unknown"]:
        some = ", ".join(found["unknown_users"])
        say(f"    {found['unknown']:,} of users of whom nothing was received: {some}")
    for row in found["refused_rows"]:
        say(f"    row {row['row']} was not taken: {row['why']}")
    if found["refused"] > len(found["refused_rows"]):
        say(f"    {found['refused']:,} rows were not taken in all")

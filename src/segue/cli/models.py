"""The command that looks at models, and puts versions in force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.connection import Connection, connected
from segue.cli.options import HERE, DataOption, JsonOption, WorkspaceOption, data_folder
from segue.cli.output import say, say_json, table
from segue.cli.workspace import counted
from segue.domain.errors import Diagnostic, UsageError
from segue.domain.event import Json


def models(
    name: Annotated[str | None, typer.Argument(metavar="MODEL", help="One model; all if left out.")] = None,
    promote: Annotated[
        int | None, typer.Option("--promote", metavar="N", help="Put this version in force.")
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Put the version in force that was so before.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Write its calibration there, as SVG.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who decided it.")] = None,
    why: Annotated[str | None, typer.Option("--why", metavar="TEXT", help="For what reason.")] = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List models, or show one with its card, versions and drift.

    A version that did not beat its rule is put in force by a person who says why; --rollback
    goes back to the one before. Everybody is scored anew then.

    \b
    Example:
      segue models
      segue models churn
      segue models churn --plot churn.svg
      segue models churn --promote 2 --by dana --why "The rule is out of season"
      segue models churn --rollback --by dana --why "It alarmed too many"
    """
    decides = promote is not None or rollback
    if decides and (name is None or (promote is not None and rollback)):
        hint = "for example: segue models churn --promote 2 --by dana --why TEXT"
        raise UsageError(Diagnostic("E780", "which version of which model is to be in force?", hint))
    with connected(workspace, data_folder(workspace, data), "models") as connection:
        if decides:
            _decided(connection, {"model": name, "version": promote, "by": by, "why": why}, as_json)
        elif name is None:
            _listed(connection, as_json)
        else:
            words = not as_json and plot is None
            (found,) = connection.call("models show", {"model": name, "in_words": words})
            if plot is not None:
                _draw(name, found, plot)
            if as_json:
                say_json(found)
            else:
                say(found["text"] if words else f"{plot}: what {name} says against what happened")


def _draw(name: str, found: Json, file: Path) -> None:
    from segue.domain.errors import refusal
    from segue.learned.plot import of_calibration
    from segue.segments.write import write_file

    card = found["in_force"] or {}
    if not card.get("calibration"):
        hint = "a version in force that foretells a chance has a calibration"
        raise refusal("E864", "there is nothing to draw", hint)
    write_file(file, of_calibration(f"{name}, version {card['version']}", card["calibration"]).encode())


def _decided(connection: Connection, arguments: Json, as_json: bool) -> None:
    call = "models rollback" if arguments["version"] is None else "models promote"
    (found,) = connection.call(call, arguments)
    if as_json:
        say_json(found)
    else:
        say(f"version {found['version']} of {found['model']} is in force")


def _listed(connection: Connection, as_json: bool) -> None:
    rows = list(connection.call("models", {}))
    if as_json:
        for row in rows:
            say_json(row)
        return
    cells = [
        (row["model"], row["kind"], row["status"], _versions(row), row.get("scored", "-"),
         row.get("scored_at", "-"), _drift(row))
        for row in rows
    ]  # fmt: skip
    table(("model", "kind", "status", "version", "scored", "everybody last at", "drift"), cells)
    for row in rows:
        if "behind" in row:
            say(f"\n{row['model']}: {row['behind']['text']}\n  {row['behind']['hint']}")
        elif "refused" in row:
            say(f"\n{row['model']}: {row['refused']}")


def _versions(row: Json) -> str:
    """The version in force, and a later one that stands aside."""
    there, aside = str(row["version"] or "-"), row.get("candidate")
    if aside is None:
        return there
    return f"{there}, {aside['version']} {'refused' if aside['passed'] is False else 'stands aside'}"


def _drift(row: Json) -> str:
    if row["version"] is None or "refused" in row:
        return "-"
    return counted(len(row["alarms"]), "alarm")

"""The commands about definitions in force: plan, apply, segments, preview, sql, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.bars import bar
from segue.cli.connection import connected, running_server
from segue.cli.options import (
    HERE,
    AsOfOption,
    DataOption,
    JsonOption,
    SegmentArgument,
    WorkspaceOption,
    data_folder,
)
from segue.cli.output import facts, listed, say, say_json, table
from segue.domain.event import Json


def plan(workspace: WorkspaceOption = HERE, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show what applying the folder would change.

    \b
    Example:
      segue plan
      segue plan --json
    """
    _compare("plan", workspace, data_folder(workspace, data), as_json)


def apply(workspace: WorkspaceOption = HERE, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Put the folder in force.

    A running server takes it over, beside the live stream.

    \b
    Example:
      segue apply
    """
    _compare("apply", workspace, data_folder(workspace, data), as_json)


def _compare(name: str, workspace: Path, data: Path, as_json: bool) -> None:
    arguments = {"folder": str(workspace.resolve()), "in_words": not as_json}
    server = running_server(data)
    if server is not None:
        with bar("evaluating", "entries") as progress:
            (answer,) = server.call(name, arguments, progress)
    else:
        answer = _compare_here(name, workspace, data, arguments)
    if as_json:
        say_json(answer)
    else:
        say(answer["text"])


def _compare_here(name: str, workspace: Path, data: Path, arguments: dict[str, Json]) -> Json:
    from segue.cli.planning import planned
    from segue.service.commands.definitions import told

    answer = told(planned(workspace, data), arguments)
    if name == "apply":
        # Opening the service is what puts the folder in force; asked after that, nothing would be left.
        with connected(workspace, data, name, beside_serve=False):
            pass
    return answer


def segments(workspace: WorkspaceOption = HERE, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the segments with the number of their members.

    \b
    Example:
      segue segments
    """
    with connected(workspace, data_folder(workspace, data), "segments") as connection:
        rows = list(connection.call("segments", {}))
    listed(
        rows,
        as_json,
        ("segment", "title", "owner", "members", "status"),
        lambda row: (
            row["name"],
            row.get("title", ""),
            row.get("owner", ""),
            f"{row['members']:,}",
            row.get("status", "active"),
        ),
        ["members"],
    )


def preview(
    condition: Annotated[str, typer.Argument(metavar="CONDITION", help="A condition, in quotes.")],
    as_of: AsOfOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show whom a condition would select.

    \b
    Example:
      segue preview 'count("Order Completed", last 30d) >= 3'
      segue preview 'trait.country == "DE"' --as-of 2010-12-01
    """
    with connected(workspace, data_folder(workspace, data), "preview") as connection:
        (found,) = connection.call("preview", {"when": condition, "as_of": as_of})
    if as_json:
        say_json(found)
    else:
        _say_preview(found)


def _say_preview(found: Json) -> None:
    facts(
        {
            "count": f"{found['count']:,}",
            "share": f"{found['share']:.2%}",
            "as of": found["as_of"],
            "sample": ", ".join(found["sample"]),
        }
    )
    overlap = {name: count for name, count in found["overlap"].items() if count}
    if overlap:
        say("")
        table(("also in", "users"), ((name, f"{count:,}") for name, count in overlap.items()), ["users"])


def sql(
    name: SegmentArgument,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a segment as one SELECT for DuckDB.

    \b
    Example:
      segue sql win_back_targets
    """
    with connected(workspace, data_folder(workspace, data), "sql") as connection:
        (found,) = connection.call("sql", {"name": name})
    if as_json:
        say_json(found)
    else:
        say(found["sql"])


def verify(workspace: WorkspaceOption = HERE, data: DataOption = None, as_json: JsonOption = False) -> int:
    """Recompute every segment and compare.

    The slow reference reads the log alone; each difference is reported, and ends with 1.

    \b
    Example:
      segue verify
    """
    with (
        connected(workspace, data_folder(workspace, data), "verify") as connection,
        bar("verifying", "events") as progress,
    ):
        (found,) = connection.call("verify", {}, progress)
    if as_json:
        say_json(found)
    else:
        _say_differences(found)
    return 1 if found["count"] else 0


def _say_differences(found: Json) -> None:
    for difference in found["differences"]:
        say(difference["text"])
    differences = "1 difference" if found["count"] == 1 else f"{found['count']:,} differences"
    say(f"{found['segments']:,} segments verified: {differences}")

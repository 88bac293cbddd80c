"""``segue import``: events from files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from segue.cli.bars import bar
from segue.cli.connection import Connection, connected
from segue.cli.options import HERE, DataOption, JsonOption, WorkspaceOption, data_folder
from segue.cli.output import flush, say, say_json
from segue.domain.event import Json

_ODDITIES = {
    "future_clamped": "from the future, set to their receipt",
    "unparsed_timestamp": "with a time that could not be read",
    "non_object": "with properties that are no object",
    "long_message_id": "with a message id that is too long",
    "mended": "that strict JSON would refuse",
    "refused": "of forgotten users, not kept",
    "suppressed": "of suppressed users, not kept",
    "late": "late: more than five minutes older than their receipt",
    "unknown_event": "that the tracking plan does not know",
    "violation": "that break the tracking plan",
}


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="JSON lines, CSV or Parquet.")],
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Where they come from; default unless said.")
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option("--map", metavar="MAP", help="Which column means what, or a YAML file that says so."),
    ] = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in events from files.

    Importing a file twice changes nothing. Rows that cannot be taken are set aside in quarantine.

    \b
    Example:
      segue import events.jsonl
      segue import orders.csv --map 'user=customer,event="Order Completed",timestamp=ordered_at'
      segue import 2009.parquet 2010.parquet --map map.yaml --source tills
    """
    with connected(workspace, data_folder(workspace, data), "import", beside_serve=False) as connection:
        for file in files:
            arguments = {"file": str(file), "source": source, "map": mapping}
            found = _import(connection, file, arguments)
            if as_json:
                say_json(found)
            else:
                _say_file(found)
            flush()


def _import(connection: Connection, file: Path, arguments: dict[str, Json]) -> dict[str, Json]:
    began = time.perf_counter()
    with bar(file.name, "rows") as progress:
        (found,) = connection.call("import", arguments, progress)
    seconds = time.perf_counter() - began
    rate = round(found["rows"] / seconds) if seconds else 0
    return {**found, "seconds": round(seconds, 3), "rows_per_second": rate}


def _say_file(found: Json) -> None:
    speed = f"in {found['seconds']:.1f} s ({found['rows_per_second']:,}/s)"
    counts = ", ".join(f"{found[key]:,} {key}" for key in ("accepted", "duplicate", "quarantined"))
    say(f"{found['file']}: {found['rows']:,} rows {speed}: {counts}")
    for key, what in _ODDITIES.items():
        if found.get(key):
            say(f"    {found[key]:,} {what}")
    for model, why in found.get("not_scored", {}).items():
        say(f"    nobody was scored anew by {model}: {why}")
    if found["quarantined"]:
        say("    `segue quarantine list` shows what was set aside and why")

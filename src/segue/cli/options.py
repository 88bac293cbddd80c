"""The arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", metavar="DIR", help="The workspace: the folder with the YAML files.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="The data folder; .segue in the workspace.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="JSON: a list as one object a line, all else as one object.")
]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", metavar="TIME", help="As of a date (its midnight) or date-time, not now."),
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", metavar="N", min=0, help="No more than this many rows.")
]
SegmentArgument = Annotated[str, typer.Argument(metavar="SEGMENT", help="The name of a segment.")]
UserArgument = Annotated[
    str, typer.Argument(metavar="USER", help="A user id, or anon:ID for an anonymous one.")
]

HERE = Path()
"""The workspace unless one is named."""


def data_folder(workspace: Path, data: Path | None) -> Path:
    """The data folder that the options name."""
    return workspace / ".segue" if data is None else data

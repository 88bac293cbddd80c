"""The commands that tell who is where, and why: members, changes, explain."""

from __future__ import annotations

from typing import Annotated

import typer

from segue.cli.connection import connected
from segue.cli.options import (
    HERE,
    AsOfOption,
    DataOption,
    JsonOption,
    LimitOption,
    SegmentArgument,
    UserArgument,
    WorkspaceOption,
    data_folder,
)
from segue.cli.output import listed, say, say_json
from segue.domain.event import Json


def members(
    name: SegmentArgument,
    as_of: AsOfOption = None,
    limit: LimitOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List who is in a segment, by user id.

    \b
    Example:
      segue members win_back_targets
      segue members win_back_targets --as-of 2010-12-01 --json
    """
    with connected(workspace, data_folder(workspace, data), "members") as connection:
        rows = connection.call("members", {"name": name, "as_of": as_of, "limit": limit})
        listed(rows, as_json, ("user", "since"), lambda row: (row["user_id"], row["since"]))


def changes(
    name: Annotated[
        str | None, typer.Argument(metavar="SEGMENT", help="Only changes of this segment.")
    ] = None,
    after: Annotated[int, typer.Option(min=0, metavar="SEQ", help="Only changes after this number.")] = 0,
    limit: LimitOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List who entered and left, in order.

    \b
    Example:
      segue changes
      segue changes win_back_targets --after 1200 --limit 50
    """
    with connected(workspace, data_folder(workspace, data), "changes") as connection:
        for row in connection.call("changes", {"name": name, "after": after, "limit": limit}):
            if as_json:
                say_json(row)
            else:
                say(_change(row))


def _change(row: Json) -> str:
    cause = row["cause"]
    reason = f"{cause['type']} {cause['message_id']}" if "message_id" in cause else cause["type"]
    return f"{row['seq']}  {row['at']}  {row['user_id']} {row['action']} {row['segment']}  ({reason})"


def explain(
    user: UserArgument,
    segment: SegmentArgument,
    as_of: AsOfOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell why a user is in a segment, or not.

    Each observed value against its threshold, the events that counted, in since when and until
    when; for one who is out, what is missing.

    \b
    Example:
      segue explain 13085 win_back_targets
      segue explain 13085 win_back_targets --as-of 2010-12-01T09:30:00Z
    """
    arguments = {"user": user, "segment": segment, "as_of": as_of, "in_words": not as_json}
    with connected(workspace, data_folder(workspace, data), "explain") as connection:
        (found,) = connection.call("explain", arguments)
    if as_json:
        say_json(found)
    else:
        say(found["text"])

"""The commands by which people decide about users: override, list, suppress, forget, export."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from segue.cli.connection import connected
from segue.cli.options import (
    HERE,
    DataOption,
    JsonOption,
    UserArgument,
    WorkspaceOption,
    data_folder,
)
from segue.cli.output import say, say_json, say_pieces, table, warn
from segue.domain.errors import Diagnostic, UsageError
from segue.domain.event import Json
from segue.service.export_text import as_csv
from segue.service.export_text import as_json as as_json_text


class Membership(Enum):
    """What an override says."""

    IN = "in"
    OUT = "out"
    NONE = "none"


class Form(Enum):
    """How a copy of what is held is written."""

    JSON = "json"
    CSV = "csv"


class ListAction(Enum):
    """What is done with users of a list."""

    ADD = "add"
    REMOVE = "remove"


def override(
    user: UserArgument,
    segment: Annotated[str | None, typer.Argument(metavar="SEGMENT", help="The name of a segment.")] = None,
    membership: Annotated[
        Membership | None, typer.Argument(metavar="in|out|none", help="none takes the override back.")
    ] = None,
    score: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="NAME VALUE", help="Instead of a membership: what is read of a model; none takes it back."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Until a date or date-time; else without end.")
    ] = None,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who decided it.")] = None,
    why: Annotated[str | None, typer.Option(metavar="TEXT", help="For what reason.")] = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a user into a segment or out of it, or replace a score.

    An override beats the condition, until it ends or is taken back. A score that is replaced is
    read as the given value everywhere, whatever the model says later.

    \b
    Example:
      segue override 13085 wholesale_buyers in --until 2011-01-01 --by dana --why "Signed a contract"
      segue override 13085 wholesale_buyers none
      segue override 13085 --score churn 0.1 --by dana --why "She told us that she stays"
      segue override 13085 --score churn none
    """
    if score is None and (segment is None or membership is None):
        hint = "for example: segue override 13085 wholesale_buyers in, or --score churn 0.1"
        raise UsageError(Diagnostic("E780", "which segment, and in or out?", hint))
    if score is not None and segment is not None:
        hint = "give a segment with in or out, or --score, in two commands if both are meant"
        raise UsageError(Diagnostic("E780", "an override is of a segment or of a score", hint))
    model, value = (None, None) if score is None else score
    word = None if membership is None else membership.value
    arguments: dict[str, Json] = {
        "user": user, "segment": segment, "membership": word, "model": model, "value": value,
        "until": until, "by": by, "why": why,
    }  # fmt: skip
    with connected(workspace, data_folder(workspace, data), "override") as connection:
        (found,) = connection.call("override", arguments)
    if as_json:
        say_json(found)
    else:
        say(_override(found))


def _override(found: Json) -> str:
    if "model" in found:
        return _replaced(found)
    who = f"{found['user_id']} for {found['segment']}"
    if found["member"] is None:
        return f"no override any more: {who}"
    until = f" until {found['until']}" if "until" in found else ""
    return f"override: {who}: {'in' if found['member'] else 'out'}{until}"


def _replaced(found: Json) -> str:
    what = f"the {found['gives']} {found['model']} of {found['user_id']}"
    if found["value"] is None:
        return f"no override any more: {what}"
    until = f" until {found['until']}" if "until" in found else ""
    return f"override: {what} is {found['value']}{until}"


def list_users(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The name of a list.")] = None,
    action: Annotated[
        ListAction | None, typer.Argument(metavar="add|remove", help="Put users on it, or take them off.")
    ] = None,
    users: Annotated[list[str] | None, typer.Argument(metavar="USER", help="User ids.")] = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show lists, or edit one.

    Without arguments the lists and their sizes, with a name its users. Edits stand beside the
    list's file.

    \b
    Example:
      segue list
      segue list do_not_mail
      segue list do_not_mail add 13085 12346
      segue list do_not_mail remove 13085
    """
    if action is not None and not users:
        hint = f"for example: segue list {name} {action.value} 13085"
        raise UsageError(Diagnostic("E780", f"{action.value} whom?", hint))
    with connected(workspace, data_folder(workspace, data), "list") as connection:
        if action is not None:
            edit = {"name": name, "action": action.value, "users": users}
            (found,) = connection.call("list edit", edit)
            _say_edit(found, as_json)
            return
        rows = connection.call("list", {"name": name})
        if as_json:
            for row in rows:
                say_json(row)
        elif name is None:
            table(("list", "users"), ((row["list"], f"{row['users']:,}") for row in rows), ["users"])
        else:
            for row in rows:
                say(row["user_id"])


def _say_edit(found: Json, as_json: bool) -> None:
    if as_json:
        say_json(found)
        return
    done = "added" if "added" in found else "removed"
    say(f"{done} {', '.join(found[done])} {'to' if done == 'added' else 'from'} {found['list']}")


def forget(
    user: UserArgument,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase all that is held of a user.

    Changes keep their numbers, under an id that tells nothing. The workspace's list files
    lose the user, too.

    \b
    Example:
      segue forget 13085
    """
    with connected(workspace, data_folder(workspace, data), "forget") as connection:
        (found,) = connection.call("forget", {"user": user})
    if as_json:
        say_json(found)
    else:
        say(f"forgot {user}" if found["forgotten"] else f"nothing was known of {user}")
        for file in found["lists"]:
            say(f"    taken off {file}")
    for file in found["still_listed"]:
        warn(f"warning: {file} names {user} still; take the line out by hand")


def suppress(
    user: UserArgument,
    off: Annotated[bool, typer.Option("--off", help="Take it back: store what comes from now on.")] = False,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Store nothing more of a user, and let no segment see them.

    What is held already stays; `segue forget` erases it.

    \b
    Example:
      segue suppress 13085
      segue suppress 13085 --off
    """
    with connected(workspace, data_folder(workspace, data), "suppress") as connection:
        (found,) = connection.call("suppress", {"user": user, "off": off})
    if as_json:
        say_json(found)
    else:
        already = "" if found["changed"] else "already "
        say(f"{user} is {already}{'suppressed' if found['suppressed'] else 'not suppressed any more'}")


def export(
    user: Annotated[str | None, typer.Argument(metavar="USER", help="A user id.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every event that took effect, one a line, in order.")
    ] = False,
    form: Annotated[
        Form, typer.Option("--format", help="csv prints the events alone, as a table.")
    ] = Form.JSON,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what is held, of a user or of all.

    One object for a user; with --all every event, one a line, ready to be imported elsewhere.

    \b
    Example:
      segue export 13085
      segue export 13085 --format csv > events.csv
      segue export --all > events.jsonl
    """
    if (user is None) != everything:
        raise UsageError(Diagnostic("E780", "export takes either a user or --all", "segue export 13085"))
    with connected(workspace, data_folder(workspace, data), "export") as connection:
        rows = connection.call("export", {"user": user})
        if everything and form is Form.JSON:
            for row in rows:
                say_json(row)
        elif form is Form.CSV:
            say_pieces(as_csv(("event", row) if everything else (row["part"], row["value"]) for row in rows))
        else:
            say_pieces(as_json_text(((row["part"], row["value"]) for row in rows), lines=not as_json))

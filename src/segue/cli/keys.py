"""``segue keys`` and ``segue token``: who may send, read and change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.connection import Connection, running_server
from segue.cli.options import HERE, DataOption, JsonOption, WorkspaceOption, data_folder
from segue.cli.output import listed, say, say_json, warn
from segue.domain.errors import Diagnostic, UsageError, refusal
from segue.domain.event import Json
from segue.service.commands.command import Progress, silent

if TYPE_CHECKING:
    from segue.access.gate import Access

keys = typer.Typer(rich_markup_mode=None)
KeyArgument = Annotated[
    str | None, typer.Argument(metavar="KEY", help="Its id, its name, or the key itself.")
]
NameOption = Annotated[str | None, typer.Option("--name", metavar="NAME", help="The same as KEY.")]
SegmentsOption = Annotated[
    list[str] | None, typer.Option("--segments", metavar="NAMES", help="Show only these segments.")
]
AttributesOption = Annotated[
    list[str] | None,
    typer.Option("--attributes", metavar="PATHS", help="Show only these: traits, features.spend, …"),
]
OverlapOption = Annotated[
    str | None, typer.Option(metavar="DURATION", help="How long the old one stays good; 1d unless said.")
]


class KeyKind(Enum):
    """What a key is for."""

    WRITE = "write"
    READ = "read"
    ADMIN = "admin"


@keys.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make keys, and take them back.

    \b
    Example:
      segue keys
      segue keys create --name shop --kind write
      segue keys revoke shop
    """
    if context.invoked_subcommand is None:
        list_keys(workspace, data, as_json)


@keys.command("create")
def create(
    name: Annotated[str, typer.Option(metavar="NAME", help="What it is called; a write key's source.")],
    kind: Annotated[KeyKind, typer.Option(help="What it is for.")],
    environment: Annotated[
        str | None, typer.Option(metavar="WORD", help="Shown in the list, for people.")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(metavar="ORIGIN", help="A site whose pages may use a write key.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="It stands in pages or apps: it must not join two users.")
    ] = False,
    rate: Annotated[
        str | None, typer.Option(metavar="RATE", help="Requests taken: 100/s, 6000/m, 100000/h.")
    ] = None,
    burst: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="How many of them may come at one moment.")
    ] = None,
    segments: SegmentsOption = None,
    attributes: AttributesOption = None,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="After a duration such as 90d, or at a date.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and show it, this once.

    \b
    Example:
      segue keys create --name shop --kind write --origin https://shop.example --rate 200/s
      segue keys create --name crm --kind read --segments vip,lapsing --attributes traits.plan
      segue keys create --name ops --kind admin --expires 90d --json
    """
    arguments = {
        "name": name, "kind": kind.value, "environment": environment, "origins": origin or [],
        "public": public, "rate": rate, "burst": burst, "segments": segments,
        "attributes": attributes, "expires": expires,
    }  # fmt: skip
    _say_key(_call("keys create", arguments, workspace, data), as_json)


@keys.command("list")
def list_keys(
    workspace: WorkspaceOption = HERE, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List every key that was made, without the keys themselves.

    \b
    Example:
      segue keys list
      segue keys list --json
    """
    with _connected(workspace, data, "keys list") as connection:
        rows = list(connection.call("keys list", {}))
    columns = ("id", "name", "kind", "state", "ends_with", "environment", "rate", "expires")
    heads = (*columns, "only for")
    listed(rows, as_json, heads, lambda row: [*(str(row.get(each, "")) for each in columns), _only(row)])


def _only(key: Json) -> str:
    """Whose pages may use a key, and what it shows."""
    scope = [f"{part} {', '.join(key[part])}" for part in ("segments", "attributes") if part in key]
    return "; ".join([*(["public"] if key.get("public") else []), *key.get("origins", ()), *scope])


@keys.command("rotate")
def rotate(
    key: KeyArgument = None,
    name: NameOption = None,
    overlap: OverlapOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a new key in a key's place; both are good for a while.

    \b
    Example:
      segue keys rotate shop
      segue keys rotate k_3fa0a10e --overlap 7d
    """
    found = _call("keys rotate", {"key": _one(key, name), "overlap": overlap}, workspace, data)
    _say_key(found, as_json)
    if not as_json:
        warn(f"the old one, {found['before']['id']}, is good until {found['before']['expires']}")


@keys.command("revoke")
def revoke(
    key: KeyArgument = None,
    name: NameOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a key at once and for good.

    \b
    Example:
      segue keys revoke shop
    """
    _change("keys revoke", _one(key, name), workspace, data, as_json)


@keys.command("on")
def switch_on(
    key: KeyArgument = None,
    name: NameOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Switch a key on again.

    \b
    Example:
      segue keys on shop
    """
    _change("keys on", _one(key, name), workspace, data, as_json)


@keys.command("off")
def switch_off(
    key: KeyArgument = None,
    name: NameOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Switch a key off for a while.

    \b
    Example:
      segue keys off shop
    """
    _change("keys off", _one(key, name), workspace, data, as_json)


def token(
    user: Annotated[str | None, typer.Argument(metavar="USER", help="A user id.")] = None,
    ttl: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How long it is good; 15m unless said, 1d at most.")
    ] = None,
    visitor: Annotated[bool, typer.Option("--visitor", help="USER is an anonymous id.")] = False,
    segments: SegmentsOption = None,
    attributes: AttributesOption = None,
    rotate: Annotated[bool, typer.Option("--rotate", help="Make a new secret that signs tokens.")] = False,
    overlap: OverlapOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token that opens one user's data, and no other's.

    \b
    Example:
      segue token 13085
      segue token 13085 --ttl 1h --segments vip,lapsing
      segue token 7b1c-91f2 --visitor
      segue token --rotate --overlap 0s
    """
    if (user is None) != rotate or (overlap is not None and not rotate):
        hint = "segue token 13085, or segue token --rotate"
        raise UsageError(Diagnostic("E780", "token takes either a user or --rotate", hint))
    if rotate:
        found = _call("token rotate", {"overlap": overlap}, workspace, data)
        words = f"secret {found['kid']} signs now; tokens of the one before end by {found['before_ends']}"
    else:
        arguments = {
            "user": user, "ttl": ttl, "visitor": visitor, "segments": segments,
            "attributes": attributes,
        }  # fmt: skip
        found = _call("token", arguments, workspace, data)
        words = found["token"]
    if as_json:
        say_json(found)
    else:
        say(words)


class _Alone:
    """Runs commands here, on the keys of a data folder that nobody else has open."""

    def __init__(self, access: Access) -> None:
        self.access = access

    def call(self, name: str, arguments: Mapping[str, Json], progress: Progress = silent) -> Iterator[Json]:
        """The objects that the command yields."""
        from segue.service.commands.keys import RUNS

        yield from RUNS[name](self, arguments, progress)


@contextmanager
def _connected(workspace: Path, data: Path | None, running: str) -> Iterator[Connection]:
    """The running server, else the keys alone: they are there also while the workspace is broken."""
    folder = data_folder(workspace, data)
    server = running_server(folder)
    if server is not None:
        yield server
        return
    from segue.access.alone import alone

    if not workspace.is_dir():
        hint = "name another with --workspace, or make one: segue init"
        raise refusal("E401", f"there is no workspace folder {workspace}", hint)
    with alone(folder, f"segue {running}") as access:
        yield _Alone(access)


def _call(name: str, arguments: dict[str, Json], workspace: Path, data: Path | None) -> Json:
    with _connected(workspace, data, name) as connection:
        (found,) = connection.call(name, arguments)
    return found


def _say_key(found: Json, as_json: bool) -> None:
    if as_json:
        say_json(found)
        return
    say(found["key"])
    warn(f"{found['kind']} key {found['name']}, {found['id']}: keep it, it is not shown again")


def _change(command: str, key: str, workspace: Path, data: Path | None, as_json: bool) -> None:
    with _connected(workspace, data, command) as connection:
        rows = list(connection.call(command, {"key": key}))
    for row in rows:
        if as_json:
            say_json(row)
        else:
            say(f"{row['kind']} key {row['name']}, {row['id']}: {row['state']}")


def _one(key: str | None, name: str | None) -> str:
    """What was named, in either way."""
    if (key is None) == (name is None):
        raise UsageError(Diagnostic("E780", "which key?", "segue keys list shows their ids and names"))
    return key or name or ""

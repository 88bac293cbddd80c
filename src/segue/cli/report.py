"""``segue quality`` and ``segue audit``: what became of events, and who did what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Annotated

import typer

from segue.cli.connection import connected
from segue.cli.options import HERE, DataOption, JsonOption, WorkspaceOption, data_folder
from segue.cli.output import listed, say, say_json, table, warn
from segue.domain.errors import Diagnostic
from segue.domain.event import Json
from segue.domain.time import format_instant

_BEGINNING = format_instant(0)
_ALWAYS = ("accepted", "kept", "duplicate", "quarantined")


def quality(
    days: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the last N days; all unless said.")
    ] = None,
    anomalies: Annotated[
        bool, typer.Option("--anomalies", help="Look for what is unusual in the last four weeks, too.")
    ] = False,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show what became of all that came in.

    By day and source. Ends with 1 when the account of events does not come out even.

    \b
    Example:
      segue quality
      segue quality --days 7 --anomalies
    """
    arguments = {"days": days, "anomalies": anomalies}
    with connected(workspace, data_folder(workspace, data), "quality") as connection:
        (found,) = connection.call("quality", arguments)
    if as_json:
        say_json(found)
    else:
        _say_report(found)
    for said in found["balance"]["findings"]:
        warn(Diagnostic("E555", said, "keep a copy of the data folder and report it").render())
    return 0 if found["balance"]["holds"] else 1


def _say_report(found: Json) -> None:
    _say_days(found["days"])
    _say_list("broken plan", found["violations"], lambda each: each["what"])
    _say_list("set aside", found["quarantined"], lambda each: each["code"])
    _say_list("no number", found["non_numeric"], lambda each: f"{each['event']}.{each['property']}")
    if "anomalies" in found:
        say("")
        for each in found["anomalies"]:
            say(f"unusual: {each['text']}")
        if not found["anomalies"]:
            say("nothing unusual")
    say("")
    say(_account(found["balance"]))


def _say_days(days: Sequence[Json]) -> None:
    shown = [name for name in days[0] if name not in ("day", "source")] if days else list(_ALWAYS)
    names = [name for name in shown if name in _ALWAYS or any(line[name] for line in days)]
    heads = ["day", "source", *(name.replace("_", " ") for name in names)]
    table(
        heads,
        ([line["day"] or "earlier", line["source"], *(f"{line[name]:,}" for name in names)] for line in days),
        heads[2:],
    )


def _say_list(head: str, rows: Sequence[Json], name: Callable[[Json], str]) -> None:
    """How often each thing was found, whatever the day."""
    found: Counter[str] = Counter()
    for row in rows:
        found[name(row)] += row["count"]
    if found:
        say("")
        table((head, "events"), ((each, f"{number:,}") for each, number in sorted(found.items())), ["events"])


def _account(balance: Json) -> str:
    parts = ("processed", "in_flight", "duplicate", "quarantined", "refused", "suppressed")
    shown = [name for name in parts if balance[name] or name == "processed"]
    said = " + ".join(f"{balance[name]:,} {name.replace('_', ' ')}" for name in shown)
    sign = "=" if balance["holds"] else "≠"
    return f"{balance['accepted']:,} accepted {sign} {said}"


class Kind(Enum):
    """What is told of."""

    DEFINITIONS = "definitions"
    OVERRIDE = "override"
    LIST = "list"
    SUPPRESS = "suppress"
    FORGET = "forget"
    KEY = "key"
    MODEL = "model"


def audit(
    what: Annotated[Kind | None, typer.Option(help="Only entries of this kind.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the last N.")] = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List who did what.

    Definitions, overrides, lists, keys, models, and that someone was suppressed or forgotten.

    \b
    Example:
      segue audit
      segue audit --what override --limit 20
    """
    arguments = {"what": what and what.value, "limit": limit}
    with connected(workspace, data_folder(workspace, data), "audit") as connection:
        rows = connection.call("audit", arguments)
        heads = ("at", "what", "by", "")
        listed(rows, as_json, heads, lambda row: (_at(row), row["what"], row.get("by", ""), row["text"]))


def _at(entry: Json) -> str:
    """The engine's time; it begins with the first event that is received."""
    return "before any event" if entry["at"] == _BEGINNING else str(entry["at"])

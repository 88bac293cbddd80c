"""The list of commands, in the order in which the help shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from segue import __version__
from segue.cli import (
    adopting,
    definitions,
    learning,
    models,
    people,
    reading,
    report,
    running,
    taking,
    workspace,
)
from segue.cli.catalog import catalog
from segue.cli.deliveries import deliveries
from segue.cli.events import events
from segue.cli.experiences import experiences
from segue.cli.keys import keys, token
from segue.cli.output import say
from segue.cli.quarantine import quarantine
from segue.cli.scores import scores
from segue.cli.triggers import triggers

app = typer.Typer(
    name="segue",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS: dict[str, Callable[..., int | None]] = {
    "init": workspace.init,
    "fmt": workspace.fmt,
    "check": workspace.check,
    "plan": definitions.plan,
    "apply": definitions.apply,
    "import": taking.import_files,
    "serve": running.serve,
    "demo": running.demo,
    "segments": definitions.segments,
    "members": reading.members,
    "changes": reading.changes,
    "explain": reading.explain,
    "preview": definitions.preview,
    "sql": definitions.sql,
    "verify": definitions.verify,
    "train": learning.train,
    "compare": learning.compare,
    "models": models.models,
    "quality": report.quality,
    "audit": report.audit,
    "adopt": adopting.adopt,
    "override": people.override,
    "list": people.list_users,
    "suppress": people.suppress,
    "forget": people.forget,
    "export": people.export,
    "token": token,
}
"""Each is explained in docs/commands.md."""

for name, command in COMMANDS.items():
    app.command(name)(command)
app.add_typer(quarantine, name="quarantine")
app.add_typer(events, name="events")
app.add_typer(deliveries, name="deliveries")
app.add_typer(catalog, name="catalog")
app.add_typer(scores, name="scores")
app.add_typer(keys, name="keys")
app.add_typer(experiences, name="experiences")
app.add_typer(triggers, name="triggers")


def _version(wanted: bool) -> None:
    if wanted:
        say(f"segue {__version__}")
        raise typer.Exit


@app.callback()
def segue(
    version: Annotated[  # its callback does it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Real-time segmentation: events in, exact live segments out.

    \b
    Example:
      segue init shop
      segue import events.jsonl --workspace shop
      segue segments --workspace shop
    """

"""``segue catalog``: the items that can be recommended. It needs no server and waits for none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.options import HERE, DataOption, JsonOption, LimitOption, WorkspaceOption, data_folder
from segue.cli.output import facts, flush, listed, say, say_json
from segue.domain.event import Json

if TYPE_CHECKING:
    from segue.experiences.recommend.catalogue.store import Catalogue

catalog = typer.Typer(rich_markup_mode=None)


@catalog.callback(invoke_without_command=True)
def summary(
    context: typer.Context,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep the items that can be recommended; alone it tells how many there are.

    \b
    Example:
      segue catalog
      segue catalog import products.csv
      segue catalog list
    """
    if context.invoked_subcommand is not None:
        return
    with _opened(workspace, data) as catalogue:
        version, items = (0, []) if catalogue is None else catalogue.items()
    available = sum(each.item.available for each in items)
    if as_json:
        say_json({"version": version, "items": len(items), "available": available})
    else:
        say(f"{len(items):,} items, {available:,} of them available; version {version}")


@catalog.command("import")
def import_items(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="CSV, JSON lines or Parquet.")],
    mapping: Annotated[
        str | None,
        typer.Option("--map", metavar="MAP", help="Which column means what, or a YAML file that says so."),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="The file holds every item there is: others go.")
    ] = False,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in items from files; an item with an id that is there takes its place.

    Rows that are no items are told and passed over. A running server sees the items within a second.

    \b
    Example:
      segue catalog import products.csv
      segue catalog import feed.jsonl --map id=sku,title=name,price=amount,attributes=brand,colour
      segue catalog import all.parquet --whole
    """
    from segue.experiences.recommend.catalogue.importing import import_items as take
    from segue.experiences.recommend.catalogue.mapping import read_item_mapping
    from segue.experiences.recommend.catalogue.store import Catalogue

    said = read_item_mapping(mapping)
    catalogue = Catalogue(data_folder(workspace, data))
    try:
        for file in files:
            taken, reading = take(catalogue, file, said, time.time_ns() // 1_000_000, whole)
            counts: dict[str, Json] = {"file": str(file), "rows": reading.rows, **taken.to_json()}
            refused = [{"line": each.line, "why": each.why} for each in reading.refused]
            if as_json:
                say_json(counts | {"refused": reading.bad, "findings": refused})
            else:
                _say_file(counts, reading.bad, [f"line {each.line}: {each.why}" for each in reading.refused])
            flush()
    finally:
        catalogue.close()


def _say_file(counts: dict[str, Json], bad: int, findings: list[str]) -> None:
    parts = ", ".join(f"{counts[key]:,} {key}" for key in ("added", "changed", "removed", "same"))
    say(f"{counts['file']}: {counts['rows']:,} rows: {parts}; the catalogue has version {counts['version']}")
    if bad:
        say(f"    {bad:,} rows are no items (E841):")
        for each in findings:
            say(f"      {each}")
        if bad > len(findings):
            say(f"      and {bad - len(findings):,} more")


@catalog.command("list")
def list_items(
    limit: LimitOption = None,
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the items by id.

    \b
    Example:
      segue catalog list --limit 20
      segue catalog list --json
    """
    with _opened(workspace, data) as catalogue:
        items = [] if catalogue is None else catalogue.items()[1]
    rows = [each.item.to_json() for each in islice(items, limit)]
    keys = ("id", "title", "price", "category", "available")
    listed(rows, as_json, keys, lambda row: [_cell(row.get(key)) for key in keys], ["price"])


@catalog.command("show")
def show(
    item: Annotated[str, typer.Argument(metavar="ID", help="The id of an item.")],
    workspace: WorkspaceOption = HERE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an item, and what each version of the catalogue did to it.

    \b
    Example:
      segue catalog show sku-7
    """
    from segue.experiences.recommend.catalogue.faults import no_item

    with _opened(workspace, data) as catalogue:
        changes = [] if catalogue is None else [each.to_json() for each in catalogue.changes(identifier=item)]
    if not changes:
        raise no_item(item)
    if as_json:
        say_json({"id": item, "item": changes[-1]["after"], "versions": changes})
        return
    now = changes[-1]["after"]
    facts({key: _cell(value) for key, value in (now or {"id": item, "gone": "yes"}).items()})
    for each in changes:
        say(f"version {each['version']} at {each['at']}: {_said(each)}")


def _said(change: dict[str, Json]) -> str:
    before, after = change["before"], change["after"]
    if before is None:
        return "added"
    if after is None:
        return "removed"
    keys = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    return ", ".join(f"{key} {_cell(before.get(key))} -> {_cell(after.get(key))}" for key in keys)


def _cell(value: Json) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_cell(each)}" for key, each in value.items())
    return "" if value is None else "yes" if value is True else "no" if value is False else str(value)


@contextmanager
def _opened(workspace: Path, data: Path | None) -> Iterator[Catalogue | None]:
    """The catalogue of a data folder; None where nothing was imported yet."""
    from segue.experiences.recommend.catalogue.store import Catalogue, catalogued

    folder = data_folder(workspace, data)
    if not catalogued(folder):
        yield None
        return
    catalogue = Catalogue(folder)
    try:
        yield catalogue
    finally:
        catalogue.close()

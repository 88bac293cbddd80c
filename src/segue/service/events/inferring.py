"""A tracking plan made of what was seen: types, what is always there, few texts, formats, personal data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import msgspec
import yaml

from segue.domain.event import Json
from segue.domain.planned import PropertyPlan
from segue.domain.time import format_instant
from segue.language import tree
from segue.language.sql.quoting import text_sql
from segue.language.walk import walk
from segue.log.sqlite import SqliteLog
from segue.segments.definitions import EventPlan
from segue.segments.readers import EVENTS
from segue.segments.workspace import Workspace, load_workspace
from segue.segments.write import write_file
from segue.service.events.seen import Seen, seen
from segue.service.events.shape import Shape, shape_of

EVENTS_LOOKED_AT = 100_000
"""Of each name, the newest."""
NAMES_MAX = 500
_PAGE = 5_000
_WIDTH = 110
_decode = msgspec.json.Decoder(dict).decode


@dataclass(frozen=True, slots=True)
class Inferred:
    """Plans of events that had none, and the YAML of them."""

    plans: list[EventPlan]
    text: str


def inferred(log: SqliteLog, workspace: Workspace) -> Inferred:
    """The plans of what was seen and is not planned yet, the most frequent first.

    What conditions ask for is planned too, seen or not, so that the workspace stays sound with them.
    """
    asked = _asked_for(workspace)
    plans = [
        _plan(each, _shape(log, each.name), asked.pop(each.name, set()))
        for each in [each for each in seen(log) if each.name not in workspace.plan][:NAMES_MAX]
    ]
    for name in sorted(asked.keys() - workspace.plan.keys()):
        plans.append(EventPlan(name, "Not seen yet; a condition asks for it.", {}))
    definitions = [plan.to_json() for plan in plans]
    text = yaml.safe_dump(
        definitions, allow_unicode=True, sort_keys=False, width=_WIDTH, default_flow_style=None
    )
    return Inferred(plans, text if plans else "")


def write(folder: Path, found: Inferred) -> Path:
    """Write the plans into a file of their own; SegueError when the workspace would not hold together."""
    file = next(name for name in _names() if not (folder / name).exists())
    load_workspace(folder, {file: found.text})
    write_file(folder / file, found.text.encode())
    return folder / file


def _names() -> Iterator[str]:
    yield f"{EVENTS.folder}/inferred.yaml"
    number = 2
    while True:
        yield f"{EVENTS.folder}/inferred_{number}.yaml"
        number += 1


def _shape(log: SqliteLog, name: str) -> Shape:
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT properties FROM {log.scan(connection)} WHERE type = 'track' AND name = {text_sql(name)}"
            f" ORDER BY seq DESC LIMIT {EVENTS_LOOKED_AT}"
        )

        def objects() -> Iterator[dict[str, Json]]:
            while page := found.fetchmany(_PAGE):
                yield from (_decode(text) for (text,) in page)

        return shape_of(objects())


def _plan(each: Seen, shape: Shape, asked: set[tuple[str, ...]]) -> EventPlan:
    first, last = format_instant(each.first)[:10], format_instant(each.last)[:10]
    times = "Seen once" if each.count == 1 else f"Seen {each.count:,} times"
    days = f"on {first}" if first == last else f"from {first} to {last}"
    properties = dict(shape.properties() or {})
    if properties:
        for path in sorted(asked):
            _add(properties, path)
    return EventPlan(each.name, f"{times} {days}.", properties)


def _add(properties: dict[str, PropertyPlan], path: tuple[str, ...]) -> None:
    """Plan what a condition asks for, as free as it can be."""
    head, *rest = path
    held = properties.get(head)
    if held is None:
        properties[head] = PropertyPlan()
    elif rest and held.properties is not None:
        inner = dict(held.properties)
        _add(inner, tuple(rest))
        properties[head] = replace(held, properties=inner)


def _asked_for(workspace: Workspace) -> dict[str, set[tuple[str, ...]]]:
    """The track events that definitions name, with the properties they ask for."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for root in workspace.roots():
        for node in walk(root):
            if isinstance(node, tree.Aggregate) and node.event.name is not None and node.path:
                found.setdefault(node.event.name, set()).add(node.path)
            if isinstance(node, tree.EventPattern) and node.name is not None:
                paths = found.setdefault(node.name, set())
                paths.update(_paths(node.where) if node.where is not None else ())
    return found


def _paths(where: tree.Condition) -> Iterator[tuple[str, ...]]:
    for node in walk(where):
        if isinstance(node, tree.Property) and node.root == "properties":
            yield node.path

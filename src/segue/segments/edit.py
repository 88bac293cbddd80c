"""Writes segments into the workspace's own files, so that the folder stays the one truth."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from segue.domain.errors import Diagnostic, SegueError, refusal
from segue.language.findings import shorten, suggestion
from segue.segments.definitions import Definition, SegmentDefinition
from segue.segments.document import parse
from segue.segments.fields import Sheet
from segue.segments.folder import YAML_ENDINGS
from segue.segments.nodes import Entries, Items, Node, Scalar, node_of
from segue.segments.readers import SEGMENTS
from segue.segments.rewrite import (
    cannot_edit,
    definitions_of,
    edited,
    mapping_edits,
    mapping_text,
    reread,
    stripped,
    without_item,
)
from segue.segments.source import Source, decode, read_source
from segue.segments.workspace import load_workspace
from segue.segments.write import remove_file, write_file

_one_edit = threading.Lock()
"""Two edits of one process never read the same text and then both write it."""


def put_segment(folder: Path, definition: Mapping[str, object]) -> Path:
    """Adds or replaces one segment, given as the JSON of a definition; the path of its file.

    A segment that exists is edited where it stands: values that stay the same are not touched, nor
    their comments, nor other definitions. A new one gets a file of its name. The folder as it would
    be is checked first: SegueError with all findings when it would not hold together, and nothing
    is written then. E451 cannot be written, E452 cannot be edited, E454 is no JSON.
    """
    wanted = _definition_of(definition)
    with _one_edit:
        found = _find(folder, wanted.name)
        if found is None:
            return _replace(folder, _free_file(folder, wanted.name), mapping_text(wanted.to_json(), 0) + "\n")
        source, root, node = found
        text = edited(source, mapping_edits(source, node, _changes(source, node, wanted)))
        _refuse_side_effects(source, root, node, text, wanted)
        return _replace(folder, source.file, text)


def delete_segment(folder: Path, name: str) -> Path:
    """Takes one segment out of the folder; the path of the file it stood in.

    A file that held nothing else is removed. E453 for an unknown segment, E301 with its place when
    another definition still refers to it; nothing is written then.
    """
    with _one_edit:
        found = _find(folder, name)
        if found is None:
            hint = suggestion(name, load_workspace(folder).segments, "`segue segments` lists those there are")
            raise refusal("E453", f'there is no segment "{shorten(name)}"', hint)
        source, root, node = found
        if not isinstance(root, Items) or len(root.items) == 1:
            return _replace(folder, source.file, None)
        text = edited(source, without_item(source, root, node))
        _refuse_side_effects(source, root, node, text, None)
        return _replace(folder, source.file, text)


def _definition_of(definition: Mapping[str, object]) -> SegmentDefinition:
    """The segment that a JSON object defines; SegueError with all findings when it defines none."""
    try:
        json.dumps(definition, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, TypeError, RecursionError) as fault:
        message = "the definition is no JSON object of Unicode text and numbers"
        raise refusal(
            "E454", message, 'send {"segment": …, "owner": …, "description": …, "when": …}'
        ) from fault
    findings: list[Diagnostic] = []
    found = SEGMENTS.read(node_of(definition), Sheet(Source("", ""), findings))
    if not isinstance(found, SegmentDefinition):
        raise SegueError(*findings)
    return found


def _find(folder: Path, name: str) -> tuple[Source, Node, Entries] | None:
    """Where a segment stands; files that do not parse are left to the check of the folder."""
    for path in sorted((folder / SEGMENTS.folder).glob("*")):
        if path.suffix.lower() not in YAML_ENDINGS or path.name.startswith("."):
            continue
        source = read_source(path, f"{SEGMENTS.folder}/{path.name}")
        if name not in source.text:
            continue
        root = parse(source)
        for node in definitions_of(root):
            key = node.value(SEGMENTS.key) if isinstance(node, Entries) else None
            if isinstance(node, Entries) and isinstance(key, Scalar) and key.text == name:
                return source, root, node
    return None


def _changes(source: Source, node: Entries, wanted: SegmentDefinition) -> dict[str, object]:
    """What is to be written under which key; None for what is to go."""
    now = _read(source, node)
    old = now.to_json() if now else dict.fromkeys(node.entries)
    new = wanted.to_json()
    return {key: new.get(key) for key in {**old, **new} if old.get(key) != new.get(key) or key not in new}


def _read(source: Source, node: Node) -> Definition | None:
    return SEGMENTS.read(node, Sheet(source, []))


def _refuse_side_effects(
    source: Source, root: Node, node: Node, text: str, wanted: SegmentDefinition | None
) -> None:
    """E452 unless the text holds all other definitions and in the node's place the wanted one, or none."""
    before = definitions_of(root)
    at = next(number for number, each in enumerate(before) if each is node)
    after = reread(source, text)
    if wanted is not None:
        found = _read(Source(source.file, text), after[at]) if len(after) == len(before) else None
        if found is None or found.to_json() != wanted.to_json():
            raise cannot_edit(source)
    rest = after if wanted is None else [*after[:at], *after[at + 1 :]]
    others = [*before[:at], *before[at + 1 :]]
    if [stripped(each.plain()) for each in rest] != [stripped(each.plain()) for each in others]:
        raise cannot_edit(source)


def _free_file(folder: Path, name: str) -> str:
    return next(file for file in _candidates(name) if not (folder / file).exists())


def _candidates(name: str) -> Iterator[str]:
    yield f"{SEGMENTS.folder}/{name}.yaml"
    number = 2
    while True:
        yield f"{SEGMENTS.folder}/{name}_{number}.yaml"
        number += 1


def _replace(folder: Path, file: str, text: str | None) -> Path:
    """Checks the folder with the new text in the file's place, then writes it; None removes the file."""
    data = None if text is None else text.encode()
    if data is not None:
        decode(data, file)
    load_workspace(folder, {file: text})
    if data is None:
        remove_file(folder / file)
    else:
        write_file(folder / file, data)
    return folder / file

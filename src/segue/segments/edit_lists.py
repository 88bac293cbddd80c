"""Takes users off the lists of a workspace's own files: what is forgotten must not come back from there."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection
from pathlib import Path

from segue.domain.errors import SegueError
from segue.segments.document import parse
from segue.segments.folder import YAML_ENDINGS
from segue.segments.nodes import Entries, Items, Scalar
from segue.segments.readers import LISTS
from segue.segments.rewrite import Edit, definitions_of, edited, value_edit, without_item
from segue.segments.source import Source, read_source
from segue.segments.write import write_file

_USERS = "users"
_HEADING = "user_id"


def take_off(folder: Path, users: Collection[str]) -> tuple[list[str], list[str]]:
    """(files in which users were taken off a list, files that still name them).

    Those are files that cannot be edited by machine, or that name them in a remark or elsewhere. Paths
    are within the folder. Nothing else in a file is touched.
    """
    done: list[str] = []
    left: list[str] = []
    for path in sorted((folder / LISTS.folder).glob("*")):
        ending = path.suffix.lower()
        if path.name.startswith(".") or ending not in (*YAML_ENDINGS, ".csv"):
            continue
        file = f"{LISTS.folder}/{path.name}"
        try:
            source = read_source(path, file)
            if not any(user in source.text for user in users):
                continue
            text = _table(source, users) if ending == ".csv" else _document(source, users)
            if text != source.text:
                write_file(path, text.encode())
                done.append(file)
            if _spelled(text, users):
                left.append(file)
        except SegueError:
            left.append(file)
    return done, left


def _spelled(text: str, users: Collection[str]) -> bool:
    """Whether a text has one of the users as a word of its own."""
    return any(re.search(rf"(?<![\w.@-]){re.escape(user)}(?![\w.@-])", text) for user in users)


def _document(source: Source, users: Collection[str]) -> str:
    edits: list[Edit] = []
    for node in definitions_of(parse(source)):
        listed = node.value(_USERS) if isinstance(node, Entries) else None
        if isinstance(node, Entries) and isinstance(listed, Items):
            edits += _edits(source, node, listed, users)
    return edited(source, edits)


def _edits(source: Source, node: Entries, listed: Items, users: Collection[str]) -> list[Edit]:
    gone = [item for item in listed if isinstance(item, Scalar) and item.text in users]
    if not gone:
        return []
    kept = [item.plain() for item in listed if item not in gone]
    if listed.flow or not kept:
        return [value_edit(source, node, _USERS, kept)]
    return [edit for item in gone for edit in without_item(source, listed, item)]


def _table(source: Source, users: Collection[str]) -> str:
    """The rows in which no cell is one of the users."""
    lines = io.StringIO(source.text, newline="").readlines()
    reader = csv.reader(io.StringIO(source.text, newline=""))
    kept: list[str] = []
    begun = 0
    for row in reader:
        if not any(cell.strip() in users for cell in row):
            kept += lines[begun : reader.line_num]
        begun = reader.line_num
    return "".join(kept) or f"{_HEADING}\n"

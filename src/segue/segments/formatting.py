"""``segue fmt``: conditions and expressions in their one spelling, the rest of each file as it is."""

from __future__ import annotations

from pathlib import Path

from segue.domain.errors import Diagnostic, SegueError
from segue.language.formatter import format_condition
from segue.segments.document import parse
from segue.segments.folder import YAML_ENDINGS
from segue.segments.nodes import Entries, Node, Plain, Scalar
from segue.segments.origin import Origin
from segue.segments.readers import DEFINITION_KINDS, DefinitionKind
from segue.segments.rewrite import Edit, cannot_edit, definitions_of, edited, reread, stripped, value_edit
from segue.segments.source import Source, read_source
from segue.segments.write import write_file


def format_workspace(folder: Path, check: bool = False) -> list[str]:
    """The files with conditions in another spelling, by path in the folder; ``check`` writes none of them.

    Raises SegueError with all findings when a file or a condition cannot be read, and writes
    nothing then. Names and types are not looked at. What stands behind an anchor is left alone.
    """
    findings: list[Diagnostic] = []
    changed: dict[str, str] = {}
    for kind in DEFINITION_KINDS:
        if kind.expression_key is None:
            continue
        for path in sorted((folder / kind.folder).glob("*")):
            if path.suffix.lower() in YAML_ENDINGS and not path.name.startswith("."):
                try:
                    source = read_source(path, f"{kind.folder}/{path.name}")
                    text = format_source(source, kind)
                except SegueError as refused:
                    findings.extend(refused.diagnostics)
                    continue
                if text != source.text:
                    changed[source.file] = text
    if findings:
        raise SegueError(*findings)
    for file, text in changed.items():
        if not check:
            write_file(folder / file, text.encode())
    return list(changed)


def format_source(source: Source, kind: DefinitionKind) -> str:
    """The text of a file with its conditions, or expressions, in their one spelling."""
    key = kind.expression_key
    assert key is not None
    findings: list[Diagnostic] = []
    edits: list[Edit] = []
    nodes = definitions_of(parse(source))
    wanted = [_content(node, key) for node in nodes]
    for number, node in enumerate(nodes):
        value = node.value(key) if isinstance(node, Entries) else None
        if not isinstance(node, Entries) or not isinstance(value, Scalar) or not _own(source, value):
            continue
        try:
            spelling = format_condition(value.text)
        except SegueError as refused:
            findings.extend(Origin(source, value).moved(found) for found in refused.diagnostics)
            continue
        if spelling != value.text.strip():
            edits.append(value_edit(source, node, key, spelling))
            wanted[number] = (wanted[number][0], spelling)
    if findings:
        raise SegueError(*findings)
    text = edited(source, edits)
    if edits and [_content(node, key) for node in reread(source, text)] != wanted:
        raise cannot_edit(source)
    return text


def _own(source: Source, value: Node) -> bool:
    """Whether a value stands here and nowhere else: not through an alias, nor with an anchor."""
    return value.alias is None and source.text[value.start : value.start + 1] != "&"


def _content(node: Node, key: str) -> tuple[Plain, str]:
    """What a definition says: all but its expression, and the text of that."""
    value = node.value(key) if isinstance(node, Entries) else None
    plain = stripped(node.plain())
    if not isinstance(value, Scalar) or not isinstance(plain, dict):
        return plain, ""
    return {name: each for name, each in plain.items() if name != key}, value.text.strip()
